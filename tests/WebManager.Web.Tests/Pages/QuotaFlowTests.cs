using System.Text.RegularExpressions;
using Microsoft.Playwright;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Web.Tests.Pages;

/// <summary>Quotas, and creating within them, in a real browser.</summary>
public sealed class QuotaFlowTests(Browser browser) : IClassFixture<Browser>
{
    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    [Fact]
    public async Task Quotas_are_seen_changed_taken_away_and_recounted()
    {
        var engine = Scene.Filled();
        await using var portal = await PortalHost.StartAsync(engine);
        engine.Carry = (request, job) => engine.Feeds.JobLog.Set((job, 1), Line(engine, request, job));
        var page = await browser.OpenAsync("/quotas", portal: portal);
        await Expect(page.GetByTestId("default-allocated")).ToHaveTextAsync("5 instances, 10 vCPU, 8 GiB memory, 100 GiB disk");
        await Expect(page.GetByTestId("usage-admin-instances")).ToContainTextAsync("12 + 1 pending of 20");
        await Expect(page.GetByTestId("usage-research-running-instances")).ToContainTextAsync("1 over the limit");
        await FlowTests.ShotsAsync(page, "quotas");
        AccessScene.Hold(engine, Keys.Group(AccessScene.Research), "research", new Usage(3, 3, 1536, 30720), new Usage(2, 2, 1024, 0), default, engine.Feeds.Owners.Find(Keys.Group(AccessScene.Research))!.Limits, own: true);
        await Expect(page.GetByTestId("usage-research-running-instances")).Not.ToContainTextAsync("over the limit");
        await page.GetByTestId("quota-edit-research").ClickAsync();
        await Expect(page.GetByTestId("limit-disk")).ToHaveValueAsync("40G");
        await page.GetByTestId("limit-instances").FillAsync("");
        await page.GetByTestId("limit-running-memory").FillAsync("1.5G");
        await FlowTests.ShotsAsync(page, "quota-dialog");
        await page.GetByTestId("limits-do").ClickAsync();
        await Expect(page.GetByTestId("limits-form")).ToHaveCountAsync(0);
        Assert.Equal(new SetQuota(Keys.Group(AccessScene.Research), new QuotaLimits(new Limits(null, 8, 4096, 40960), new Limits(2, null, 1536, null))), engine.Asked[^1]);
        await page.GetByTestId("quota-unset-research").ClickAsync();
        await page.GetByTestId("confirm-yes").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("As everybody: accepted");
        Assert.Equal(new SetQuota(Keys.Group(AccessScene.Research), null), engine.Asked[^1]);
        await page.GetByTestId("quota-owner").ClickAsync();
        await page.GetByTestId("owner").FillAsync("ghost");
        await page.GetByTestId("choose-do").ClickAsync();
        await Expect(page.GetByTestId("error-owner")).ToContainTextAsync("no user and no group");
        await page.GetByTestId("owner").FillAsync("dora");
        await page.GetByTestId("choose-do").ClickAsync();
        await page.GetByTestId("limit-instances").FillAsync("0");
        await page.GetByTestId("limits-do").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Quota of dora: accepted");
        Assert.Equal(new SetQuota("user:u5", new QuotaLimits(new Limits(0, null, null, null), Limits.None)), engine.Asked[^1]);
        await page.GetByTestId("recount").ClickAsync();
        await Expect(page.GetByTestId("job-log-line")).ToContainTextAsync("2 owner(s) counted");
        await page.GetByTestId("recount-repair").ClickAsync();
        await Expect(page.GetByTestId("job-log-line")).ToContainTextAsync("set right");
        Assert.Equal([new RecountQuota(), new RecountQuota { Repair = true }], engine.Asked.TakeLast(2));
        await page.GotoAsync("/quotas/usergroup:research");
        await Expect(page.GetByTestId("charge").First).ToContainTextAsync("running −1 instance, −1 vCPU, −512 MiB memory");
        await FlowTests.ShotsAsync(page, "quota");
    }

    private static JobLogLine Line(FakeEngine engine, OperationRequest request, long job)
    {
        engine.Feeds.Jobs.Set(job, new Engine.Live.JobRow(job, request.Name, request.Name, JobStatus.Success, "admin", "", DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, null, null, null, 1));
        return new JobLogLine(job, 1, DateTimeOffset.UtcNow, request is RecountQuota { Repair: true } ? "1 owner(s) differ and were set right." : "2 owner(s) counted: no difference.");
    }

