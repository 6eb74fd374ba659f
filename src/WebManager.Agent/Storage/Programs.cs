using System.Diagnostics;
using System.Text;

namespace WebManager.Agent.Storage;

/// <summary>Runs a short-lived program from an argument list, never through a shell.</summary>
public static class Programs
{
    public sealed record Result(int ExitCode, string Output, string Error)
    {
        public bool Ok => ExitCode == 0;
        public string Why => (Error.Length > 0 ? Error : Output).Trim();
    }

    public static async Task<Result> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken ct, string? input = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = new Process { StartInfo = start };
        try { process.Start(); }
        catch (System.ComponentModel.Win32Exception e) { return new Result(127, "", $"{program}: {e.Message}"); }
        try
        {
            if (input is not null) await process.StandardInput.WriteAsync(input.AsMemory(), ct);
            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync(ct);
            var output = await process.StandardOutput.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return new Result(process.ExitCode, output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    /// <summary>The full path of a program on PATH; null when it is not installed.</summary>
    public static string? Find(string program)
    {
        if (program.Contains('/')) return File.Exists(program) ? program : null;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/usr/bin").Append("/usr/libexec");
        return folders.Where(f => f.Length > 0).Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);
    }

    /// <summary>The last lines of a log, for a refusal's text.</summary>
    public static string Tail(string file, int lines = 5)
    {
        try { return string.Join(' ', File.ReadLines(file, Encoding.UTF8).TakeLast(lines)).Trim(); }
        catch (IOException) { return ""; }
    }
}
