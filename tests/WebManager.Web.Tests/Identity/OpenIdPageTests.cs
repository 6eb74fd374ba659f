using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Contracts.Api;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

/// <summary>The way to the provider and back in a real browser, under the real policy and with its rules for cookies: the provider is another site.</summary>
public sealed class OpenIdPageTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task A_person_signs_in_with_the_button_and_sees_where_the_password_lives()
    {
        await using var provider = await OpenIdProvider.StartAsync();
        using var portal = new TestPortal([.. provider.Settings, ("OpenId:Passkeys", "true")]);
        await using var pages = chromium.For(portal);
        var page = await pages.OpenAsync();
        page.SetDefaultTimeout(45_000);
        List<string> complaints = [];
        page.Console += (_, m) => { if (m.Type == "error" && m.Text.Contains("Content Security Policy", StringComparison.Ordinal)) { complaints.Add(m.Text); } };
        await page.GotoAsync("/profile");
        await PageTests.ShotAsync(page, "login-openid");
        await page.GetByTestId("sign-in-openid").ClickAsync();
        await page.Locator("#no").ClickAsync();
        await page.GetByTestId("account-error").GetByText("did not let you in").WaitForAsync();
        await page.GotoAsync("/profile");
        await page.GetByTestId("sign-in-openid").ClickAsync();
        await page.Locator("#yes").ClickAsync();
        await page.GetByTestId("password-elsewhere").GetByText("Your password lives in Example Login.").WaitForAsync();
        Assert.Equal("/profile", new Uri(page.Url).AbsolutePath);
        await PageTests.ShotAsync(page, "profile-openid");

        // A fresh sign-in is enough where there is neither password nor second factor.
        await AuthenticatorAsync(page);
        await page.GetByTestId("passkey-name").FillAsync("stick");
        await page.GetByTestId("passkey-add").ClickAsync();
        await page.GetByTestId("passkey-remove-stick").WaitForAsync();
        await Chromium.SignOutAsync(page);
        await page.GetByTestId("sign-in-passkey").ClickAsync();
        await page.Locator("main.content h1").First.WaitForAsync();
        Assert.Empty(complaints);

        using var root = portal.Api();
        Assert.Equal(["sign-in.passkey", "sign-in.openid", "sign-in.openid"], (await DirectoryTests.AuditAsync(root, "sign-in")).Select(e => e.Operation));
        Assert.Equal("ada", Assert.Single(await DirectoryTests.AuditAsync(root, "sign-out")).User);
    }

    [Fact]
    public async Task Who_removes_a_user_or_a_group_is_told_what_becomes_of_their_instances()
    {
        using var folder = new TempFolder();
        await SeedAsync(folder, "web1", "web2", "db1");
        using var portal = new TestPortal(("Portal:Data", folder.Path));
        await using var pages = chromium.For(portal);
        using var root = portal.Api(File.ReadAllText(Path.Combine(folder.Path, "local-token")).Trim());
        foreach (var user in new[] { "root", "ada" }) { await portal.UserAsync(user, administrator: user == "root"); }
        (await root.PostAsJsonAsync("/api/v1/user-groups", new AddUserGroupRequest("ops"))).EnsureSuccessStatusCode();
        foreach (var (name, owner) in new[] { ("web1", "user:ada"), ("web2", "user:ada"), ("db1", "usergroup:ops") })
        {
            (await root.PostAsJsonAsync($"/api/v1/instances/{name}/change-owner", new { owner })).EnsureSuccessStatusCode();
        }
        var page = await pages.SignedInAsync("root", "/users/ada");
        await page.GetByTestId("user-remove").ClickAsync();
        await page.GetByTestId("confirm").GetByText("Its 2 instances run on and become nobody's").WaitForAsync();
        await page.GetByTestId("confirm-no").ClickAsync();
        await page.GotoAsync("/user-groups/ops");
        await page.GetByTestId("user-group-remove").ClickAsync();
        await page.GetByTestId("confirm").GetByText("Its instance runs on and becomes nobody's").WaitForAsync();
    }

    /// <summary>Instances on a node that is away, in the store before the portal starts.</summary>
    internal static async Task SeedAsync(TempFolder folder, params string[] names)
    {
        var (changes, at) = (new Changes(), DateTimeOffset.UtcNow.AddDays(-1));
        changes.Nodes.Add(new Node("n1", "127.0.0.1:9", at, 1) { Offline = true, Cpus = 4, MemoryMiB = 4096, DiskMiB = 1 << 20 });
        foreach (var name in names)
        {
            changes.Instances.Add(new Instance(Guid.NewGuid(), name, "", "tiny-linux", 1, 128, DiskTemplate.File, [new DiskSpec(0, Guid.NewGuid(), 64)], [], "n1", null, at, 1) { Wanted = AdminState.Down, Stage = LifeStage.Ready });
        }
        await using var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddPortalData(new DataFolder(folder.Path)).BuildServiceProvider();
        await using (var db = await services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync()) { await db.Database.MigrateAsync(); }
        await services.GetRequiredService<IClusterStore>().CommitAsync(changes, default);
    }

    private static async Task AuthenticatorAsync(IPage page)
    {
        var cdp = await page.Context.NewCDPSessionAsync(page);
        await cdp.SendAsync("WebAuthn.enable");
        await cdp.SendAsync("WebAuthn.addVirtualAuthenticator", new()
        {
            ["options"] = new Dictionary<string, object>
            {
                ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true,
            },
        });
    }
}
