using System.Text.RegularExpressions;
using Microsoft.Playwright;
using WebManager.Contracts;
using WebManager.Engine.Access;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Search;

namespace WebManager.Web.Tests.Pages;

/// <summary>Finding something by a part of its name, an address or a MAC, among what one may see.</summary>
public sealed class SearchTests(Browser browser) : IClassFixture<Browser>
{
    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    [Theory]
    [InlineData("web1", "instance web1")]
    [InlineData("WEB", "instance web1|instance web2")]
    [InlineData("node1", "node node1")]
    [InlineData("ops", "user-group ops")]
    [InlineData("anna", "user anna")]
    [InlineData("aa-00-00-3F", "aa:00:00:3f of all")]
    [InlineData("  ", "")]
    [InlineData("nowhere", "")]
    public void Names_addresses_and_macs_are_found(string text, string wanted)
    {
        var engine = Scene.Filled();
        var hits = Finder.Find(engine, engine.SightOf(AccessScene.Admin), AccessScene.People, text, 50);
        if (text == "web1") { Assert.Equal(engine.Feeds.Instances.Current().Values.Where(i => i.Ip!.StartsWith("10.77.1.12", StringComparison.Ordinal)).Select(i => i.Name).Order(), Finder.Find(engine, engine.SightOf(AccessScene.Admin), AccessScene.People, "10.77.1.12", 50).Select(h => h.Name).Order()); }
        if (wanted.EndsWith("of all", StringComparison.Ordinal)) { Assert.Equal(engine.Feeds.Instances.Current().Count, hits.Count); return; }
        Assert.Equal(wanted, string.Join('|', hits.Select(h => $"{h.Kind} {h.Name}")));
    }

    [Fact]
    public void What_one_may_not_see_is_not_found_and_what_is_new_is_at_once()
    {
        var engine = Scene.Filled();
        IReadOnlyList<string> Of(Caller who, string text) => [.. Finder.Find(engine, engine.SightOf(who), AccessScene.People, text, 50).Select(h => h.Name)];
        Assert.Equal(["mail"], Of(AccessScene.Anna, "mail"));        // her group's
        Assert.Empty(Of(AccessScene.Anna, "shop"));
        Assert.Empty(Of(AccessScene.Anna, "node1"));
        Assert.Empty(Of(AccessScene.Anna, "bob"));                   // accounts are for administrators
        Assert.Empty(Finder.Find(engine, Sight.Nothing, AccessScene.People, "mail", 50));
        Assert.Empty(Of(AccessScene.Anna with { Only = [] }, "mail"));
        var row = engine.Feeds.Instances.Current().Values.First(i => i.Name == "mail");
        engine.Feeds.Instances.Set(row.Id, row with { Name = "post" });
        Assert.Equal(["post"], Of(AccessScene.Anna, "pos"));
    }

    [Fact]
    public void Whole_names_come_first_and_other_cards_count()
    {
        var engine = Scene.Filled();
        var row = engine.Feeds.Instances.Current().Values.First(i => i.Name == "wiki");
        engine.Feeds.Instances.Set(Guid.NewGuid(), row with { Id = Guid.NewGuid(), Name = "web" });
        Assert.Equal(["web", "web1", "web2"], Finder.Find(engine, engine.SightOf(AccessScene.Admin), AccessScene.People, "web", 50).Select(h => h.Name));
        var changes = new Changes();
        changes.Instances.Add(engine.Now.Instances[row.Id] with { Nics = [new NicSpec(0, "aa:00:00:11:22:33", "192.0.2.7/24", null), new NicSpec(1, "aa:00:00:44:55:66", "198.51.100.9/24", null)] });
        engine.Now = engine.Now.With(changes);
        foreach (var text in new[] { "198.51.100.9", "445566" }) { Assert.Equal("wiki", Assert.Single(Finder.Find(engine, engine.SightOf(AccessScene.Admin), AccessScene.People, text, 50)).Name); }
    }

    [Fact]
    public async Task Suggestions_come_while_one_types_and_lead_there_by_keys_and_by_mouse()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        var page = await browser.OpenAsync("/jobs", portal: portal);
        await page.GetByTestId("find-text").FillAsync("web");
        await Expect(page.GetByTestId("find-hit")).ToHaveTextAsync([new Regex("^web1"), new Regex("^web2")]);
        await PageTests.ShotAsync(page, "find-1280-light");
        Assert.Empty(await PageTests.ViolationsAsync(page, "find"));
        await page.GetByTestId("find-text").PressAsync("ArrowDown");
        await page.GetByTestId("find-text").PressAsync("ArrowDown");
        await Expect(page.Locator("[data-testid=find-hit].chosen")).ToContainTextAsync("web2");
        await page.GetByTestId("find-text").PressAsync("Enter");
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/instances/web2$"));
        await ArrivedAsync(page);
        await page.GetByTestId("find-text").FillAsync("node2");
        await page.GetByTestId("find-hit").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/nodes/node2$"));
        await ArrivedAsync(page);
        await page.GetByTestId("find-text").FillAsync("zzz");
        await Expect(page.GetByTestId("find-nothing")).ToBeVisibleAsync();
        await page.GetByTestId("find-text").PressAsync("Escape");
        await Expect(page.GetByTestId("find-nothing")).ToHaveCountAsync(0);
        await page.GetByTestId("find-text").FillAsync("web");
        await page.GetByTestId("find-text").PressAsync("Enter");
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/search\\?q=web$"));
        await Expect(page.GetByTestId("search-count")).ToHaveTextAsync("2 fit");
        await FlowTests.ShotsAsync(page, "search");
        await page.SetViewportSizeAsync(390, 844);
        await page.GetByTestId("search-text").FillAsync("10.77.1.1");
        await Expect(page.GetByTestId("search-hits").GetByRole(AriaRole.Link)).Not.ToHaveCountAsync(0);
        await page.GotoAsync("/jobs");
        await page.GetByTestId("to-search").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/search$"));
    }

    /// <summary>A page that was led to takes the focus to its heading, and with it the list of suggestions closes.</summary>
    private static Task ArrivedAsync(IPage page) => page.WaitForFunctionAsync("() => document.activeElement?.tagName === 'H1'");
}
