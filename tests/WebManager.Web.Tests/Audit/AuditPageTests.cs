using Microsoft.Playwright;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Audit;

public sealed class AuditPageTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Filters_narrow_the_list_stay_in_the_address_and_pages_follow()
    {
        var page = await browser.OpenAsync("/audit");
        var rows = page.GetByTestId("audit").Locator("[data-testid^=audit-row-]");
        await Assertions.Expect(rows).ToHaveCountAsync(50);
        await page.GetByTestId("audit-older").ClickAsync();
        await Assertions.Expect(page.GetByTestId("audit-row-75")).ToBeVisibleAsync();   // 125 entries: 125 to 76 come first
        await page.GetByTestId("audit-user").FillAsync("bob");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(rows).ToHaveCountAsync(24);
        await page.GetByTestId("audit-operation").FillAsync("instance");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(rows).ToHaveCountAsync(12);
        await page.GetByTestId("audit-result").SelectOptionAsync("refused");
        await page.GetByTestId("audit-subject").FillAsync("db-prim");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("user=bob.*operation=instance.*result=refused.*subject=db-prim"));
        await page.ReloadAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(12);
        await Assertions.Expect(page.GetByTestId("audit-user")).ToHaveValueAsync("bob");
        await Assertions.Expect(rows.First).ToContainTextAsync("Refused: right.missing");
        await page.GetByTestId("audit-from").FillAsync("2199-01-01T00:00");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("No entry matches");
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task An_objects_page_shows_its_entries_also_when_it_is_gone()
    {
        var page = await browser.OpenAsync("/instances/web1");
        await Assertions.Expect(page.GetByTestId("audit-list")).ToContainTextAsync("instance.create");
        await Assertions.Expect(page.GetByTestId("audit-list").Locator("[data-testid^=audit-row-]")).ToHaveCountAsync(10);
        await page.GotoAsync("/nodes/node1");
        await Assertions.Expect(page.GetByTestId("audit-list")).ToContainTextAsync("instance.recover");
        foreach (var name in new[] { "exe.gpj", "never" })
        {
            await page.GotoAsync("/instances/" + Uri.EscapeDataString(name == "never" ? name : "\u202E" + name));
            await Assertions.Expect(page.Locator("main")).ToContainTextAsync("There is no instance");
            await Assertions.Expect(page.GetByTestId("audit-list")).ToHaveCountAsync(name == "never" ? 0 : 1);
        }
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task Who_is_no_administrator_sees_neither_link_nor_entries()
    {
        using var portal = new TestPortal(("Portal:AdminPassword", People.Password));
        await portal.UserAsync("eve");
        foreach (var (name, may) in new[] { ("eve", false), ("admin", true) })
        {
            var page = await browser.OpenAsync("/login");
            await page.GotoAsync(new Uri(portal.Address, "/login?returnUrl=%2Faudit").ToString());
            await page.GetByTestId("username").FillAsync(name);
            await page.GetByTestId("password").FillAsync(People.Password);
            await page.GetByTestId("sign-in").ClickAsync();
            await Assertions.Expect(page.Locator("main")).ToContainTextAsync(may ? "sign-in.password" : "This is for administrators");
            await Assertions.Expect(page.Locator("nav.sidenav a[href='/audit']")).ToHaveCountAsync(may ? 1 : 0);
            if (may)
            {
                await page.GotoAsync(new Uri(portal.Address, "/groups").ToString());
                await page.GetByTestId("group-add-name").FillAsync("west");
                await page.GetByTestId("group-add").ClickAsync();
                await Assertions.Expect(page.GetByTestId("group-west")).ToBeVisibleAsync();
                using var api = portal.Api();
                await api.GetAsync("/api/v1/jobs/1/wait?seconds=20");   // the entry is written with the job's end
                await page.GotoAsync(new Uri(portal.Address, "/audit?subject=group:west").ToString());
                // From where: the page's request knew it, and the circuit took it along.
                await Assertions.Expect(page.GetByTestId("audit")).ToContainTextAsync("portal, 127.0.0.1");
            }
            await page.Context.CloseAsync();
        }
    }

    [Fact]
    public async Task It_fits_a_screen_and_a_phone_in_light_and_dark()
    {
        foreach (var (width, theme) in new[] { (1280, "light"), (390, "dark"), (1280, "dark"), (390, "light") })
        {
            var page = await browser.OpenAsync("/audit", width, theme);
            await page.GetByTestId("audit-verify").ClickAsync();
            await Assertions.Expect(page.GetByTestId("audit-report")).ToBeVisibleAsync();
            await PageTests.ShotAsync(page, $"console-audit-{width}-{theme}");   // a name that takes what is in the window only
            if (width > 1000 == (theme == "dark")) { Assert.Empty(await PageTests.ViolationsAsync(page, $"{width} {theme}")); }
            Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), $"{width} {theme}: too wide");
            await page.GotoAsync("/instances/web1");
            await page.GetByTestId("audit-list").ScrollIntoViewIfNeededAsync();
            await PageTests.ShotAsync(page, $"console-audit-list-{width}-{theme}");
            await page.Context.CloseAsync();
        }
    }
}