    [Fact]
    public async Task One_sees_ones_own_and_ones_groups_quotas_without_a_way_to_change_them()
    {
        var engine = Scene.Filled();
        engine.Rule = AccessScene.DoorOf(engine, AccessScene.Anna);
        await using var portal = await PortalHost.StartAsync(engine, who: AccessScene.Anna);
        var page = await browser.OpenAsync("/quotas", portal: portal);
        await Expect(page.GetByTestId("owner-anna")).ToContainTextAsync("you");
        await Expect(page.GetByTestId("owner-research")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("owner-admin")).ToHaveCountAsync(0);
        foreach (var hidden in new[] { "recount", "quota-owner", "quota-edit-default", "quota-edit-research", "quota-unset-research" }) { await Expect(page.GetByTestId(hidden)).ToHaveCountAsync(0); }
        await page.GotoAsync("/quotas/user:admin");
        await Expect(page.Locator("main")).ToContainTextAsync("There is no owner user:admin");
    }

    [Fact]
    public async Task Creating_shows_the_owners_quota_and_a_refusal_stands_at_its_field()
    {
        var engine = Scene.Filled();
        var door = AccessScene.DoorOf(engine, AccessScene.Anna);
        engine.Rule = r => door(r) ?? (r is CreateInstance { MemoryMiB: > 2048 }
            ? new Refusal("quota.exceeded", "The quota of a member for allocated memory is 2048 MiB; 0 MiB are in use or reserved, 4096 MiB more are asked for.", "Ask for less, free something, or request a higher quota.") { Field = "memoryMiB" } : null);
        await using var portal = await PortalHost.StartAsync(engine, who: AccessScene.Anna);
        var page = await browser.OpenAsync("/instances/new", portal: portal);
        await Expect(page.GetByTestId("owner-only")).ToContainTextAsync("owned by group research");
        await Expect(page.GetByTestId("quota-memory")).ToContainTextAsync("1.5 GiB of 4 GiB");
        await Expect(page.GetByTestId("quota-member-memory")).ToContainTextAsync("512 MiB of 2 GiB");   // wiki is hers
        await Expect(page.GetByTestId("placement")).ToHaveCountAsync(0);
        await page.GetByTestId("name").FillAsync("notes");
        await page.GetByTestId("memory").FillAsync("4G");
        await Expect(page.GetByTestId("quota-ahead")).ToContainTextAsync("2048 MiB");   // before it is asked for
        await page.GetByTestId("submit").ClickAsync();
        await Expect(page.GetByTestId("error-memoryMiB")).ToContainTextAsync("of a member for allocated memory is 2048 MiB");
        await Expect(page.GetByTestId("force")).ToHaveCountAsync(0);
        await FlowTests.ShotsAsync(page, "new-quota");
        await page.GetByTestId("memory").FillAsync("1G");
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/instances/notes\\?job="));
        var asked = Assert.IsType<CreateInstance>(engine.Asked.Single());
        Assert.Equal((Keys.Group(AccessScene.Research), false), (asked.Owner, asked.Force));
    }

    [Fact]
    public async Task Owner_is_chosen_among_oneself_and_ones_groups()
    {
        var engine = Scene.Filled();
        var more = new Engine.Ports.Changes();
        more.Grants.Add(new Grant(Keys.User("u2"), Keys.Cluster, ["create_vm"], DateTimeOffset.UnixEpoch, 1));
        AccessScene.Set(engine, more);
        engine.Rule = AccessScene.DoorOf(engine, AccessScene.Anna);
        await using var portal = await PortalHost.StartAsync(engine, who: AccessScene.Anna);
        var page = await browser.OpenAsync("/instances/new", portal: portal);
        await Expect(page.GetByTestId("owner").Locator("option")).ToHaveTextAsync(["anna (you)", "research (group)"]);   // not ops, which may not
        await Expect(page.GetByTestId("owner-quota")).ToHaveCountAsync(0);
        await page.GetByTestId("owner").SelectOptionAsync("research (group)");
        await Expect(page.GetByTestId("quota-instances")).ToContainTextAsync("3 of 4");
        await page.GetByTestId("name").FillAsync("notes");
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/instances/notes\\?job="));
        Assert.Equal(Keys.Group(AccessScene.Research), Assert.IsType<CreateInstance>(engine.Asked.Single()).Owner);
    }

    [Fact]
    public async Task Administrator_creates_for_anybody_and_over_the_quota_with_a_tick()
    {
        var engine = Scene.Filled();
        await using var portal = await PortalHost.StartAsync(engine);
        engine.Rule = r => r is CreateInstance { Force: false, Instance: "big" } ? new Refusal("quota.exceeded", "The quota for allocated instances is 4; 4 are in use or reserved, 1 more are asked for.", "Ask for less.") { Field = "instance" } : null;
        var page = await browser.OpenAsync("/instances/new", portal: portal);
        await Expect(page.GetByTestId("owner")).ToHaveValueAsync("admin");
        await page.GetByTestId("owner").FillAsync("research");
        await page.GetByTestId("name").FillAsync("big");
        await Expect(page.GetByTestId("quota-instances")).ToContainTextAsync("3 of 4");
        await Expect(page.GetByTestId("force")).ToHaveCountAsync(0);
        await page.GetByTestId("submit").ClickAsync();
        await Expect(page.GetByTestId("error-instance")).ToContainTextAsync("allocated instances is 4");
        await FlowTests.ShotsAsync(page, "new-force");
        await page.GetByTestId("force").CheckAsync();
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/instances/big\\?job="));
        var asked = Assert.IsType<CreateInstance>(engine.Asked.Single());
        Assert.Equal((Keys.Group(AccessScene.Research), true), (asked.Owner, asked.Force));
    }

