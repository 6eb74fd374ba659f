// Runs a program with an argument list and waits for it.
using System.Diagnostics;

namespace WebManager.Web.Lab;

internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public bool Ok => ExitCode == 0;
}

internal static class LabCommand
{
    public static async Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        CleanEnvironment(start);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct));
        try
        {
            await process.WaitForExitAsync(ct);
            return new CommandResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>The program must succeed.</summary>
    public static async Task<string> MustAsync(string program, IReadOnlyCollection<string> arguments, CancellationToken ct)
    {
        var done = await RunAsync(program, arguments, ct);
        return done.Ok ? done.Output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {done.Error.Trim()}");
    }

    /// <summary>What is meant for the portal alone does not go to other programs: its addresses, its settings, its password.</summary>
    public static void CleanEnvironment(ProcessStartInfo start)
    {
        string[] own = ["ASPNETCORE_", "WEBMANAGER_", "Portal__", "Lab__", "Kestrel__", "URLS"];
        foreach (var name in start.Environment.Keys.Where(k => own.Any(o => k.StartsWith(o, StringComparison.OrdinalIgnoreCase))).ToList())
            start.Environment.Remove(name);
    }
}
