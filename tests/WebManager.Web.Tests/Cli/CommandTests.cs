using System.Text.Json;
using WebManager.Cli;
using Xunit;

namespace WebManager.Web.Tests.Cli;

/// <summary>What `wm` sends, prints and returns, against a portal that answers by script.</summary>
public sealed class CommandTests
{
    private const string Node = """[{"name":"n1","address":"10.77.1.11:7070","health":"online","drained":false,"cpus":2,"memoryMiB":1024,"diskMiB":4096,"freeMemoryMiB":960,"freeDiskMiB":4096,"primaries":1,"secondaries":0}]""";

    private static string Job(string status, string? error = null) => JsonSerializer.Serialize(new
    {
        id = 7, operation = "instance.create", summary = "instance.create web1", status, by = "admin", reason = Array.Empty<string>(),
        receivedAt = "2026-01-01T00:00:00Z", error, remedy = error is null ? null : "Add a node.",
    });

    [Theory]
    [InlineData("--memory", "0")]
    [InlineData("--memory", "-1")]
    [InlineData("--memory", "1000000000000")]
    [InlineData("--memory", "abc")]
    [InlineData("--disk", "0")]
    [InlineData("--vcpus", "0")]
    [InlineData("--vcpus", "abc")]
    [InlineData("--template", "raid")]
    [InlineData("--osparam", "novalue")]
    [InlineData("--ssh-key", "/does/not/exist")]
    public async Task A_wrong_value_names_its_option_and_asks_nothing_of_the_portal(string option, string value)
    {
        await using var portal = await FakePortal.StartAsync();
        using var wm = new WmRun(portal);
        string[] memory = option == "--memory" ? [] : ["--memory", "64M"];
        var (code, _, error) = await wm.RunAsync(["instance", "add", "web1", "--image", "tiny", option, value, .. memory]);
        Assert.Equal(ExitCode.Usage, code);
        Assert.StartsWith($"wm: {option}: ", error);
        Assert.Empty(portal.Requests);
    }

    [Theory]
    [InlineData("bogus")]
    [InlineData("instance")]
    [InlineData("instance", "add", "web1")]
    [InlineData("instance", "stop", "web1", "--timeout", "3601")]
    [InlineData("job", "show", "x")]
    [InlineData("cluster", "modify", "--auto-recover", "maybe")]
    [InlineData("cluster", "modify", "--auto-replace", "soon")]
    [InlineData("instance", "replace-disks", "web1")]
    [InlineData("instance", "replace-disks", "web1", "--auto", "-n", "n3")]
    [InlineData("instance", "modify", "web1", "--priority", "urgent")]
    [InlineData("node", "modify", "n1", "--offline", "on")]
    public async Task A_wrong_command_line_is_exit_code_2(params string[] args)
    {
        using var wm = new WmRun();
        var (code, _, error) = await wm.RunAsync(args);
        Assert.Equal(ExitCode.Usage, code);
        Assert.StartsWith("wm: ", error);
    }

    [Fact]
    public async Task A_portal_that_is_not_there_is_exit_code_3()
    {
        using var wm = new WmRun();
        var (code, _, error) = await wm.RunAsync("node", "list", "--url", "http://127.0.0.1:1");
        Assert.Equal(ExitCode.Unreachable, code);
        Assert.Contains("Cannot reach the portal at http://127.0.0.1:1/", error);
    }

