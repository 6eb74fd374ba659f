// The real `wm` against a test's portal.
using System.Text.Json;

namespace WebManager.Testing.E2E;

public sealed class Wm(Uri portal, string dataFolder)
{
    /// <summary>Its own home, so that a person's stored login is neither used nor changed.</summary>
    private readonly Dictionary<string, string?> _environment = new()
    {
        ["WEBMANAGER_URL"] = portal.ToString(), ["WEBMANAGER_DATA"] = dataFolder, ["WEBMANAGER_TOKEN"] = null,
        ["XDG_CONFIG_HOME"] = Path.Combine(dataFolder, "wm-home"), ["DOTNET_TieredPGO"] = "0",
    };

    public Task<Ran> RunAsync(params string[] arguments) => Shell.RunAsync("dotnet", ["exec", Built.Wm, .. arguments], _environment);

    public Task<Ran> RunWithInputAsync(string input, params string[] arguments) => Shell.RunAsync("dotnet", ["exec", Built.Wm, .. arguments], _environment, input);

    /// <summary>Must succeed and print one JSON document.</summary>
    public async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var ran = await RunAsync([.. arguments, "--json"]);
        if (ran.ExitCode != 0) throw new InvalidOperationException($"wm {string.Join(' ', arguments)}: exit code {ran.ExitCode}: {ran.Error}{ran.Output}");
        using var json = JsonDocument.Parse(ran.Output);
        return json.RootElement.Clone();
    }
}
