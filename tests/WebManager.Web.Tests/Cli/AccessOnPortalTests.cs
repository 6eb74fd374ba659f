using WebManager.Cli;
using WebManager.Web.Tests.Support;
using Xunit;

namespace WebManager.Web.Tests.Cli;

/// <summary>wm against a whole portal: groups, rights and limits are really kept, and refusals read as the door says them.</summary>
public sealed class AccessOnPortalTests
{
    [Fact]
    public async Task Groups_rights_and_limits_are_kept_by_the_portal()
    {
        using var portal = new TestPortal(("Portal:AdminPassword", "long enough 1"));
        using var wm = new WmRun();
        (wm.Environment["WEBMANAGER_URL"], wm.Environment["WEBMANAGER_TOKEN"]) = (portal.Address.ToString(), portal.LocalToken);
        async Task<string> DoneAsync(params string[] args)
        {
            var (code, output, error) = await wm.RunAsync(args);
            Assert.Equal((0, ""), (code, error));
            return output;
        }

        Assert.Contains("Project research is there", await DoneAsync("user-group", "add", "research", "--project"));
        await DoneAsync("user-group", "add-member", "research", "admin", "--instances", "2", "--memory", "1G", "--disk", "0");
        Assert.Contains("admin: instances 2, memory 1G, disk 0\n", await DoneAsync("user-group", "show", "research"));
        await DoneAsync("grant", "set", "research", "cluster", "create_vm,tags");
        Assert.Matches(@"usergroup:research +cluster +create_vm,tags\n", await DoneAsync("grant", "list", "--subject", "research"));
        Assert.Matches(@"cluster +create_vm,tags +usergroup:research\n", await DoneAsync("rights", "admin"));
        await DoneAsync("quota", "set", "research", "--instances", "4", "--running-memory", "512M");
        Assert.Contains("instances:         0/4\n", await DoneAsync("quota", "show", "research"));
        await DoneAsync("quota", "set", "default", "--vcpus", "0");
        Assert.Matches(@"default +own +0 +0/0 ", await DoneAsync("quota", "list"));
        Assert.Contains("no difference", await DoneAsync("quota", "recount"));
        await DoneAsync("quota", "unset", "research");
        await DoneAsync("user-group", "rename", "research", "science");
        await DoneAsync("user-group", "remove-member", "science", "admin");
        await DoneAsync("grant", "remove", "science", "cluster");
        await DoneAsync("user-group", "remove", "science", "--yes");
        Assert.Equal("NAME  KIND  MEMBERS\n", await DoneAsync("user-group", "list"));
        var (refused, _, said) = await wm.RunAsync("grant", "set", "ghost", "cluster", "create_vm");
        Assert.Equal(ExitCode.Refused, refused);
        Assert.Contains("There is no user or group", said);
    }
}
