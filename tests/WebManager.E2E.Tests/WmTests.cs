// Every verb of wm once, with --json, against the real portal; exit code 0 only on success.
using System.Text.Json;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class WmTests(LabFixture lab) : LabTest(lab)
{
    [Fact]
    public async Task Every_verb_of_instances_does_what_it_says()
    {
        using var key = await SshKey.MakeAsync();
        var keyFile = Path.Combine(Portal.Data, "key.pub");
        await File.WriteAllTextAsync(keyFile, key.Public + "\n");
        var made = await JsonAsync("instance", "add", "cli1", "--image", "tiny-linux", "--vcpus", "1", "--memory", "96M", "--disk", "64M", "--template", "mirror",
            "--primary", "n1", "--secondary", "n2", "--ssh-key", keyFile, "--osparam", "beat=on");
        Assert.Equal("success", made.GetProperty("status").GetString());
        Assert.Equal("cli1", Assert.Single((await JsonAsync("instance", "list")).EnumerateArray()).GetProperty("name").GetString());
        var shown = await JsonAsync("instance", "show", "cli1");
        Assert.Equal(("n1", "n2"), (shown.GetProperty("primary").GetString(), shown.GetProperty("secondary").GetString()));

        await Lab.BeatsAsync(await Lab.InSyncAsync("cli1"));
        var lines = (await JsonAsync("instance", "serial", "cli1", "--last", "5")).GetProperty("lines").EnumerateArray().Select(l => l.GetString()!).ToList();
        Assert.InRange(lines.Count, 1, 5);
        // The shell's prompt may stand before it in the same line.
        Assert.Contains(lines, l => l.Contains("beat ", StringComparison.Ordinal));

        Assert.Equal("success", (await JsonAsync("instance", "failover", "cli1", "--timeout", "10")).GetProperty("status").GetString());
        Assert.Equal("n2", (await Lab.InSyncAsync("cli1")).Primary);
        Assert.Equal("success", (await JsonAsync("instance", "migrate", "cli1", "--allow-failover")).GetProperty("status").GetString());
        Assert.Equal("n1", (await Lab.InSyncAsync("cli1")).Primary);
        await JsonAsync("instance", "stop", "cli1");
        Assert.Equal("adminDown", (await JsonAsync("instance", "show", "cli1")).GetProperty("status").GetString());
        await JsonAsync("instance", "start", "cli1");
        await Lab.InSyncAsync("cli1");
        await JsonAsync("instance", "reboot", "cli1");
        await Lab.InSyncAsync("cli1");
        await JsonAsync("instance", "remove", "cli1", "--yes");
        Assert.Empty((await JsonAsync("instance", "list")).EnumerateArray());
        await World.MatchesAsync(Portal);
    }

    [Fact]
    public async Task Every_verb_of_nodes_jobs_events_images_and_the_lab_answers()
    {
        Assert.Equal(["n1", "n2", "n3"], (await JsonAsync("node", "list")).EnumerateArray().Select(n => n.GetProperty("name").GetString()));
        Assert.Equal("online", (await JsonAsync("node", "show", "n1")).GetProperty("health").GetString());
        var token = await JsonAsync("node", "add", "n4");
        Assert.Contains(token.GetProperty("token").GetString()!, token.GetProperty("command").GetString(), StringComparison.Ordinal);
        Assert.Contains((await JsonAsync("image", "list")).EnumerateArray(), i => i.GetProperty("name").GetString() == "tiny-linux");
        Assert.NotEmpty((await JsonAsync("event", "list")).EnumerateArray());
        Assert.Equal(3, (await JsonAsync("cluster", "show")).GetProperty("nodesAll").GetInt32());

        await JsonAsync("instance", "add", "cli2", "--image", "tiny-linux", "--memory", "96M", "--template", "diskless");
        var job = (await JsonAsync("job", "list")).EnumerateArray().First().GetProperty("id").GetInt64();
        Assert.Equal("success", (await JsonAsync("job", "show", $"{job}")).GetProperty("status").GetString());
        Assert.NotEmpty((await JsonAsync("job", "log", $"{job}")).EnumerateArray());
        Assert.Equal("success", (await JsonAsync("job", "wait", $"{job}")).GetProperty("status").GetString());

        Assert.True((await JsonAsync("lab", "status")).GetProperty("enabled").GetBoolean());
        foreach (var (verb, state) in new[] { ("freeze", "frozen"), ("thaw", "running"), ("kill", "down"), ("start", "running") })
            Assert.Equal(state, State(await JsonAsync("lab", verb, "n3"), "n3"));
    }

    [Fact]
    public async Task Lab_cut_and_heal_answer_are_recorded_and_name_what_is_wrong()
    {
        NeedsWires();
        await JsonAsync("lab", "cut", "n3", "n2");
        var cut = (await JsonAsync("lab", "cut", "n3")).GetProperty("nodes").EnumerateArray().ToDictionary(n => n.GetProperty("name").GetString()!);
        Assert.True(cut["n3"].GetProperty("cutOff").GetBoolean());
        Assert.Equal("n3", Assert.Single(cut["n2"].GetProperty("cutFrom").EnumerateArray()).GetString());
        Assert.Equal("lab.cut.off", (await Api.SendAsync(HttpMethod.Post, "lab/nodes/n3/heal?from=n2")).Problem.Code);
        var healed = (await JsonAsync("lab", "heal", "n3")).GetProperty("nodes").EnumerateArray();
        Assert.All(healed, n => Assert.True(!n.GetProperty("cutOff").GetBoolean() && n.GetProperty("cutFrom").GetArrayLength() == 0));
        Assert.Contains(await Api.EventsAsync(), e => e.Kind == "lab.cut" && e.Subject == "node:n3" && e.Text.Contains("n3 from n2", StringComparison.Ordinal));

        foreach (var (path, status, field) in new[] { ("lab/nodes/n9/cut", 404, "name"), ("lab/nodes/n3/cut?from=n9", 422, "from"), ("lab/nodes/n3/cut?from=n3", 422, "from"), ("lab/nodes/n3/heal?from=n3", 422, "from") })
        {
            var refused = await Api.SendAsync(HttpMethod.Post, path);
            Assert.Equal((status, field), (refused.Status, refused.Problem.Field));
        }
        Assert.Equal(1, (await Lab.Wm.RunAsync("lab", "cut", "n3", "n3")).ExitCode);
        Assert.Equal(2, (await Lab.Wm.RunAsync("lab", "cut")).ExitCode);
        await Portal.AllOnlineAsync();
    }

    [Fact]
    public async Task Lab_reset_begins_anew()
    {
        await Lab.CreateAsync(LabFixture.Diskless("gone"));
        var lab = await JsonAsync("lab", "reset", "--yes");
        Assert.All(lab.GetProperty("nodes").EnumerateArray(), n => Assert.Equal("running", n.GetProperty("state").GetString()));
        await Portal.AllOnlineAsync();
        Assert.Empty(await Api.InstancesAsync());
        await World.MatchesAsync(Portal);
    }

    [Fact]
    public async Task Sign_in_keeps_a_token_until_sign_out()
    {
        var signedIn = await Lab.Wm.RunWithInputAsync(PortalProcess.AdminPassword + "\n", "login", "--user", "admin", "--json");
        Assert.True(signedIn.ExitCode == 0, signedIn.Error);
        Assert.Equal("admin", JsonDocument.Parse(signedIn.Output).RootElement.GetProperty("user").GetString());
        Assert.Equal(0, (await Lab.Wm.RunAsync("node", "list")).ExitCode);
        Assert.Equal(0, (await Lab.Wm.RunAsync("logout", "--json")).ExitCode);
        Assert.NotEqual(0, (await Lab.Wm.RunWithInputAsync("wrong\n", "login", "--user", "admin")).ExitCode);
    }

    [Fact]
    public async Task Exit_code_is_zero_only_on_success()
    {
        Assert.Equal(1, (await Lab.Wm.RunAsync("instance", "show", "nobody", "--json")).ExitCode);
        Assert.Equal(1, (await Lab.Wm.RunAsync("node", "remove", "nobody", "--yes", "--json")).ExitCode);
        Assert.Equal(1, (await Lab.Wm.RunAsync("job", "wait", "999999")).ExitCode);
        Assert.Equal(2, (await Lab.Wm.RunAsync("instance", "frobnicate")).ExitCode);
        Assert.Equal(3, (await Lab.Wm.RunAsync("node", "list", "--url", "http://127.0.0.1:1/")).ExitCode);
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments) => await Lab.Wm.JsonAsync(arguments);

    private static string? State(JsonElement lab, string node) => lab.GetProperty("nodes").EnumerateArray().Single(n => n.GetProperty("name").GetString() == node).GetProperty("state").GetString();
}
