using WebManager.Cli;
using Xunit;

namespace WebManager.Web.Tests.Cli;

/// <summary>wm template and wm instance create: what is sent, and how answers read.</summary>
public sealed class TemplateCommandTests
{
    private const string Course = """{"id":"0b5f1f0e-0000-4000-8000-000000000003","name":"course","owner":"","description":"for all","image":"tiny","vcpus":1,"memoryMiB":512,"template":"mirror","disksMiB":[2048,500],"nics":1,"osParams":{"beat":"on"},"start":true,"sizesFree":true,"stands":true,"rights":["use"],"at":"2026-01-01T00:00:00Z"}""";

    [Theory]
    [InlineData("POST /templates", """{"name":"small","image":"tiny","vcpus":2,"memoryMiB":1024,"template":"mirror","disksMiB":[2048,500],"description":"for all","nics":2,"osParams":{"beat":"on"},"start":false,"sizesFree":true,"reason":"new"}""",
        "template", "add", "small", "--image", "tiny", "--memory", "1G", "--vcpus", "2", "--disk", "2G", "--disk", "500M", "--nics", "2", "--osparam", "beat=on", "--start", "no", "--sizes", "free", "--description", "for all", "--reason", "new")]
    [InlineData("POST /templates", """{"name":"small","image":"tiny","vcpus":1,"memoryMiB":64,"template":"diskless","disksMiB":[],"description":"","nics":1,"start":true,"sizesFree":false}""", "template", "add", "small", "--image", "tiny", "--memory", "64M")]
    [InlineData("PATCH /templates/small", """{"newName":"big","memoryMiB":2048,"sizesFree":false}""", "template", "modify", "small", "--name", "big", "--memory", "2G", "--sizes", "fixed")]
    [InlineData("POST /templates/small/copy", """{"newName":"other"}""", "template", "copy", "small", "other")]
    [InlineData("DELETE /templates/small", "", "template", "remove", "small", "--yes")]
    [InlineData("POST /templates/from-instance", """{"instance":"web1","name":"small","description":"","sizesFree":true}""", "template", "from-instance", "web1", "small", "--sizes", "free")]
    [InlineData("POST /instances", """{"name":"web9","fromTemplate":"course","owner":"usergroup:ops","force":false}""", "instance", "create", "web9", "--template", "course", "--owner", "usergroup:ops")]
    [InlineData("POST /instances", """{"name":"web9","vcpus":2,"memoryMiB":1024,"disksMiB":[4096,500],"fromTemplate":"course","force":true}""", "instance", "create", "web9", "--template", "course", "--vcpus", "2", "--memory", "1G", "--disk", "4G", "--disk", "500M", "--force")]
    [InlineData("PUT /grants", """{"subject":"usergroup:ops","target":"template:course","rights":["use"]}""", "grant", "set", "usergroup:ops", "template:course", "use")]
    public Task One_command_is_one_request(string request, string body, params string[] args) => CommandLines.IsOneRequestAsync(request, body, args);

    [Theory]
    [InlineData("--image", "template", "add", "small", "--memory", "64M")]
    [InlineData("--sizes", "template", "modify", "small", "--sizes", "any")]
    [InlineData("--template", "instance", "create", "web9")]
    [InlineData("--nics", "template", "modify", "small", "--nics", "9")]
    public Task Wrong_use_asks_nothing_of_the_portal(string said, params string[] args) => CommandLines.IsRefusedAsync(said, args);

    [Fact]
    public async Task Lists_and_details_read_with_every_value_and_instances_with_their_owner()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /templates", 200, $"[{Course}]").On("GET /templates/course", 200, Course).On("GET /instances", 200,
            """[{"id":"0b5f1f0e-0000-4000-8000-000000000009","name":"web1","owner":"ops","image":"tiny","vcpus":1,"memoryMiB":64,"disksMiB":[],"template":"diskless","primary":"n1","wanted":"up","status":"running","mirror":"none","createdAt":"2026-01-01T00:00:00Z","generation":0}]""");
        using var wm = new WmRun(portal);
        Assert.Matches(@"NAME +OWNER .*\ncourse +cluster +tiny +1 +512M +2G,500M +mirror +free +use\n", (await wm.RunAsync("template", "list")).Out);
        var (_, shown, _) = await wm.RunAsync("template", "show", "course");
        foreach (var line in new[] { "description: for all", "osparams:    beat=on", "start:       yes", "disks:       2G,500M" }) { Assert.Contains(line, shown); }
        Assert.Matches(@"IMAGE +OWNER\nweb1 .* tiny +ops\n", (await wm.RunAsync("instance", "list")).Out);
        var (code, _, error) = await wm.RunAsync("template", "remove", "course");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("Nobody can make instances from it any more", error);
    }
}
