using System.Text.RegularExpressions;
using Microsoft.Playwright;
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Tests.Pages;

/// <summary>Instance templates in a real browser: made, changed, given, and used by who has no other right.</summary>
public sealed class TemplateFlowTests(Browser browser) : IClassFixture<Browser>
{
    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    private static Task<PortalHost> ForAsync(FakeEngine engine, Caller who)
    {
        engine.Rule = AccessScene.DoorOf(engine, who);
        return PortalHost.StartAsync(engine, who: who);
    }

    [Fact]
    public async Task Template_is_made_with_all_its_values_and_wrong_ones_stand_at_their_fields()
    {
        var engine = Scene.Filled();
        engine.Rule = r => r is AddTemplate { Template: "course" } ? new Refusal("template.exists", "There is already an instance template course.", "Choose another name.") { Field = "name" } : null;
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/templates", portal: portal);
        await Expect(page.GetByTestId("template-row-course")).ToContainTextAsync("2 disks with 12 GiB on two nodes, free to choose");
        await Expect(page.GetByTestId("template-row-small")).ToContainTextAsync("anna");
        await page.GetByTestId("template-add").ClickAsync();
        await page.GetByTestId("submit").ClickAsync();
        await Expect(page.GetByTestId("error-name")).ToContainTextAsync("Give it a name");
        await Expect(page.GetByTestId("error-summary")).ToBeFocusedAsync();
        await page.GetByTestId("template-name").FillAsync("course");
        await page.GetByTestId("description").FillAsync("for <b>all</b>");
        await page.GetByTestId("vcpus").FillAsync("2");
        await page.GetByTestId("memory").FillAsync("1.5G");
        await page.GetByTestId("nics").FillAsync("2");
        await page.GetByTestId("disk").FillAsync("2G");
        await page.GetByTestId("disk-add").ClickAsync();
        await page.GetByTestId("disk-add").ClickAsync();
        await page.GetByTestId("disk-2").FillAsync("lots");
        await page.GetByTestId("disk-remove-3").ClickAsync();
        await page.GetByTestId("os-beat").FillAsync("on");
        await page.GetByTestId("sizes-free").CheckAsync();
        await page.GetByTestId("start").UncheckAsync();
        await page.GetByTestId("submit").ClickAsync();
        await Expect(page.GetByTestId("error-disksMiB")).ToContainTextAsync("10G or 1T");
        await page.GetByTestId("disk-2").FillAsync("500M");
        await page.GetByTestId("submit").ClickAsync();
        await Expect(page.GetByTestId("error-name")).ToContainTextAsync("already");   // the values stay
        await FlowTests.ShotsAsync(page, "template-form");
        await page.GetByTestId("template-name").FillAsync("big");
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/templates/big$"));
        var asked = Assert.IsType<AddTemplate>(engine.Asked.Single());
        Assert.Equal(("big", "for <b>all</b>"), (asked.Template, asked.Description));
        Assert.Equivalent(new TemplateParameters("tiny", 2, 1536, DiskTemplate.Mirror, [2048, 500]) { Nics = 2, Start = false, SizesFree = true, OsParams = new Dictionary<string, string> { ["beat"] = "on" } }, asked.Parameters, strict: true);
    }

