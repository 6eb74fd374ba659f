// What every command line of wm is asked in its tests: that it is one request, or is refused before one.
using WebManager.Cli;
using Xunit;

namespace WebManager.Web.Tests.Cli;

internal static class CommandLines
{
    /// <summary>One request with this body, and the job it became.</summary>
    public static async Task IsOneRequestAsync(string request, string body, string[] args)
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On(request.Split('?')[0].Replace("%3A", ":", StringComparison.Ordinal), 202, """{"job":7}""");
        using var wm = new WmRun(portal);
        Assert.Equal((0, "Job 7 is accepted.\n", ""), await wm.RunAsync([.. args, "--no-wait"]));
        var asked = Assert.Single(portal.Requests);
        Assert.Equal((request.Replace("%3A", ":", StringComparison.Ordinal), body), ($"{asked.Method} {asked.Path}", asked.Body));
    }

    /// <summary>Wrong use: exit code 2, words that contain these, and nothing asked of the portal.</summary>
    public static async Task IsRefusedAsync(string said, string[] args)
    {
        await using var portal = await FakePortal.StartAsync();
        using var wm = new WmRun(portal);
        var (code, _, error) = await wm.RunAsync(args);
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains(said, error);
        Assert.Empty(portal.Requests);
    }
}
