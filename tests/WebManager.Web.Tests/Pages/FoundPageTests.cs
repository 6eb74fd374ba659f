using Microsoft.Playwright;
using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;

namespace WebManager.Web.Tests.Pages;

/// <summary>What was found on nodes, what is nobody's, and tags of an instance, in a real browser.</summary>
public sealed class FoundPageTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly Guid s_pair = new("0c000000-0000-4000-8000-000000000001"), s_single = new("0c000000-0000-4000-8000-000000000002"), s_half = new("0c000000-0000-4000-8000-000000000003");

    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    [Fact]
    public async Task Found_is_counted_on_the_map_listed_and_taken_up()
    {
        var engine = Scene.Filled();
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/", portal: portal);
        await Expect(page.GetByTestId("count-found")).ToHaveCountAsync(0);
        Find(engine);
        await Expect(page.GetByTestId("count-found")).ToContainTextAsync("3 found on nodes");   // by itself
        await page.GetByTestId("count-found").ClickAsync();
        await Expect(page.GetByTestId("found-count")).ToHaveTextAsync("3 instances without a record");
        await Expect(page.GetByTestId("found-pair")).ToContainTextAsync("anna's");
        await Expect(page.GetByTestId("found-why-half")).ToContainTextAsync("node3 does not answer");
        await FlowTests.ShotsAsync(page, "found");
        await page.GetByTestId("adopt-half").ClickAsync(new() { Force = true });   // says why, and does nothing
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("node3 does not answer");

        engine.Rule = r => r is AdoptInstance { Instance: "pair" } ? new Refusal("instance.exists", "There is already an instance pair.", "Take it up under another name.") { Field = "instance" }
            : r is AdoptInstance { Force: false } ? new Refusal("quota.exceeded", "The quota for allocated instances is 2.", "Ask for less.") { Field = "instance" } : null;
        await page.GetByTestId("adopt-pair").ClickAsync();
        await Expect(page.GetByTestId("owner")).ToHaveValueAsync("user:anna");
        await Expect(page.GetByTestId("error-instance")).ToContainTextAsync("Take it up under another name");
        await Expect(page.GetByTestId("adopt-do")).ToBeDisabledAsync();
        await page.GetByTestId("adopt-name").FillAsync("old-pair");
        await page.GetByTestId("adopt-name").BlurAsync();
        await Expect(page.GetByTestId("error-owner")).ToContainTextAsync("The quota");
        await page.GetByTestId("adopt-force").CheckAsync();
        await FlowTests.ShotsAsync(page, "found-dialog");
        await page.GetByTestId("adopt-do").ClickAsync();
        await Expect(page.GetByTestId("adopt-form")).ToHaveCountAsync(0);
        Assert.Equal(new AdoptInstance("old-pair", s_pair) { Owner = "user:u2", Force = true }, engine.Asked[^1]);

        engine.Rule = _ => null;
        await page.GetByTestId("adopt-all").ClickAsync();
        await page.GetByTestId("confirm-yes").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("2 of 2 taken up");
        Assert.Equal([new AdoptInstance("pair", s_pair) { OwnerFromTags = true }, new AdoptInstance("single", s_single) { OwnerFromTags = true }], engine.Asked.TakeLast(2));
        foreach (var id in new[] { s_pair, s_single, s_half }) { engine.Feeds.Found.Set(id, null); }
        await Expect(page.Locator("main")).ToContainTextAsync("Nothing was found");
        await FlowTests.ShotsAsync(page, "found-none");
    }

    [Fact]
    public async Task Who_does_not_administer_the_cluster_sees_nothing_of_it()
    {
        var engine = Scene.Filled();
        Find(engine);
        engine.Rule = AccessScene.DoorOf(engine, AccessScene.Bob);
        await using var portal = await PortalHost.StartAsync(engine, who: AccessScene.Bob);
        var page = await browser.OpenAsync("/found", portal: portal);
        await Expect(page.GetByTestId("found-forbidden")).ToBeVisibleAsync();
        await Expect(page.Locator("main")).Not.ToContainTextAsync("pair");
        await page.GotoAsync("/");
        await Expect(page.GetByTestId("map")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("look-after")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Orphans_are_given_to_an_owner_at_once_and_what_was_refused_is_named()
    {
        var engine = Scene.Filled();
        foreach (var name in new[] { "web1", "web2" }) { Change(engine, name, row => row with { Owner = "", OwnerKey = "" }); }
        engine.Rule = r => r is ChangeOwner { Instance: "web2", Force: false } ? new Refusal("quota.exceeded", "The quota for allocated instances is 1.", "Ask for less.") { Field = "instance" } : null;
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/instances", portal: portal);
        await page.GetByTestId("count-orphans").ClickAsync();
        await Expect(page.GetByTestId("instance-count")).ToContainTextAsync("2 of");
        await page.GetByTestId("give").ClickAsync();
        await page.GetByTestId("owner").FillAsync("research");
        await page.GetByTestId("give-do").ClickAsync();
        await Expect(page.GetByTestId("give-refused")).ToContainTextAsync("web2: The quota");
        await page.GetByTestId("give-force").CheckAsync();
        await page.GetByTestId("give-do").ClickAsync();
        await Expect(page.GetByTestId("give-form")).ToHaveCountAsync(0);
        var research = Keys.Group(AccessScene.Research);
        Assert.Equal([new ChangeOwner("web1", research), new ChangeOwner("web2", research) { Force = true }], engine.Asked.TakeLast(2));
    }

    [Fact]
    public async Task Tags_are_seen_searched_and_changed_and_the_owners_stays()
    {
        var engine = Scene.Filled();
        Change(engine, "web1", row => row with { Tags = ["webmanager:owner:user:admin", "storefront"] });
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/instances/web1", portal: portal);
        await Expect(page.GetByTestId("instance-tags")).ToContainTextAsync("webmanager:owner:user:admin");
        await Expect(page.GetByTestId("instance-tags-off-webmanager:owner:user:admin")).ToHaveCountAsync(0);
        await page.GetByTestId("instance-tags-new").FillAsync("tier:1 eu");
        await page.GetByTestId("instance-tags-add").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Tags: accepted");
        Assert.Equal(["tier:1", "eu"], Assert.IsType<AddInstanceTags>(engine.Asked[^1]).Tags);
        await page.GetByTestId("instance-tags-off-storefront").ClickAsync();
        await Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Tags: accepted");
        await page.GotoAsync("/instances?q=storefront");
        await Expect(page.GetByTestId("instance-count")).ToContainTextAsync("1 of");
        await Expect(page.GetByTestId("instance-row-web1")).ToBeVisibleAsync();
    }

    private static void Find(FakeEngine engine)
    {
        FoundRow Row(Guid id, string name, string? secondary) => new(id, name, "tiny", 1, 512, 10240, secondary is null ? DiskTemplate.File : DiskTemplate.Mirror, "node1", secondary, true) { Nodes = secondary is null ? ["node1"] : ["node1", secondary], Key = name };
        engine.Feeds.Found.Set(s_pair, Row(s_pair, "pair", "node2") with { OwnerName = "anna", OwnerKey = "user:u2", Tags = ["shop"] });
        engine.Feeds.Found.Set(s_single, Row(s_single, "single", null));
        engine.Feeds.Found.Set(s_half, Row(s_half, "half", "node3") with { OwnerName = "gone", Why = "Its node node3 does not answer. Wait until node3 is back." });
    }

    private static void Change(FakeEngine engine, string name, Func<InstanceRow, InstanceRow> change)
    {
        var row = engine.Feeds.Instances.Current().Values.Single(i => i.Name == name);
        engine.Feeds.Instances.Set(row.Id, change(row));
    }
}