    [Fact]
    public async Task Its_page_says_every_value_and_it_is_changed_copied_given_and_removed_there()
    {
        var engine = Scene.Filled();
        engine.Rule = _ => null;
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/templates/course", portal: portal);
        foreach (var (fact, text) in new[] { ("image", "tiny"), ("vcpus", "1"), ("memory", "256 MiB"), ("disks", "2 GiB, 10 GiB"), ("template", "on two nodes mirror"), ("nics", "1 network card"), ("osparams", "beat=on"), ("start", "when it is ready"), ("sizes", "may choose") })
        {
            await Expect(page.GetByTestId($"fact-{fact}")).ToContainTextAsync(text);
        }
        await Expect(page.GetByTestId("template-description")).ToContainTextAsync("Remove it when the term is over.");
        await Expect(page.GetByTestId("grant-ops")).ToContainTextAsync("use");
        await page.GetByTestId("template-grants-add").ClickAsync();
        await page.GetByTestId("subject").FillAsync("dora");
        await page.GetByTestId("right-use").CheckAsync();
        await page.GetByTestId("grant-do").ClickAsync();
        await Expect(page.GetByTestId("grant-form")).ToHaveCountAsync(0);
        Assert.Equal(("user:u5", Keys.Template(AccessScene.Course), "use"), Assert.IsType<SetGrant>(engine.Asked[^1]) is var g ? (g.Subject, g.Target, g.Rights.Single()) : default);
        await page.GetByTestId("template-copy").ClickAsync();
        await page.GetByTestId("newName-name").FillAsync("course2");
        await page.GetByTestId("newName").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Copy: accepted");
        Assert.Equal(new CopyTemplate("course", "course2"), engine.Asked[^1]);
        await page.GetByTestId("template-edit").ClickAsync();
        await Expect(page.GetByTestId("disk-2")).ToHaveValueAsync("10G");
        await Expect(page.GetByTestId("os-beat")).ToHaveValueAsync("on");
        await page.GetByTestId("template-diskless").CheckAsync();
        await page.GetByTestId("template-name").FillAsync("lesson");
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/templates/lesson$"));
        var changed = Assert.IsType<ModifyTemplate>(engine.Asked[^1]);
        Assert.Equal((AccessScene.Course.ToString(), "lesson", 1L, 0, true), (changed.Template, changed.NewName, changed.Seen, changed.Parameters!.DisksMiB.Count, changed.Parameters.SizesFree));
        await page.GotoAsync("/templates/course");
        await page.GetByTestId("template-remove").ClickAsync();
        await page.GetByTestId("confirm-yes").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Remove: accepted");
        Assert.Equal(new RemoveTemplate("course"), engine.Asked[^1]);
        await page.GotoAsync("/templates/small");
        await Expect(page.GetByTestId("template-void")).ToContainTextAsync("anna's, who may not create instances any more");
        await page.GotoAsync("/instances/web1");
        await page.GetByTestId("make-template").ClickAsync();
        await page.GetByTestId("template-name").FillAsync("as-web1");
        await FlowTests.ShotsAsync(page, "make-template");
        await page.GetByTestId("make-template-do").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/templates/as-web1$"));
        Assert.Equal(new TemplateFromInstance("web1", "as-web1"), engine.Asked[^1]);
    }

    [Fact]
    public async Task Who_has_only_the_use_through_a_group_creates_from_it_for_the_group_within_the_quota()
    {
        var engine = Scene.Filled();
        var door = AccessScene.DoorOf(engine, AccessScene.Bob);
        engine.Rule = r => door(r) ?? (r is CreateFromTemplate { MemoryMiB: > 1024 }
            ? new Refusal("quota.exceeded", "The quota for allocated memory is 1024 MiB; 0 MiB are in use or reserved, 2048 MiB more are asked for.", "Ask for less.") { Field = "memoryMiB" } : null);
        AccessScene.Hold(engine, Keys.Group(AccessScene.Ops), "ops", default, default, default, new QuotaLimits(new Limits(2, null, 1024, null), Limits.None), own: true);
        await using var portal = await PortalHost.StartAsync(engine, who: AccessScene.Bob);
        var page = await browser.OpenAsync("/templates", portal: portal);
        await Expect(page.GetByTestId("template-row-small")).ToHaveCountAsync(0);
        await Expect(page.GetByTestId("template-add")).ToHaveCountAsync(0);
        await page.GetByTestId("template-use-course").ClickAsync();
        await Expect(page.GetByTestId("owner-only")).ToContainTextAsync("owned by group ops");
        await Expect(page.GetByTestId("from-template").Locator("option")).ToHaveCountAsync(1);   // nothing else is his to create
        await Expect(page.GetByTestId("disk-add")).ToHaveCountAsync(0);
        await page.GetByTestId("submit").ClickAsync();
        await Expect(page.GetByTestId("error-instance")).ToBeVisibleAsync();
        await page.GetByTestId("name").FillAsync("exercise");
        await page.GetByTestId("memory").FillAsync("2G");
        await page.GetByTestId("submit").ClickAsync();
        await Expect(page.GetByTestId("error-memoryMiB")).ToContainTextAsync("1024 MiB");
        await Expect(page.GetByTestId("disk-2")).ToHaveValueAsync("10G");
        await FlowTests.ShotsAsync(page, "new-from-template-quota");
        await page.GetByTestId("memory").FillAsync("512M");
        await page.GetByTestId("disk-2").FillAsync("4G");
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/instances/exercise\\?job="));
        var asked = Assert.IsType<CreateFromTemplate>(engine.Asked.Single());
        Assert.Equal(("exercise", "course", Keys.Group(AccessScene.Ops), 1, 512, false), (asked.Instance, asked.Template, asked.Owner, asked.Vcpus, asked.MemoryMiB, asked.Force));
        Assert.Equal([2048, 4096], asked.DisksMiB!);
        await page.GotoAsync("/templates/course");
        foreach (var hidden in new[] { "template-edit", "template-copy", "template-remove", "template-grants" }) { await Expect(page.GetByTestId(hidden)).ToHaveCountAsync(0); }
        await page.GotoAsync("/templates/course/edit");
        await Expect(page.GetByTestId("may-not-edit")).ToBeVisibleAsync();
        await page.GotoAsync("/templates/small");
        await Expect(page.Locator("main")).ToContainTextAsync("There is no instance template small");
    }