    [Fact]
    public async Task A_refusal_is_exit_code_1_with_field_and_remedy()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("POST /instances", 422, """{"title":"The name is taken.","status":422,"code":"instance.exists","field":"name","remedy":"Choose another."}""");
        using var wm = new WmRun(portal);
        var (code, output, error) = await wm.RunAsync("instance", "add", "web1", "--image", "tiny", "--memory", "64M");
        Assert.Equal((ExitCode.Refused, ""), (code, output));
        Assert.Equal("wm: The name is taken.\n  field: name\n  Choose another.\n", error);
    }

    [Fact]
    public async Task Json_is_the_answer_as_it_came()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /nodes", 200, Node);
        using var wm = new WmRun(portal);
        Assert.Equal((0, Node + "\n", ""), await wm.RunAsync("node", "list", "--json"));
    }

    [Fact]
    public async Task Lists_are_aligned_columns_in_a_pipe()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /nodes", 200, Node);
        using var wm = new WmRun(portal);
        var (_, output, _) = await wm.RunAsync("node", "list");
        Assert.Equal("NAME  HEALTH  ADDRESS          CPUS  MEMORY  FREE  DISK  FREE DISK  PRIMARIES  SECONDARIES\n" +
            "n1    online  10.77.1.11:7070  2     1G      960M  4G    4G         1          0\n", output);
    }

    [Fact]
    public async Task Adding_sends_everything_and_waits_for_the_job_with_its_log()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("POST /instances", 202, """{"job":7}""").On("GET /jobs/7/wait", 200, Job("running"), Job("success"))
            .On("GET /jobs/7/log", 200, """[{"serial":1,"at":"2026-01-01T00:00:00Z","text":"disks are made"}]""", """[{"serial":2,"at":"2026-01-01T00:00:01Z","text":"it runs"}]""");
        using var wm = new WmRun(portal);
        var key = Path.Combine(wm.Home, "id.pub");
        await File.WriteAllTextAsync(key, "# mine\nssh-ed25519 AAAA me\n");

        var (code, output, _) = await wm.RunAsync("instance", "add", "web1", "--image", "tiny", "--vcpus", "2", "--memory", "1G", "--disk", "64M", "--disk", "128",
            "--template", "mirror", "--primary", "n1", "--secondary", "n2", "--ssh-key", key, "--osparam", "a=b=c", "--no-start", "--reason", "trial");

        Assert.Equal(0, code);
        Assert.Equal("  disks are made\n  it runs\nJob 7, instance.create web1: done.\n", output);
        Assert.Equal("""{"name":"web1","image":"tiny","vcpus":2,"memoryMiB":1024,"template":"mirror","disksMiB":[64,128],"primary":"n1","secondary":"n2","sshKeys":["ssh-ed25519 AAAA me"],"osParams":{"a":"b=c"},"start":false,"force":false,"reason":"trial"}""",
            portal.Requests.First().Body);
        Assert.Contains(portal.Requests, r => r.Path == "/jobs/7/log?after=1");
    }

    [Fact]
    public async Task A_job_that_fails_is_exit_code_1()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("POST /instances/web1/start", 202, """{"job":7}""").On("GET /jobs/7/wait", 200, Job("error", "No room.")).On("GET /jobs/7/log", 200, "[]");
        using var wm = new WmRun(portal);
        var (code, _, error) = await wm.RunAsync("instance", "start", "web1");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Equal("wm: Job 7, instance.create web1: No room.\n  Add a node.\n", error);
    }

    [Fact]
    public async Task Without_waiting_the_job_number_is_all()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("POST /instances/web1/stop", 202, """{"job":7}""");
        using var wm = new WmRun(portal);
        Assert.Equal((0, "Job 7 is accepted.\n", ""), await wm.RunAsync("instance", "stop", "web1", "--timeout", "5", "--no-wait"));
        Assert.Equal("""{"timeoutSeconds":5}""", Assert.Single(portal.Requests).Body);
    }

    [Theory]
    [InlineData("/lab/nodes/n1/cut", "lab", "cut", "n1")]
    [InlineData("/lab/nodes/n1/cut?from=n2", "lab", "cut", "n1", "n2")]
    [InlineData("/lab/heal", "lab", "heal")]
    [InlineData("/lab/nodes/n1/heal", "lab", "heal", "n1")]
    [InlineData("/lab/nodes/n1/heal?from=n2", "lab", "heal", "n1", "n2")]
    public async Task Cutting_and_healing_name_the_other_end_and_show_what_is_cut(string path, params string[] args)
    {
        await using var portal = await FakePortal.StartAsync();
        const string lab = """{"enabled":true,"nodes":[{"name":"n1","address":"a","state":"running","processes":2,"cpus":2,"memoryMiB":1024,"diskMiB":4096,"cutOff":true,"cutFrom":["n2"]},{"name":"n2","address":"b","state":"running","processes":2,"cpus":2,"memoryMiB":1024,"diskMiB":4096,"cutOff":false,"cutFrom":["n1","n3"]}]}""";
        portal.On($"POST {path.Split('?')[0]}", 200, lab);
        using var wm = new WmRun(portal);
        var (code, output, error) = await wm.RunAsync(args);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(path, Assert.Single(portal.Requests).Path);
        Assert.Matches("n1 +running +everything", output);
        Assert.Matches("n2 +running +n1, n3", output);
        Assert.Equal((0, lab + "\n", ""), await wm.RunAsync([.. args, "--json"]));
    }

    [Theory]
    [InlineData("instance", "remove", "web1")]
    [InlineData("node", "remove", "n1")]
    [InlineData("lab", "reset")]
    public async Task Destroying_without_a_yes_is_refused_where_nobody_can_be_asked(params string[] args)
    {
        await using var portal = await FakePortal.StartAsync();
        using var wm = new WmRun(portal);
        var (code, _, error) = await wm.RunAsync(args);
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("--yes", error);
        Assert.Empty(portal.Requests);
    }

    [Theory]
    [InlineData("PATCH /cluster", """{"autoRecover":false}""", "cluster", "modify", "--auto-recover", "off")]
    [InlineData("PATCH /cluster", """{"replaceAfterSeconds":1800}""", "cluster", "modify", "--auto-replace", "30")]
    [InlineData("PATCH /cluster", """{"replaceAfterSeconds":0}""", "cluster", "modify", "--auto-replace", "off")]
    [InlineData("POST /instances/web1/replace-secondary", """{"secondary":"n3"}""", "instance", "replace-disks", "web1", "-n", "n3")]
    [InlineData("POST /instances/web1/replace-secondary", """{"reason":"n2 burnt"}""", "instance", "replace-disks", "web1", "--auto", "--reason", "n2 burnt")]
    [InlineData("POST /cluster/unfreeze", """{"reason":"switch repaired"}""", "cluster", "unfreeze", "--reason", "switch repaired")]
    [InlineData("PATCH /instances/web1", """{"autoRecover":true,"priority":"high"}""", "instance", "modify", "web1", "--auto-recover", "on", "--priority", "high")]
    [InlineData("PATCH /nodes/n1", """{"offline":true}""", "node", "modify", "n1", "--offline", "yes")]
    [InlineData("PATCH /nodes/n1", """{"drained":false}""", "node", "modify", "n1", "--drained", "no")]
    [InlineData("POST /instances/web1/migrate", """{"allowFailover":false}""", "instance", "migrate", "web1")]
    [InlineData("POST /instances/web1/migrate", """{"allowFailover":true,"reason":"new disks"}""", "instance", "migrate", "web1", "--allow-failover", "--reason", "new disks")]
    [InlineData("POST /nodes/n1/maintenance", """{"on":true,"return":true,"rebuild":false,"reason":"new fans"}""", "node", "maintenance", "n1", "on", "--return", "--reason", "new fans")]
    [InlineData("POST /nodes/n1/maintenance", """{"on":false,"return":false,"rebuild":false}""", "node", "maintenance", "n1", "off")]
    [InlineData("POST /groups", """{"name":"west","reason":"new room"}""", "group", "add", "west", "--reason", "new room")]
    [InlineData("PATCH /groups/west", """{"autoRecover":false}""", "group", "modify", "west", "--auto-recover", "off")]
    [InlineData("POST /groups/west/rename", """{"newName":"annex"}""", "group", "rename", "west", "annex")]
    [InlineData("POST /groups/west/assign-nodes", """{"nodes":["n1","n2"],"force":true}""", "group", "assign-nodes", "west", "n1", "n2", "--force")]
    [InlineData("POST /nodes/n1/add-tags", """{"tags":["rack:a","ssd"]}""", "node", "add-tags", "n1", "rack:a", "ssd")]
    [InlineData("POST /nodes/n1/remove-tags", """{"tags":["rack:a"]}""", "node", "remove-tags", "n1", "rack:a")]
    [InlineData("POST /cluster/add-tags", """{"tags":["htools:nlocation:rack"]}""", "cluster", "add-tags", "htools:nlocation:rack")]
    [InlineData("POST /cluster/remove-tags", """{"tags":["htools:nlocation:rack"]}""", "cluster", "remove-tags", "htools:nlocation:rack")]
    [InlineData("POST /nodes/n1/power-off", """{"confirm":"n1"}""", "node", "power-off", "n1", "--confirm", "n1")]
    public async Task Recovery_is_changed_by_one_request(string request, string body, params string[] args)
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On(request, 202, """{"job":7}""");
        using var wm = new WmRun(portal);
        Assert.Equal((0, "Job 7 is accepted.\n", ""), await wm.RunAsync([.. args, "--no-wait"]));
        Assert.Equal(body, Assert.Single(portal.Requests).Body);
    }

    [Fact]
    public async Task Maintenance_shows_beforehand_what_moves_where_and_what_stays_and_why()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /nodes/n1/maintenance", 200, """{"node":"n1","refused":"The other nodes cannot take what runs on n1.","remedy":"Make room there.","leave":[{"instance":"web1","from":"n1","to":"n2","how":"migrate"},{"instance":"ci","from":"n1","how":"stays","why":"ci has no copy on another node.","remedy":"It ends with n1: stop it before that."}],"return":[],"copies":["web1"]}""");
        using var wm = new WmRun(portal);
        var (code, output, error) = await wm.RunAsync("node", "maintenance", "n1", "plan");
        Assert.Equal((0, ""), (code, error));
        Assert.Matches("web1 +n1 +n2 +migrate", output);
        Assert.Matches("ci +n1 +- +stays +ci has no copy on another node. It ends with n1: stop it before that.", output);
        Assert.Contains("With one copy only while n1 is away: web1", output);
        Assert.Contains("The other nodes cannot take what runs on n1. Make room there.", output);
        var (bad, _, why) = await wm.RunAsync("node", "maintenance", "n1", "maybe");
        Assert.NotEqual(0, bad);
        Assert.Contains("\"maybe\" is none of on, off, plan", why);
    }

    [Fact]
    public async Task Groups_and_tags_are_listed()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /groups", 200, """[{"id":"6f1c1b1e-0000-4000-8000-000000000001","name":"default","autoRecover":true,"nodes":["n1","n2"]},{"id":"6f1c1b1e-0000-4000-8000-000000000002","name":"west","autoRecover":false,"nodes":[]}]""");
        portal.On("GET /nodes/n1/tags", 200, """["rack:a","ssd"]""");
        portal.On("GET /cluster/tags", 200, """["htools:nlocation:rack"]""");
        using var wm = new WmRun(portal);
        var (code, output, _) = await wm.RunAsync("group", "list");
        Assert.Equal(0, code);
        Assert.Matches("default +on +n1,n2", output);
        Assert.Matches("west +off +-", output);
        Assert.Equal((0, "rack:a\nssd\n", ""), await wm.RunAsync("node", "list-tags", "n1"));
        Assert.Equal((0, "htools:nlocation:rack\n", ""), await wm.RunAsync("cluster", "list-tags"));
    }

    [Fact]
    public async Task Powering_off_asks_for_the_name_and_does_nothing_where_nobody_can_be_asked()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("POST /nodes/n1/power-off", 202, """{"job":7}""");
        using var mute = new WmRun(portal);
        var (code, _, error) = await mute.RunAsync("node", "power-off", "n1");
        Assert.Equal((ExitCode.Refused, 0), (code, portal.Requests.Count));
        Assert.Contains("--confirm", error);
        using var wm = new WmRun(portal) { CanAsk = true, TypedIn = "n2\n" };
        await wm.RunAsync("node", "power-off", "n1", "--no-wait");
        Assert.Equal("""{"confirm":"n2"}""", Assert.Single(portal.Requests).Body);   // the portal is the one that compares
    }

    [Fact]
    public async Task Showing_an_instance_shows_its_last_recovery()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /instances/web1", 200, """{"id":"6f1c1b1e-0000-4000-8000-000000000001","name":"web1","owner":"a","image":"t","vcpus":1,"memoryMiB":96,"disksMiB":[64],"template":"mirror","primary":"n2","wanted":"up","status":"running","mirror":"inSync","createdAt":"2026-01-01T00:00:00Z","generation":2,"lastRecovery":{"job":9,"from":"n1","to":"n2","generation":2,"lastSignAt":"2026-01-01T00:00:00Z","detectedSeconds":2.04,"promotedSeconds":3.01,"fencedSeconds":3.6,"fencedBy":"No guest can run on n1 any more.","startedSeconds":3.7,"firstSignSeconds":5.02,"requiredSeconds":3.5,"waitedSeconds":3.58,"slackSeconds":0.08}}""");
        using var wm = new WmRun(portal);
        var (_, output, _) = await wm.RunAsync("instance", "show", "web1");
        Assert.Contains("  detected:   2.04 s\n", output);
        Assert.Contains("  fenced:     3.60 s  No guest can run on n1 any more.\n", output);
        Assert.Contains("  first sign: 5.02 s\n", output);
        Assert.Contains("  slack:      0.08 s more than the 3.50 s required\n", output);
    }

    [Theory]
    [InlineData("y", true)]
    [InlineData("n", false)]
    [InlineData("", false)]
    public async Task Destroying_asks_at_a_keyboard(string typed, bool done)
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("DELETE /instances/web1", 202, """{"job":7}""");
        using var wm = new WmRun(portal) { CanAsk = true, TypedIn = typed + "\n" };
        var (code, _, _) = await wm.RunAsync("instance", "remove", "web1", "--no-wait", "--reason", "a b");
        Assert.Equal(done ? 0 : ExitCode.Refused, code);
        Assert.Equal(done ? ["/instances/web1?reason=a%20b"] : [], portal.Requests.Select(r => r.Path));
    }

    [Fact]
    public async Task A_guests_escape_sequences_do_not_reach_the_terminal()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /instances/web1/serial", 200, """{"lines":["a\u001b[2Jb\tc"]}""");
        using var wm = new WmRun(portal);
        var (_, output, _) = await wm.RunAsync("instance", "serial", "web1", "--last", "5");
        Assert.Equal("a·[2Jb\tc\n", output);
        Assert.Equal("/instances/web1/serial?last=5", Assert.Single(portal.Requests).Path);
    }

    [Fact]
    public async Task Something_else_than_a_portal_is_said_to_be_so()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /nodes", 200, "<html>");
        using var wm = new WmRun(portal);
        var (code, _, error) = await wm.RunAsync("node", "list");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("does not speak the portal's API", error);
    }
}
