// Runs `wm` inside the test: its own home, environment and streams.
using WebManager.Cli;

namespace WebManager.Web.Tests.Cli;

public sealed class WmRun : IDisposable
{
    public string Home { get; } = Directory.CreateTempSubdirectory("wm-test-").FullName;
    public Dictionary<string, string> Environment { get; } = [];
    public string TypedIn { get; set; } = "";
    public bool CanAsk { get; set; }
    public string LoginFile => Path.Combine(Home, "config", "token.json");

    public WmRun() => Environment["WEBMANAGER_DATA"] = Home;

    public WmRun(FakePortal portal) : this() => Environment["WEBMANAGER_URL"] = portal.Url;

    public async Task<(int Code, string Out, string Error)> RunAsync(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var around = new Surroundings(new StringReader(TypedIn), output, error, Environment.GetValueOrDefault, Path.Combine(Home, "config"), TimeProvider.System) { CanAsk = CanAsk };
        var code = await WmApp.RunAsync(args, around);
        return (code, output.ToString(), error.ToString());
    }

    public void Dispose() => Directory.Delete(Home, recursive: true);
}