    [Fact]
    public async Task Start_over_the_quota_says_why_and_starts_nothing()
    {
        var engine = Scene.Filled();
        engine.Rule = r => r is StartInstance ? new Refusal("quota.exceeded", "The quota for running instances is 1; 1 are in use or reserved, 1 more are asked for.", "Stop something.") { Field = "instance" } : null;
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/instances/wiki", portal: portal);
        await Expect(page.GetByTestId("action-start")).ToHaveAttributeAsync("title", "The quota for running instances is 1; 1 are in use or reserved, 1 more are asked for. Stop something.");
        await page.GetByTestId("action-start").ClickAsync(new() { Force = true });   // as the keyboard does
        await Expect(page.GetByTestId("toast")).ToContainTextAsync("The quota for running instances is 1");
        Assert.Empty(engine.Asked);
    }

    [Fact]
    public async Task Somebody_who_is_refused_asks_for_more_on_the_spot_and_sees_the_answer()
    {
        var engine = Scene.Filled();
        var door = AccessScene.DoorOf(engine, AccessScene.Anna);
        engine.Rule = r => r switch
        {
            CreateInstance { Instance: "notes" } => new Refusal("quota.exceeded", "The quota for allocated instances is 4; 4 are in use or reserved, 1 more are asked for.", "Ask for less.") { Field = "instance" },
            AskQuota => null,
            _ => door(r),
        };
        var id = Guid.CreateVersion7();
        Engine.Live.UserRequestRow Row(UserRequestState state) => new(id, UserRequestKind.Quota, AccessScene.Anna.UserId, "anna", Keys.Group(AccessScene.Research), "research", "For the talk.", DateTimeOffset.UtcNow, state);
        engine.Carry = (request, _) => { if (request is AskQuota) { engine.Feeds.UserRequests.Set(id, Row(UserRequestState.Open)); } };
        await using var portal = await PortalHost.StartAsync(engine, who: AccessScene.Anna);
        var page = await browser.OpenAsync("/instances/new", portal: portal);
        await page.GetByTestId("name").FillAsync("notes");
        await page.GetByTestId("submit").ClickAsync();
        await page.GetByTestId("ask-more").ClickAsync();
        await Expect(page.GetByTestId("ask-owner")).ToHaveCountAsync(0);   // it is about the owner in the form
        await page.GetByTestId("ask-instances").FillAsync("5");
        await page.GetByTestId("ask-reason").FillAsync("For the talk.");
        await page.GetByTestId("ask-do").ClickAsync();
        await Expect(page.GetByTestId("asked")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("ask-more")).ToHaveCountAsync(0);
        var asked = Assert.IsType<AskQuota>(engine.Asked.Single());
        Assert.Equal((Keys.Group(AccessScene.Research), 5), (asked.Owner, asked.Limits.Allocated.Instances));
        engine.Feeds.UserRequests.Set(id, Row(UserRequestState.Denied) with { DecidedBy = "root", DecidedAt = DateTimeOffset.UtcNow, Answer = "Not this week." });
        await Expect(page.GetByTestId("answered")).ToContainTextAsync("Denied by root. “Not this week.”");
        await Expect(page.GetByTestId("ask-more")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("name")).ToHaveValueAsync("notes");
    }

    [Fact]
    public async Task Narrow_screen_has_the_first_places_and_a_button_for_the_others()
    {
        var engine = Scene.Filled();
        engine.Feeds.UserRequests.Set(Guid.CreateVersion7(), new(Guid.CreateVersion7(), UserRequestKind.Quota, "u2", "anna", Keys.User("u2"), "anna", "Please.", DateTimeOffset.UtcNow, UserRequestState.Open));
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/instances", width: 390, portal: portal);
        await Expect(page.GetByTestId("nav-requests")).ToBeHiddenAsync();
        await Expect(page.GetByTestId("nav-more")).ToContainTextAsync("1");   // somebody waits
        await page.GetByTestId("nav-more").ClickAsync();
        await Expect(page.GetByTestId("nav-requests")).ToHaveTextAsync(new Regex("^1"));
        await FlowTests.ShotsAsync(page, "nav-open");
        await page.SetViewportSizeAsync(390, 844);
        await page.GetByTestId("sidenav").GetByText("Requests").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/requests$"));
        await Expect(page.GetByTestId("nav-requests")).ToBeHiddenAsync();
    }
}
