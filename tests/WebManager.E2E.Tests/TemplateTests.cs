// An instance template as people use it: a whole portal with three agents (fake hypervisor), and Chromium.
using Microsoft.Playwright;
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class TemplateTests
{
    private const string Password = "correct horse battery";

    /// <summary>Milliseconds, for a machine that has much to do.</summary>
    private const float Patience = 60_000;

    [Fact]
    public async Task Group_member_without_other_rights_makes_an_instance_from_a_template_and_is_refused_without_it()
    {
        await using var portal = await PortalProcess.StartAsync(settings: new Dictionary<string, string> { ["Lab__Hypervisor"] = "fake" });
        await using var browser = await Browser.StartAsync();
        async Task DoneAsync(HttpMethod method, string path, object body) => await portal.Api.SucceedsAsync(JobAsync(portal.Api.SendAsync(method, path, body)));
        await DoneAsync(HttpMethod.Post, "templates", new AddTemplateRequest("course", "tiny-linux", 1, 96, "mirror", [64]) { Description = "for the course", SizesFree = true });
        await DoneAsync(HttpMethod.Post, "user-groups", new AddUserGroupRequest("students"));
        var (ada, eve) = (await SignedInAsync(portal, browser, "ada"), await SignedInAsync(portal, browser, "eve"));
        await DoneAsync(HttpMethod.Put, "user-groups/students/members/ada", new SetMemberRequest());
        await DoneAsync(HttpMethod.Put, "quotas/usergroup:students", new SetQuotaRequest(new QuotaLimitsView(new LimitsView(Instances: 1), new LimitsView())));

        // Neither may anything yet, and their open pages say so.
        foreach (var page in new[] { ada, eve }) { await Assertions.Expect(page.GetByTestId("may-not-create")).ToBeVisibleAsync(new() { Timeout = Patience }); }
        await DoneAsync(HttpMethod.Put, "grants", new SetGrantRequest("usergroup:students", "template:course", ["use"]));
        await ada.GetByTestId("create-instance").ClickAsync();   // it came without a reload
        await Assertions.Expect(ada.GetByTestId("owner-only")).ToContainTextAsync("owned by group students", new() { Timeout = Patience });
        await ada.GetByTestId("name").FillAsync("exercise1");
        await ada.GetByTestId("memory").FillAsync("128M");
        await ada.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(ada.GetByTestId("instance-status")).ToContainTextAsync("Running", new() { Timeout = Patience });
        var made = await portal.Api.InstanceAsync("exercise1");
        Assert.Equal(("students", 128, "mirror", "tiny-linux"), (made.Owner, made.MemoryMiB, made.Template, made.Image));

        // The group's quota holds, and the values stay.
        await ada.GotoAsync("/instances/new?template=course");
        await ada.GetByTestId("name").FillAsync("exercise2");
        await ada.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(ada.GetByTestId("error-instance")).ToContainTextAsync("allocated instances is 1", new() { Timeout = Patience });
        await Assertions.Expect(ada.GetByTestId("name")).ToHaveValueAsync("exercise2");

        // Without the template she may nothing, over no face, and who is not in the group does not even see it.
        await RefusedAsync(portal, "ada", new CreateInstanceRequest("exercise3", "tiny-linux", 1, 96, "diskless", []) { Owner = "usergroup:students" }, "right.missing");
        await RefusedAsync(portal, "eve", new CreateInstanceRequest("exercise3") { FromTemplate = "course", Owner = "usergroup:students" }, "template.unknown");
        await Assertions.Expect(eve.GetByTestId("create-instance")).ToHaveCountAsync(0);
        await DoneAsync(HttpMethod.Put, "grants", new SetGrantRequest("usergroup:students", "template:course", []));
        await Assertions.Expect(ada.GetByTestId("may-not-create")).ToBeVisibleAsync(new() { Timeout = Patience });
        await RefusedAsync(portal, "ada", new CreateInstanceRequest("exercise3") { FromTemplate = "course", Owner = "usergroup:students" }, "template.unknown");
        Assert.Equal("exercise1", Assert.Single(await portal.Api.InstancesAsync()).Name);
    }

    /// <summary>An account as a superuser makes it, its password set by its link in the browser, at the list of instances.</summary>
    private static async Task<IPage> SignedInAsync(PortalProcess portal, Browser browser, string name)
    {
        var link = (await portal.Api.SendAsync(HttpMethod.Post, "users", new AddUserRequest(name))).As<UserLinkReply>().Link;
        var page = await browser.PageAsync(portal.Address);
        await page.GotoAsync(new Uri(link).PathAndQuery);
        await page.GetByTestId("password").FillAsync(Password);
        await page.GetByTestId("confirm-password").FillAsync(Password);
        await page.GetByTestId("set-password").ClickAsync();
        await page.GetByTestId("sign-in").WaitForAsync();
        await page.GotoAsync("/login?returnUrl=%2Finstances");
        await page.GetByTestId("username").FillAsync(name);
        await page.GetByTestId("password").FillAsync(Password);
        await page.GetByTestId("sign-in").ClickAsync();
        return page;
    }

    private static async Task RefusedAsync(PortalProcess portal, string name, CreateInstanceRequest request, string code)
    {
        using var anyone = new Api(portal.Address, null);
        using var own = new Api(portal.Address, (await anyone.SendAsync(HttpMethod.Post, "session", new LoginRequest(name, Password))).As<LoginReply>().Token);
        var reply = await own.SendAsync(HttpMethod.Post, "instances", request);
        Assert.False(reply.Ok);
        Assert.Equal(code, reply.Problem.Code);
    }

    private static async Task<long> JobAsync(Task<Reply> reply) => (await reply).As<JobAccepted>().Job;
}
