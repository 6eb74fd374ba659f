// The way of somebody new, in two browsers: an account, a second factor, a VM, the limit, a request, its answer, and the second VM.
using Microsoft.Playwright;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class SelfServiceWalkTests(LabFixture lab) : LabTest(lab)
{
    private const string Password = "a short sentence is good";
    private readonly string _name = $"ada{Environment.ProcessId}";

    [Fact]
    public async Task Somebody_registers_makes_a_vm_meets_the_limit_asks_and_goes_on_without_loading_a_page_again()
    {
        await using var browser = await Browser.StartAsync();
        var (ada, admin) = (await browser.PageAsync(Portal.Address), await browser.PageAsync(Portal.Address));
        try
        {
            await RegisterAsync(ada);
            await SignInWithCodeAsync(ada, await SecondFactorAsync(ada));
            await Browser.SignInAsync(admin, "admin", PortalProcess.AdminPassword);
            foreach (var page in new[] { ada, admin }) await page.EvaluateAsync("window.notReloaded = true");
            await WelcomeAsync(ada, admin);
            await CreateAsync(ada, "first");
            await AskAsync(ada);
            await ApproveAsync(admin);
            await Shows(ada, "answered", "Approved by admin");
            await ada.GetByTestId("submit").ClickAsync();
            await RunsAsync(ada);
            foreach (var page in new[] { ada, admin }) Assert.True(await page.EvaluateAsync<bool>("window.notReloaded === true"));
            Assert.Equal(["first", "second"], (await Api.InstancesAsync()).Where(i => i.Owner == _name).Select(i => i.Name).Order());
        }
        catch
        {
            await ShotAsync(ada, "failed-ada");
            await ShotAsync(admin, "failed-admin");
            throw;
        }
    }

    private async Task RegisterAsync(IPage page)
    {
        await page.GotoAsync("/login");
        await page.GetByTestId("to-register").ClickAsync();
        await page.GetByTestId("username").FillAsync(_name);
        await page.GetByTestId("email").FillAsync($"{_name}@example.org");
        await page.GetByTestId("password").FillAsync(Password);
        await page.GetByTestId("confirm-password").FillAsync(Password);
        await ShotAsync(page, "register");
        await page.GetByTestId("register").ClickAsync();
        await page.GetByTestId("account-done").WaitForAsync();
        await SignInAsync(page);
        await page.GetByTestId("may-not-create").WaitForAsync();
    }

    private async Task SignInAsync(IPage page)
    {
        await page.GetByTestId("username").FillAsync(_name);
        await page.GetByTestId("password").FillAsync(Password);
        await page.GetByTestId("sign-in").ClickAsync();
    }

    private static async Task<Authenticator> SecondFactorAsync(IPage page)
    {
        await page.GetByTestId("user-menu").Locator("summary").ClickAsync();
        await page.GetByTestId("to-profile").ClickAsync();
        await page.GetByTestId("begin-factor").ClickAsync();
        var app = new Authenticator(await page.GetByTestId("totp-key").InnerTextAsync());
        await page.GetByTestId("totp-code").FillAsync(await app.NextAsync());
        await ShotAsync(page, "second-factor");
        await page.GetByTestId("confirm-factor").ClickAsync();
        await page.GetByTestId("codes-kept").ClickAsync();
        await page.GetByTestId("factor-off").WaitForAsync();
        return app;
    }

    private async Task SignInWithCodeAsync(IPage page, Authenticator app)
    {
        await page.GetByTestId("user-menu").Locator("summary").ClickAsync();
        await page.GetByTestId("sign-out").ClickAsync();
        await SignInAsync(page);
        await page.GetByTestId("code").FillAsync("000000");
        await page.GetByTestId("send-code").ClickAsync();
        await page.GetByTestId("account-error").WaitForAsync();
        await page.GetByTestId("code").FillAsync(await app.NextAsync());
        await page.GetByTestId("send-code").ClickAsync();
        await GoAsync(page, "Instances");   // signing in leads back to where one was
        await page.GetByTestId("may-not-create").WaitForAsync();
        await ShotAsync(page, "no-rights");
    }

    /// <summary>The administrator lets her create one instance; her page offers it at once.</summary>
    private async Task WelcomeAsync(IPage ada, IPage admin)
    {
        await GoAsync(admin, "Quotas");
        await admin.GetByTestId("quota-owner").ClickAsync();
        await admin.GetByTestId("owner").FillAsync(_name);
        await admin.GetByTestId("choose-do").ClickAsync();
        await admin.GetByTestId("limit-instances").FillAsync("1");
        await admin.GetByTestId("limits-do").ClickAsync();
        await Shows(admin, $"owner-{_name}", "limits of its own");
        await admin.GetByTestId("user-menu").Locator("summary").ClickAsync();
        await admin.GetByTestId("to-users").ClickAsync();
        await admin.GetByTestId($"user-{_name}").GetByRole(AriaRole.Link).First.ClickAsync();
        await admin.GetByTestId("user-rights").ClickAsync();
        await admin.GetByTestId("own-rights-add").ClickAsync();
        await admin.GetByTestId("right-create_vm").CheckAsync();
        await ShotAsync(admin, "grant");
        await admin.GetByTestId("grant-do").ClickAsync();
        await ada.GetByTestId("may-not-create").WaitForAsync(new() { State = WaitForSelectorState.Detached });
        await ada.GetByRole(AriaRole.Link, new() { Name = "Create the first one" }).ClickAsync();
    }

    private static async Task CreateAsync(IPage page, string name)
    {
        await FillAsync(page, name);
        await page.GetByTestId("submit").ClickAsync();
        await RunsAsync(page);
    }

    private static async Task FillAsync(IPage page, string name)
    {
        await page.GetByTestId("name").FillAsync(name);
        await page.GetByTestId("image").SelectOptionAsync("tiny-linux");
        await page.GetByTestId("memory").FillAsync("96M");
        await page.GetByTestId("template-diskless").CheckAsync();
    }

    private static Task RunsAsync(IPage page) => page.Locator("[data-testid=instance-status][data-status=Running]").WaitForAsync();

    private static async Task AskAsync(IPage page)
    {
        await GoAsync(page, "Instances");
        await page.GetByTestId("create-instance").ClickAsync();
        await FillAsync(page, "second");
        await page.GetByTestId("submit").ClickAsync();
        await Shows(page, "error-summary", "The quota for allocated instances is 1; 1 are in use or reserved, 1 more are asked for.");
        await ShotAsync(page, "over-quota");
        await page.GetByTestId("ask-more").ClickAsync();
        await page.GetByTestId("ask-instances").FillAsync("2");
        await page.GetByTestId("ask-reason").FillAsync("A second one for the tests.");
        await ShotAsync(page, "ask");
        await page.GetByTestId("ask-do").ClickAsync();
        await page.GetByTestId("asked").WaitForAsync();
    }

    private static async Task ApproveAsync(IPage page)
    {
        await Shows(page, "nav-requests", "1");
        await GoAsync(page, "Requests");
        await Shows(page, "request-reason", "A second one for the tests.");
        await ShotAsync(page, "requests");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).First.ClickAsync();
        await page.GetByTestId("nav-requests").WaitForAsync(new() { State = WaitForSelectorState.Detached });
    }

    private static Task GoAsync(IPage page, string place) => page.GetByTestId("sidenav").GetByText(place).ClickAsync();

    private static Task Shows(IPage page, string testId, string text) => page.GetByTestId(testId).Filter(new() { HasText = text }).First.WaitForAsync();

    /// <summary>Wide and light as it is, and narrow and dark.</summary>
    private static async Task ShotAsync(IPage page, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Built.Artifacts, "screenshots")).FullName;
        await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"walk-{name}-1280-light.png") });
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await page.SetViewportSizeAsync(390, 844);
        await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"walk-{name}-390-dark.png") });
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await page.SetViewportSizeAsync(1280, 800);
    }
}
