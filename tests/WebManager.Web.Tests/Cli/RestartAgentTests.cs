using WebManager.Cli;
using Xunit;

namespace WebManager.Web.Tests.Cli;

/// <summary>wm node restart-agent, and what wm says of versions.</summary>
public sealed class RestartAgentTests
{
    private static string Node(string name, string health = "online", string more = "") =>
        $$"""{"name":"{{name}}","address":"10.77.1.11:7070","health":"{{health}}","drained":false,"cpus":2,"memoryMiB":1024,"diskMiB":4096,"freeMemoryMiB":960,"freeDiskMiB":4096,"primaries":1,"secondaries":0{{more}}}""";

    private static string Job(int id, string node, string status, string? error = null) =>
        $$"""{"id":{{id}},"operation":"node.restart-agent","summary":"node.restart-agent {{node}}","status":"{{status}}","by":"admin","reason":[],"receivedAt":"2026-01-01T00:00:00Z"{{(error is null ? "" : $",\"error\":\"{error}\"")}}}""";

    private static async Task<FakePortal> ThreeNodesAsync()
    {
        var portal = await FakePortal.StartAsync();
        portal.On("GET /nodes", 200, $"[{Node("n1")},{Node("n2", "offline")},{Node("n3")}]");
        foreach (var (id, node) in new[] { (7, "n1"), (8, "n3") })
        {
            portal.On($"POST /nodes/{node}/restart-agent", 202, $$"""{"job":{{id}}}""").On($"GET /jobs/{id}/wait", 200, Job(id, node, "success"))
                .On($"GET /jobs/{id}/log", 200, $$"""[{"serial":1,"at":"2026-01-01T00:00:00Z","text":"{{node}}: silent for 0.4 s."}]""", "[]");
        }
        return portal;
    }

    [Fact]
    public async Task All_go_one_after_the_other_without_those_that_are_offline()
    {
        await using var portal = await ThreeNodesAsync();
        using var wm = new WmRun(portal);
        var (code, output, error) = await wm.RunAsync("node", "restart-agent", "--all", "--timeout", "30");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("n1:\n  n1: silent for 0.4 s.\nJob 7, node.restart-agent n1: done.\nn3:\n", output);
        var asked = portal.Requests.Select(r => $"{r.Method} {r.Path.Split('?')[0]}").ToList();
        Assert.True(asked.IndexOf("GET /jobs/7/wait") < asked.IndexOf("POST /nodes/n3/restart-agent"));
        Assert.DoesNotContain("POST /nodes/n2/restart-agent", asked);
        Assert.All(portal.Requests.Where(r => r.Method == "POST"), r => Assert.Equal("""{"timeoutSeconds":30}""", r.Body));
    }

    [Theory]
    [InlineData("{}", "n1")]
    [InlineData("""{"timeoutSeconds":60,"reason":"new version"}""", "n1", "--timeout", "60", "--reason", "new version")]
    public async Task One_is_asked_for_by_one_request(string body, params string[] args)
    {
        await using var portal = await ThreeNodesAsync();
        using var wm = new WmRun(portal);
        Assert.Equal((0, "Job 7 is accepted.\n", ""), await wm.RunAsync(["node", "restart-agent", .. args, "--no-wait"]));
        Assert.Equal(body, Assert.Single(portal.Requests).Body);
    }

    [Fact]
    public async Task All_end_at_the_first_that_fails()
    {
        await using var portal = await ThreeNodesAsync();
        portal.On("GET /jobs/7/wait", 200, Job(7, "n1", "error", "The installed program cannot take over."));
        using var wm = new WmRun(portal);
        var (code, _, error) = await wm.RunAsync("node", "restart-agent", "--all");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("The installed program cannot take over.", error);
        Assert.DoesNotContain(portal.Requests, r => r.Path.StartsWith("/nodes/n3", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Name one node, or give --all.")]
    [InlineData("Name one node, or give --all.", "n1", "--all")]
    [InlineData("--all waits for each node", "--all", "--no-wait")]
    [InlineData("soon", "n1", "--timeout", "soon")]
    public Task Wrong_use_asks_nothing_of_the_portal(string said, params string[] args) => CommandLines.IsRefusedAsync(said, ["node", "restart-agent", .. args]);

    [Fact]
    public async Task Versions_are_shown_where_they_differ()
    {
        const string Same = ""","version":"1.1","portalVersion":"1.1","keeperVersion":"1.1","keeperOlder":false""";
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /nodes", 200, $"[{Node("n1", more: Same)}]", $"[{Node("n1", more: Same)},{Node("n2", more: """,""" + "\"version\":\"1.0\",\"portalVersion\":\"1.1\",\"keeperVersion\":\"0.9\",\"keeperOlder\":true,\"agentRestart\":{\"since\":\"2026-01-01T00:00:00Z\",\"by\":\"anna\",\"timeoutSeconds\":20,\"job\":7}")}]");
        portal.On("GET /nodes/n2", 200, Node("n2", more: ",\"version\":\"1.0\",\"portalVersion\":\"1.1\",\"keeperVersion\":\"0.9\",\"keeperOlder\":true,\"agentRestart\":{\"since\":\"2026-01-01T00:00:00Z\",\"by\":\"anna\",\"timeoutSeconds\":20,\"job\":7}"));
        using var wm = new WmRun(portal);
        Assert.DoesNotContain("KEEPER", (await wm.RunAsync("node", "list")).Out);
        var (_, list, _) = await wm.RunAsync("node", "list");
        Assert.Matches("AGENT +KEEPER\n", list);
        Assert.Matches(@"n2 +online, agent restarts .* 1\.0 +0\.9\n", list);
        var (_, shown, _) = await wm.RunAsync("node", "show", "n2");
        Assert.Contains("version 1.0; the portal is 1.1", shown);
        Assert.Contains("runs version 0.9 until its guests have left (maintenance)", shown);
        Assert.Contains("is being restarted for anna (job 7); the node may be silent for 20 s", shown);
    }
}
