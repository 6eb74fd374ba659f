using Microsoft.Playwright;
using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Tests.Pages;

/// <summary>Groups of people, rights, quotas and owners in a real browser.</summary>
public sealed class AccessFlowTests(Browser browser) : IClassFixture<Browser>
{
    private static Task<PortalHost> ForAsync(FakeEngine engine, Caller who)
    {
        engine.Rule = AccessScene.DoorOf(engine, who);
        return PortalHost.StartAsync(engine, who: who);
    }

    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    [Fact]
    public async Task Who_may_not_see_nodes_starts_at_the_instances_and_gets_the_map_with_the_right_to_it()
    {
        var engine = Scene.Filled();
        await using var portal = await ForAsync(engine, AccessScene.Anna);
        var page = await browser.OpenAsync("/", portal: portal);
        await Expect(page.Locator("h1")).ToHaveTextAsync("Instances");
        Assert.EndsWith("/instances", page.Url, StringComparison.Ordinal);
        var nav = page.GetByTestId("sidenav");
        await Expect(nav.GetByRole(AriaRole.Link)).ToHaveTextAsync(["Instances", "Jobs", "Events", "Templates", "Groups", "Quotas", "Requests"]);
        await Expect(page.GetByTestId("health-summary")).Not.ToContainTextAsync("nodes");
        await Expect(page.GetByTestId("instance-count")).ToHaveTextAsync("4 in all");   // research's three, and web1 through ops
        await Expect(page.GetByTestId("create-instance")).ToBeVisibleAsync();
        await FlowTests.ShotsAsync(page, "self-instances");
        var more = new Changes();
        more.Grants.Add(new Grant(Keys.User("u2"), Keys.Cluster, ["migrate"], DateTimeOffset.UnixEpoch, 1));
        AccessScene.Set(engine, more);
        await Expect(nav.GetByRole(AriaRole.Link)).ToHaveTextAsync(["Map", "Instances", "Nodes", "Jobs", "Events", "Templates", "Groups", "Quotas", "Requests"]);
        await Expect(page.GetByTestId("health-summary")).ToContainTextAsync("2/3");
    }

