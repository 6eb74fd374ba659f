using WebManager.Cli;
using Xunit;

namespace WebManager.Web.Tests.Cli;

/// <summary>wm user-group, grant, rights, quota and owners: what is sent, and how answers read.</summary>
public sealed class AccessCommandTests
{
    private const string Quota = """{"owner":"usergroup:0b5f1f0e-0000-4000-8000-000000000002","name":"research","allocated":{"instances":3,"vcpus":3,"memoryMiB":1536,"diskMiB":30720},"running":{"instances":2,"vcpus":2,"memoryMiB":1024,"diskMiB":0},"pendingAllocated":{"instances":1,"vcpus":1,"memoryMiB":512,"diskMiB":0},"pendingRunning":{"instances":0,"vcpus":0,"memoryMiB":0,"diskMiB":0},"limits":{"allocated":{"instances":4,"memoryMiB":4096},"running":{"instances":0}},"own":true}""";

    [Theory]
    [InlineData("POST /user-groups", """{"name":"lab","project":true,"reason":"new"}""", "user-group", "add", "lab", "--project", "--reason", "new")]
    [InlineData("POST /user-groups/lab/rename", """{"newName":"lab2"}""", "user-group", "rename", "lab", "lab2")]
    [InlineData("DELETE /user-groups/lab?reason=over%20now", "", "user-group", "remove", "lab", "--yes", "--reason", "over now")]
    [InlineData("PUT /user-groups/lab/members/ada", "{}", "user-group", "add-member", "lab", "ada")]
    [InlineData("PUT /user-groups/lab/members/ada", """{"limits":{"allocated":{"instances":2,"memoryMiB":2048,"diskMiB":0},"running":{"vcpus":1}}}""", "user-group", "add-member", "lab", "ada", "--instances", "2", "--memory", "2G", "--disk", "0", "--running-vcpus", "1")]
    [InlineData("DELETE /user-groups/lab/members/ada", "", "user-group", "remove-member", "lab", "ada")]
    [InlineData("PUT /grants", """{"subject":"ada","target":"cluster","rights":["create_vm","migrate"]}""", "grant", "set", "ada", "cluster", "create_vm, migrate")]
    [InlineData("PUT /grants", """{"subject":"usergroup:lab","target":"instance:web1","rights":[]}""", "grant", "remove", "usergroup:lab", "instance:web1")]
    [InlineData("PUT /quotas/default", """{"limits":{"allocated":{"instances":5},"running":{}}}""", "quota", "set", "default", "--instances", "5")]
    [InlineData("PUT /quotas/ada", """{"limits":{"allocated":{},"running":{}}}""", "quota", "set", "ada")]
    [InlineData("DELETE /quotas/usergroup%3Alab", "", "quota", "unset", "usergroup:lab")]
    [InlineData("POST /quotas/recount", """{"repair":true}""", "quota", "recount", "--repair")]
    [InlineData("POST /instances/web1/change-owner", """{"owner":"usergroup:lab","force":true}""", "instance", "change-owner", "web1", "usergroup:lab", "--force")]
    [InlineData("POST /instances/web1/add-tags", """{"tags":["shop","tier:1"]}""", "instance", "add-tags", "web1", "shop", "tier:1")]
    [InlineData("POST /instances/web1/remove-tags", """{"tags":["shop"]}""", "instance", "remove-tags", "web1", "shop")]
    [InlineData("POST /instances", """{"name":"web1","image":"tiny","vcpus":1,"memoryMiB":64,"template":"diskless","disksMiB":[],"start":true,"tags":["shop"],"force":false}""", "instance", "add", "web1", "--image", "tiny", "--memory", "64M", "--tag", "shop")]
    [InlineData("POST /instances", """{"name":"web1","image":"tiny","vcpus":1,"memoryMiB":64,"template":"diskless","disksMiB":[],"start":true,"owner":"lab","force":true}""", "instance", "add", "web1", "--image", "tiny", "--memory", "64M", "--owner", "lab", "--force")]
    public Task One_command_is_one_request(string request, string body, params string[] args) => CommandLines.IsOneRequestAsync(request, body, args);

