namespace WebManager.Agent.Keeper;

/// <summary>Starts this same program as the keeper: own session, so that it outlives the agent; a small heap; output to keeper.log.</summary>
public sealed class KeeperLauncher(string nodeFolder, TimeSpan isolation, string? watchdog = null)
{
    private static readonly Dictionary<string, string> Small = new()
    {
        ["DOTNET_gcServer"] = "0",
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_GCHeapHardLimit"] = "0x4000000",
        ["DOTNET_GCConserveMemory"] = "9",
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_TieredCompilation"] = "1",
    };

    public Task LaunchAsync()
    {
        var folder = Path.Combine(nodeFolder, "keeper");
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var arguments = new List<string>(Self()) { "keeper", "--dir", nodeFolder, "--isolation", isolation.ToString() };
        if (watchdog is not null) arguments.AddRange(["--watchdog", watchdog]);
        var pid = Spawner.Spawn(arguments, Path.Combine(folder, "keeper.log"), Small);
        if (pid > 0) _ = Children.EndAsync(pid);      // a dead keeper must not stay a zombie of a living agent
        return Task.CompletedTask;
    }

    /// <summary>This program by its app host when it has one, else by dotnet and the assembly.</summary>
    private static IEnumerable<string> Self()
    {
        var assembly = typeof(KeeperLauncher).Assembly.Location;
        var host = Path.ChangeExtension(assembly, null);
        return File.Exists(host) ? [host] : ["dotnet", assembly];
    }
}