    [Fact]
    public async Task Who_may_not_create_is_told_whom_to_ask_until_the_right_comes()
    {
        var engine = Scene.Filled();
        await using var portal = await ForAsync(engine, new Caller("u5", "dora", false, "portal"));
        var page = await browser.OpenAsync("/instances", portal: portal);
        await Expect(page.GetByTestId("may-not-create")).ToContainTextAsync("Ask an administrator");
        await Expect(page.GetByTestId("create-instance")).ToHaveCountAsync(0);
        await FlowTests.ShotsAsync(page, "self-nothing");
        var direct = await browser.OpenAsync("/instances/new", portal: portal);
        await Expect(direct.GetByTestId("may-not-create")).ToBeVisibleAsync();
        await Expect(direct.GetByTestId("create-form")).ToHaveCountAsync(0);
        var given = new Changes();
        given.Grants.Add(new Grant(Keys.User("u5"), Keys.Cluster, ["create_vm"], DateTimeOffset.UnixEpoch, 1));
        AccessScene.Set(engine, given);
        await Expect(page.GetByTestId("create-instance")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("may-not-create")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Groups_get_members_limits_and_rights_on_their_page()
    {
        var engine = Scene.Filled();
        await using var portal = await PortalHost.StartAsync(engine);
        engine.Rule = r => r is SetMember { User: "nobody" } ? new Refusal("user.unknown", "There is no user nobody.") { Field = "user" } : null;
        var page = await browser.OpenAsync("/user-groups", portal: portal);
        await Expect(page.GetByTestId("user-group-row-research")).ToContainTextAsync("project");
        await FlowTests.ShotsAsync(page, "user-groups");
        await page.GetByTestId("user-group-add").ClickAsync();
        await page.GetByTestId("user-group-name").FillAsync("design");
        await page.GetByTestId("user-group-project").CheckAsync();
        await page.GetByTestId("user-group-do").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("design: accepted");
        Assert.Equal(new AddUserGroup("design") { Project = true }, engine.Asked[^1]);

        await page.GotoAsync("/user-groups/research");
        await Expect(page.GetByTestId("member-limits-anna")).ToContainTextAsync("1 of 2 instances");
        await Expect(page.GetByTestId("usage-instances")).ToContainTextAsync("3 of 4");
        await Expect(page.GetByTestId("usage-running-instances")).ToContainTextAsync("1 over the limit");
        await Expect(page.GetByTestId("grant-the cluster")).ToContainTextAsync("create_vm");
        await Expect(page.GetByTestId("grant-carla")).ToContainTextAsync("admin");
        await FlowTests.ShotsAsync(page, "user-group");
        await page.GetByTestId("user").FillAsync("nobody");
        await page.GetByTestId("member-add").ClickAsync();
        await Expect(page.GetByTestId("error-user")).ToContainTextAsync("There is no user nobody.");
        await page.GetByTestId("user").FillAsync("bob");
        await page.GetByTestId("member-add").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("bob in research");
        Assert.Equal(new SetMember("research", "u3"), engine.Asked[^1]);
        await page.GetByTestId("member-change-anna").ClickAsync();
        await Expect(page.GetByTestId("limit-memory")).ToHaveValueAsync("2G");
        await page.GetByTestId("limit-memory").FillAsync("lots");
        await page.GetByTestId("limits-do").ClickAsync();
        await Expect(page.GetByTestId("error-memory")).ToContainTextAsync("0 for none");
        await page.GetByTestId("limit-memory").FillAsync("");
        await page.GetByTestId("limit-disk").FillAsync("0");
        await FlowTests.ShotsAsync(page, "member-limits");
        await page.GetByTestId("limits-do").ClickAsync();
        await Expect(page.GetByTestId("limits-form")).ToHaveCountAsync(0);
        Assert.Equal(new QuotaLimits(new Limits(2, 4, null, 0), Limits.None), Assert.IsType<SetMember>(engine.Asked[^1]).Limits);
        await page.GetByTestId("user-group-remove").ClickAsync();
        await Expect(page.GetByTestId("confirm")).ToContainTextAsync("Its 3 instances run on and become nobody's");
        await Expect(page.GetByTestId("confirm-yes")).ToBeDisabledAsync();
        await page.GetByTestId("confirm-name").FillAsync("research");
        await page.GetByTestId("confirm-yes").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Remove: accepted");
        Assert.Equal(new RemoveUserGroup("research"), engine.Asked[^1]);
    }

    [Fact]
    public async Task Group_administrator_manages_members_and_nothing_else()
    {
        var engine = Scene.Filled();
        await using var portal = await ForAsync(engine, AccessScene.Carla);
        var page = await browser.OpenAsync("/user-groups/research", portal: portal);
        await Expect(page.GetByTestId("member-form")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("member-remove-anna")).ToBeEnabledAsync();
        foreach (var hidden in new[] { "user-group-rename", "user-group-remove", "group-rights-add", "group-admins-add", "grant-change-the cluster" }) { await Expect(page.GetByTestId(hidden)).ToHaveCountAsync(0); }
        await page.GotoAsync("/user-groups/ops");
        await Expect(page.Locator("main")).ToContainTextAsync("There is no group ops");
        await page.GotoAsync("/access");
        await Expect(page.Locator("main")).ToContainTextAsync("for administrators of the cluster");
    }

    [Fact]
    public async Task Rights_are_given_changed_and_taken_where_the_object_is()
    {
        var engine = Scene.Filled();
        await using var portal = await PortalHost.StartAsync(engine);
        engine.Rule = r => r is SetGrant { Rights: [] , Subject: "user:u5" } ? new Refusal("grant.none", "No right was given, and there is none to take.", "Choose at least one right.") { Field = "rights" } : null;
        var web1 = engine.Feeds.Instances.Current().Values.Single(i => i.Name == "web1");
        var page = await browser.OpenAsync("/instances/web1?tab=access", portal: portal);
        await Expect(page.GetByTestId("grant-ops")).ToContainTextAsync("power");
        await FlowTests.ShotsAsync(page, "instance-access");
        await page.GetByTestId("grants-add").ClickAsync();
        await page.GetByTestId("subject").FillAsync("dora");
        await page.GetByTestId("grant-do").ClickAsync();
        await Expect(page.GetByTestId("error-rights")).ToContainTextAsync("at least one right");
        await page.GetByTestId("right-modify").CheckAsync();
        await page.GetByTestId("right-console").CheckAsync();
        await FlowTests.ShotsAsync(page, "grant-dialog");
        await page.GetByTestId("grant-do").ClickAsync();
        await Expect(page.GetByTestId("grant-form")).ToHaveCountAsync(0);
        Granted(engine, "user:u5", Keys.Instance(web1.Id), "modify", "console");
        await page.GetByTestId("grant-change-ops").ClickAsync();
        await Expect(page.GetByTestId("right-power")).ToBeCheckedAsync();
        await page.GetByTestId("right-admin").CheckAsync();
        await Expect(page.GetByTestId("right-console")).ToBeDisabledAsync();
        await page.GetByTestId("grant-do").ClickAsync();
        await Expect(page.GetByTestId("grant-form")).ToHaveCountAsync(0);
        Granted(engine, Keys.Group(AccessScene.Ops), Keys.Instance(web1.Id), "admin");
        await page.GetByTestId("grant-remove-ops").ClickAsync();
        await page.GetByTestId("confirm-yes").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Take away: accepted");
        Granted(engine, Keys.Group(AccessScene.Ops), Keys.Instance(web1.Id));
        await page.GotoAsync("/access");
        await Expect(page.GetByTestId("grant-bob")).ToContainTextAsync("replace_disks");
        await FlowTests.ShotsAsync(page, "access");
        await page.GotoAsync("/users/anna/rights");
        await Expect(page.GetByTestId("effective-web1")).ToContainTextAsync("through group ops");
        await Expect(page.GetByTestId("effective-wiki")).ToContainTextAsync("owned by group research");
        await Expect(page.GetByTestId("effective-the cluster")).ToContainTextAsync("create_vm");
        await FlowTests.ShotsAsync(page, "rights");
        await page.GetByTestId("own-rights-add").ClickAsync();
        await page.GetByTestId("target").FillAsync("usergroup:ops");
        await page.GetByTestId("target").BlurAsync();
        await page.GetByTestId("right-admin").CheckAsync();
        await page.GetByTestId("grant-do").ClickAsync();
        await Expect(page.GetByTestId("grant-form")).ToHaveCountAsync(0);
        Granted(engine, "user:u2", Keys.Group(AccessScene.Ops), "admin");
    }

    private static void Granted(FakeEngine engine, string subject, string target, params string[] rights)
    {
        var asked = Assert.IsType<SetGrant>(engine.Asked[^1]);
        Assert.Equal((subject, target), (asked.Subject, asked.Target));
        Assert.Equal(rights, asked.Rights);
    }

    [Fact]
    public async Task What_others_may_do_is_not_shown_to_who_is_no_administrator()
    {
        var engine = Scene.Filled();
        await using var portal = await ForAsync(engine, AccessScene.Anna);
        var page = await browser.OpenAsync("/users/bob/rights", portal: portal);
        await Expect(page.Locator("main")).ToContainTextAsync("There is no user bob");
        await page.GotoAsync("/rights");
        await Expect(page.Locator("h1")).ToHaveTextAsync("What you may do");
        await Expect(page.GetByTestId("effective-web1")).ToContainTextAsync("through group ops");
        await Expect(page.GetByTestId("own-rights")).ToHaveCountAsync(0);
        await page.GotoAsync("/instances/web1?tab=access");
        await Expect(page.Locator("h1")).ToHaveTextAsync("web1");
        await Expect(page.GetByTestId("tab-access")).ToHaveCountAsync(0);
        await Expect(page.GetByTestId("grants")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Owner_is_changed_and_a_full_quota_takes_a_tick_more()
    {
        var engine = Scene.Filled();
        await using var portal = await PortalHost.StartAsync(engine);
        engine.Rule = r => r switch
        {
            ChangeOwner { Owner: "ghost" } => new Refusal("subject.unknown", "There is no user or group ghost.", "Choose one that exists.") { Field = "owner" },
            ChangeOwner { Force: false } c when c.Owner == Keys.Group(AccessScene.Research) => new Refusal("quota.exceeded", "The quota for allocated instances is 4; 4 are in use or reserved, 1 more are asked for.", "Ask for less.") { Field = "instance" },
            _ => null,
        };
        var page = await browser.OpenAsync("/instances/web1?tab=access", portal: portal);
        await page.GetByTestId("change-owner").ClickAsync();
        await page.GetByTestId("owner-form").GetByTestId("owner").FillAsync("ghost");
        await page.GetByTestId("owner-form").GetByTestId("owner").BlurAsync();
        await Expect(page.GetByTestId("error-owner")).ToContainTextAsync("no user or group ghost");
        await Expect(page.GetByTestId("owner-do")).ToBeDisabledAsync();
        await page.GetByTestId("owner-form").GetByTestId("owner").FillAsync("research");
        await page.GetByTestId("owner-form").GetByTestId("owner").BlurAsync();
        await Expect(page.GetByTestId("error-owner")).ToContainTextAsync("allocated instances is 4");
        await FlowTests.ShotsAsync(page, "change-owner");
        await page.GetByTestId("owner-force").CheckAsync();
        await page.GetByTestId("owner-do").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Owner of web1: accepted");
        Assert.Equal(new ChangeOwner("web1", Keys.Group(AccessScene.Research)) { Force = true }, engine.Asked.Single());
        var row = engine.Feeds.Instances.Current().Values.Single(i => i.Name == "web1");
        engine.Feeds.Instances.Set(row.Id, row with { Owner = "research", OwnerKey = Keys.Group(AccessScene.Research) });
        await Expect(page.GetByTestId("owner")).ToContainTextAsync("research is charged for it");
    }
}