    [Theory]
    [InlineData("--instances", "quota", "set", "ada", "--instances", "-1")]
    [InlineData("--memory", "quota", "set", "ada", "--memory", "lots")]
    [InlineData("at least one right", "grant", "set", "ada", "cluster", ",")]
    [InlineData("Give an instance and its new owner", "instance", "change-owner", "web1")]
    [InlineData("only the owner is given", "instance", "change-owner", "web1", "ada", "--orphans")]
    [InlineData("Required argument missing", "instance", "add-tags", "web1")]
    [InlineData("--last", "quota", "charges", "ada", "--last", "0")]
    public Task Wrong_use_asks_nothing_of_the_portal(string said, params string[] args) => CommandLines.IsRefusedAsync(said, args);

    [Fact]
    public async Task Removing_a_group_takes_a_yes()
    {
        await using var portal = await FakePortal.StartAsync();
        using var wm = new WmRun(portal);
        var (code, _, error) = await wm.RunAsync("user-group", "remove", "lab");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("Its instances become nobody's", error);
        Assert.Empty(portal.Requests);
    }

    [Fact]
    public async Task Lists_read_as_used_pending_and_limit()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /quotas", 200, $"[{Quota}]").On("GET /quotas/me", 200, Quota)
            .On("GET /quotas/research/charges", 200, """[{"at":"2026-01-01T00:00:00Z","instance":"wiki","why":"instance.stop","job":9,"allocated":{"instances":0,"vcpus":0,"memoryMiB":0,"diskMiB":0},"running":{"instances":-1,"vcpus":-1,"memoryMiB":-512,"diskMiB":0},"allocatedAfter":{"instances":3,"vcpus":3,"memoryMiB":1536,"diskMiB":30720},"runningAfter":{"instances":2,"vcpus":2,"memoryMiB":1024,"diskMiB":0}}]""")
            .On("GET /grants", 200, """[{"subject":"usergroup:x","subjectName":"ops","target":"instance:y","targetName":"web1","rights":["power","console"]},{"subject":"user:z","subjectName":"ada","target":"cluster","targetName":"the cluster","rights":["create_vm"]}]""")
            .On("GET /rights/me", 200, """[{"target":"instance:y","targetName":"web1","rights":["admin"],"through":"owner"}]""")
            .On("GET /user-groups", 200, """[{"id":"0b5f1f0e-0000-4000-8000-000000000002","name":"research","project":true,"members":[{"user":"u2","name":"anna","limits":{"allocated":{"instances":2},"running":{}}},{"user":"u4","name":"carla"}]}]""");
        using var wm = new WmRun(portal);
        Assert.Matches(@"usergroup:research +own +3\+1/4 +3\+1 +1536M\+512M/4G +30G +2/0\n", (await wm.RunAsync("quota", "list")).Out);
        Assert.Contains("running instances: 2/0\n", (await wm.RunAsync("quota", "show", "me")).Out);
        Assert.Matches(@"wiki +instance\.stop +9 +- +-1/-1/-512M +3/3/1536M/30G +2/2/1G\n", (await wm.RunAsync("quota", "charges", "research", "--last", "5")).Out);
        var (_, grants, _) = await wm.RunAsync("grant", "list", "--subject", "usergroup:ops", "--target", "cluster");
        Assert.Matches(@"usergroup:ops +instance:web1 +power,console\nuser:ada +cluster +create_vm\n", grants);
        Assert.Contains(portal.Requests, r => r.Path == "/grants?subject=usergroup%3Aops&target=cluster");
        Assert.Matches(@"instance:web1 +admin +owner\n", (await wm.RunAsync("rights")).Out);
        Assert.Matches(@"research +project +anna,carla\n", (await wm.RunAsync("user-group", "list")).Out);
    }
}
