using Microsoft.Extensions.DependencyInjection;
using WebManager.Cli;
using WebManager.Engine.Ports;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Cli;

/// <summary>wm against a whole portal: templates are really kept, given and taken, and refusals read as the door says them.</summary>
public sealed class TemplatesOnPortalTests
{
    [Fact]
    public async Task Templates_are_kept_given_and_asked_by_the_portal()
    {
        using var portal = new TestPortal(services => services.AddSingleton<IImageCatalog>(new FakeEngine()));
        var ada = await portal.UserAsync("ada");
        using var wm = new WmRun();
        wm.Environment["WEBMANAGER_URL"] = portal.Address.ToString();
        async Task<string> DoneAsync(string token, params string[] args)
        {
            wm.Environment["WEBMANAGER_TOKEN"] = token;
            var (code, output, error) = await wm.RunAsync(args);
            Assert.Equal((0, ""), (code, error));
            return output;
        }

        async Task RefusedAsync(string token, string said, params string[] args)
        {
            wm.Environment["WEBMANAGER_TOKEN"] = token;
            var (code, _, error) = await wm.RunAsync(args);
            Assert.Equal(ExitCode.Refused, code);
            Assert.Contains(said, error);
        }

        var root = portal.LocalToken;
        Assert.Contains("Instance template course is there.", await DoneAsync(root, "template", "add", "course", "--image", "tiny", "--memory", "512M", "--disk", "1G", "--osparam", "beat=on"));
        await DoneAsync(root, "template", "modify", "course", "--vcpus", "2", "--description", "for all");
        var shown = await DoneAsync(root, "template", "show", "course");
        foreach (var line in new[] { "owner:       cluster", "vcpus:       2", "memory:      512M", "disks:       1G", "osparams:    beat=on", "sizes:       fixed", "description: for all" }) { Assert.Contains(line, shown); }
        await DoneAsync(root, "template", "copy", "course", "spare");
        await DoneAsync(root, "grant", "set", "user:ada", "template:course", "use");
        Assert.Matches(@"user:ada +template:course +use\n", await DoneAsync(root, "grant", "list", "--target", "template:course"));
        Assert.Matches(@"NAME .*\ncourse +cluster .* fixed +use\n$", await DoneAsync(ada, "template", "list"));
        Assert.Matches(@"template:course +use +user:ada\n", await DoneAsync(ada, "rights"));
        await RefusedAsync(ada, "No node has 512 MiB", "instance", "create", "a1", "--template", "course");   // she may; there is no node
        await RefusedAsync(ada, "The instance template course says: 2 virtual CPU(s). That cannot be chosen.", "instance", "create", "a1", "--template", "course", "--vcpus", "1");
        await RefusedAsync(ada, "There is no instance template spare.", "instance", "create", "a1", "--template", "spare");
        await RefusedAsync(ada, "may not do that", "template", "remove", "course", "--yes");
        await DoneAsync(root, "grant", "remove", "user:ada", "template:course");
        await RefusedAsync(ada, "There is no instance template course.", "instance", "create", "a1", "--template", "course");
        await DoneAsync(root, "template", "remove", "course", "--yes");
        Assert.Matches(@"^NAME .*\nspare .*\n$", await DoneAsync(root, "template", "list"));
    }
}
