// Where the programs of this build and the images lie. Tests run what was built, not a copy of their own.
using System.Diagnostics;

namespace WebManager.Testing.E2E;

public static class Built
{
    private static readonly string s_own = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);

    /// <summary>debug or release: artifacts/bin/PROJECT/CONFIGURATION.</summary>
    public static string Configuration => Path.GetFileName(s_own);
    public static string Root { get; } = FindRoot();
    public static string Artifacts => Path.Combine(Root, "artifacts");
    public static string Images => Path.Combine(Artifacts, "images");
    public static string Portal => Program("WebManager.Web", "WebManager.Web");
    public static string Agent => Program("WebManager.Agent", "WebManager.Agent");
    public static string Wm => Program("WebManager.Cli", "wm.dll");

    private static string FindRoot()
    {
        for (var folder = s_own; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "WebManager.sln"))) return folder;
        throw new InvalidOperationException($"{s_own} is not inside the repository.");
    }

    private static string Program(string project, string file)
    {
        var path = Path.GetFullPath(Path.Combine(s_own, "..", "..", project, Configuration, file));
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing; build the solution as {Configuration}.");
    }

    /// <summary>Builds tiny-linux unless it is there and up to date.</summary>
    public static async Task EnsureImagesAsync()
    {
        var done = await Shell.RunAsync(Path.Combine(Root, "images", "tiny-linux", "build.sh"), [Path.Combine(Images, "tiny-linux")]);
        if (done.ExitCode != 0) throw new InvalidOperationException($"tiny-linux could not be built: {done.Error}{done.Output}");
    }
}

public sealed record Ran(int ExitCode, string Output, string Error)
{
    public string Must() => ExitCode == 0 ? Output : throw new InvalidOperationException($"exit code {ExitCode}: {Error}{Output}");
}

public static class Shell
{
    /// <summary>Runs a program to its end; environment entries with null are taken away.</summary>
    public static async Task<Ran> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string input = "", TimeSpan? limit = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        using var over = new CancellationTokenSource(limit ?? TimeSpan.FromMinutes(5));
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            var (output, error) = (process.StandardOutput.ReadToEndAsync(over.Token), process.StandardError.ReadToEndAsync(over.Token));
            await process.WaitForExitAsync(over.Token);
            return new Ran(process.ExitCode, await output, await error);
        }
        catch (IOException) when (process.HasExited)
        {
            return new Ran(process.ExitCode, await process.StandardOutput.ReadToEndAsync(over.Token), await process.StandardError.ReadToEndAsync(over.Token));
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