    [Fact]
    public async Task Form_goes_from_template_to_template_and_back_with_its_values()
    {
        var engine = Scene.Filled();
        engine.Rule = _ => null;
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/instances/new", portal: portal);
        await page.GetByTestId("name").FillAsync("notes");
        await page.GetByTestId("owner").FillAsync("research");
        await page.GetByTestId("ssh-key").FillAsync("ssh-ed25519 AAAA me");
        await page.GetByTestId("memory").FillAsync("1G");
        await Expect(page.GetByTestId("summary")).ToContainTextAsync("notes from tiny: 1 vCPU, 1 GiB memory, a disk of 1 GiB on two nodes, 1 network card; owned by research; started");
        await page.GetByTestId("from-template").SelectOptionAsync("small");
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("template=small"));
        await Expect(page.GetByTestId("name")).ToHaveValueAsync("notes");
        await Expect(page.GetByTestId("owner")).ToHaveValueAsync("research");
        await Expect(page.GetByTestId("memory")).ToHaveCountAsync(0);   // it is fixed
        await Expect(page.GetByTestId("fact-memory")).ToContainTextAsync("512 MiB");
        await page.GetByTestId("from-template").SelectOptionAsync("course");
        await Expect(page.GetByTestId("memory")).ToHaveValueAsync("256M");
        await Expect(page.GetByTestId("quota-instances")).ToContainTextAsync("3 of 4");
        await page.GetByTestId("from-template").SelectOptionAsync("");
        await Expect(page.GetByTestId("memory")).ToHaveValueAsync("1G");
        await Expect(page.GetByTestId("name")).ToHaveValueAsync("notes");
        await page.GetByTestId("placement").Locator("summary").ClickAsync();
        await page.GetByTestId("nics").FillAsync("0");
        await page.GetByTestId("disk-add").ClickAsync();
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/instances/notes\\?job="));
        var asked = Assert.IsType<CreateInstance>(engine.Asked.Single());
        Assert.Equal((0, 2, Keys.Group(AccessScene.Research), "ssh-ed25519 AAAA me"), (asked.Nics, asked.DisksMiB.Count, asked.Owner, asked.SshKeys.Single()));
    }

    [Fact]
    public async Task Use_that_is_given_and_taken_comes_and_goes_on_open_pages()
    {
        var engine = Scene.Filled();
        var dora = new Caller("u5", "dora", false, "portal");
        await using var portal = await ForAsync(engine, dora);
        var page = await browser.OpenAsync("/templates", portal: portal);
        await Expect(page.GetByTestId("no-templates")).ToBeVisibleAsync();
        await FlowTests.ShotsAsync(page, "templates-none");
        var grant = new Grant(Keys.User("u5"), Keys.Template(AccessScene.Course), ["use"], DateTimeOffset.UnixEpoch, 1);
        var given = new Changes();
        given.Grants.Add(grant);
        AccessScene.Set(engine, given);
        await page.GetByTestId("template-use-course").ClickAsync();
        await Expect(page.GetByTestId("template-create-form")).ToBeVisibleAsync();
        await page.GetByTestId("name").FillAsync("mine");
        var taken = new Changes();
        taken.GrantsRemoved.Add(grant.Key);
        AccessScene.Set(engine, taken);
        await Expect(page.GetByTestId("may-not-create")).ToContainTextAsync("Ask an administrator");
        await Expect(page.GetByTestId("template-create-form")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Quota_page_shows_one_persona_at_a_time_and_the_address_says_which()
    {
        var engine = Scene.Filled();
        AccessScene.Hold(engine, Keys.Group(AccessScene.Ops), "ops", default, default, default, QuotaLimits.None, own: false);
        await using var portal = await ForAsync(engine, AccessScene.Anna);
        var page = await browser.OpenAsync("/quotas", portal: portal);
        await Expect(page.GetByTestId("quota-of").Locator("option")).ToHaveTextAsync(["Me and my groups", "anna (me)", "ops", "research"]);
        await page.EvaluateAsync("window.stays = 1");
        await page.GetByTestId("quota-of").SelectOptionAsync("research");
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("of=usergroup(:|%3A)research"));
        await Expect(page.GetByTestId("owner-anna")).ToHaveCountAsync(0);
        await Expect(page.GetByTestId("usage-research-instances")).ToContainTextAsync("3 of 4");
        Assert.Equal(1, await page.EvaluateAsync<int>("window.stays ?? 0"));   // no page was loaded
        await FlowTests.ShotsAsync(page, "quotas-persona");
        await page.ReloadAsync();
        await Expect(page.GetByTestId("quota-of")).ToHaveValueAsync("usergroup:research");
        await page.GetByTestId("quota-of").SelectOptionAsync("");
        await Expect(page.GetByTestId("owner-anna")).ToBeVisibleAsync();
    }
}
