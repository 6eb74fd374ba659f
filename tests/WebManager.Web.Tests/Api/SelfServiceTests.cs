// People without rights ask, an administrator answers, and what was given holds at once: on a whole portal, over the API and in two browsers.
using System.Net.Http.Json;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Identity;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Api;

public sealed class SelfServiceTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB ada@laptop";

    [Fact]
    public async Task Quota_is_asked_for_given_and_in_force_and_nobody_else_sees_it()
    {
        using var portal = new TestPortal();
        using var root = portal.Api();
        using var ada = portal.Api(await portal.UserAsync("ada"));
        using var eve = portal.Api(await portal.UserAsync("eve"));
        await DoneAsync(root.PutAsJsonAsync("/api/v1/quotas/default", new SetQuotaRequest(new QuotaLimitsView(new LimitsView(Instances: 0), new LimitsView())), WireJson.Options));
        await ApiTests.AssertProblemAsync(await ada.PostAsJsonAsync("/api/v1/requests", new AskRequest("quota", "for the course"), WireJson.Options), 422, "request.no-limits", "limits");
        await ApiTests.AssertProblemAsync(await ada.PostAsJsonAsync("/api/v1/requests", new AskRequest("quota", "me") { Owner = "user:eve", Limits = new(new(9), new()) }, WireJson.Options), 403, "right.missing");
        await DoneAsync(ada.PostAsJsonAsync("/api/v1/requests", new AskRequest("quota", "for the course") { Limits = new(new(2), new()) }, WireJson.Options));
        var asked = Assert.Single(await ada.GetFromJsonAsync<UserRequestView[]>("/api/v1/requests", WireJson.Options) ?? []);
        Assert.Equal(("open", "ada", "for the course"), (asked.State, asked.By, asked.Reason));
        Assert.Empty(await eve.GetFromJsonAsync<UserRequestView[]>("/api/v1/requests", WireJson.Options) ?? []);
        await ApiTests.AssertProblemAsync(await ada.PostAsJsonAsync($"/api/v1/requests/{asked.Id}/decide", new DecideRequestRequest(true), WireJson.Options), 403, "right.missing");
        await ApiTests.AssertProblemAsync(await root.PostAsJsonAsync($"/api/v1/requests/{asked.Id}/decide", new DecideRequestRequest(false), WireJson.Options), 422, "reason.missing", "answer");
        await DoneAsync(root.PostAsJsonAsync($"/api/v1/requests/{asked.Id}/decide", new DecideRequestRequest(true) { Answer = "welcome" }, WireJson.Options));
        var quota = await ada.GetFromJsonAsync<QuotaView>("/api/v1/quotas/me", WireJson.Options);
        Assert.Equal((2, true), (quota!.Limits.Allocated.Instances, quota.Own));
        await ApiTests.AssertProblemAsync(await eve.GetAsync("/api/v1/quotas/user:ada"), 404, "owner.not-found");
    }

    [Fact]
    public async Task Keys_are_ones_own()
    {
        using var portal = new TestPortal();
        using var root = portal.Api();
        using var ada = portal.Api(await portal.UserAsync("ada"));
        using var eve = portal.Api(await portal.UserAsync("eve"));
        await DoneAsync(ada.PostAsJsonAsync("/api/v1/ssh-keys", new AddSshKeyRequest(Key), WireJson.Options));
        var key = Assert.Single(await ada.GetFromJsonAsync<SshKeyView[]>("/api/v1/ssh-keys", WireJson.Options) ?? []);
        Assert.Equal(("ada", "ada@laptop"), (key.User, key.Name));
        Assert.Empty(await eve.GetFromJsonAsync<SshKeyView[]>("/api/v1/ssh-keys", WireJson.Options) ?? []);
        await ApiTests.AssertProblemAsync(await eve.PostAsJsonAsync("/api/v1/ssh-keys", new AddSshKeyRequest(Key) { User = "ada" }, WireJson.Options), 403, "right.missing");
        await ApiTests.AssertProblemAsync(await eve.DeleteAsync($"/api/v1/ssh-keys/{key.Id}"), 403, "right.missing");
        await ApiTests.AssertProblemAsync(await ada.PostAsJsonAsync("/api/v1/ssh-keys", new AddSshKeyRequest("-----BEGIN OPENSSH PRIVATE KEY-----"), WireJson.Options), 422, "ssh-key.invalid", "key");
        await DoneAsync(ada.DeleteAsync($"/api/v1/ssh-keys/{key.Id}"));
        Assert.Empty(await root.GetFromJsonAsync<SshKeyView[]>("/api/v1/ssh-keys", WireJson.Options) ?? []);
    }

    [Fact]
    public async Task Answer_appears_in_the_browser_of_who_asked_without_a_reload()
    {
        using var portal = new TestPortal();
        foreach (var (name, super) in new[] { ("ada", false), ("sue", true) }) { await portal.AddAsync(name, super); }
        await using var pages = chromium.For(portal);
        var (hers, boss) = (await pages.SignedInAsync("ada"), await pages.SignedInAsync("sue"));
        await hers.GotoAsync("/requests");
        await hers.GetByTestId("ask-quota").ClickAsync();
        await hers.GetByTestId("ask-instances").FillAsync("7");
        await hers.GetByTestId("ask-do").ClickAsync();
        await hers.GetByTestId("error-reason").WaitForAsync();   // it wants to know why
        await hers.GetByTestId("ask-reason").FillAsync("<script>window.bad = 1</script> for \u202Ethe course");
        await boss.GotoAsync("/requests");
        await hers.GetByTestId("ask-do").ClickAsync();
        await boss.Locator("[data-testid^=approve-]").ClickAsync();
        await hers.Locator("[data-testid=requests-done] [data-state=Approved]").WaitForAsync();
        Assert.Null(await boss.EvaluateAsync<int?>("window.bad ?? null"));
        await hers.GotoAsync("/quotas");
        Assert.Contains("7", await hers.GetByTestId("owner-ada").InnerTextAsync(), StringComparison.Ordinal);
        await hers.GotoAsync("/ssh-keys");
        await hers.GetByTestId("key-text").FillAsync("ssh-dss AAAA");
        await hers.GetByTestId("key-add").ClickAsync();
        await hers.GetByTestId("error-key").WaitForAsync();
        await hers.GetByTestId("key-text").FillAsync(Key);
        await hers.GetByTestId("key-add").ClickAsync();
        await hers.GetByTestId("ssh-key").WaitForAsync();
        foreach (var (page, path, name) in new[] { (hers, "/ssh-keys", "ssh-keys"), (boss, "/requests", "requests") }) { Assert.EndsWith(path, page.Url, StringComparison.Ordinal); await FlowTests.ShotsAsync(page, name); }
    }

    private static async Task DoneAsync(Task<HttpResponseMessage> answer)
    {
        using var got = await answer;
        Assert.True(got.IsSuccessStatusCode, $"{got.StatusCode}: {await got.Content.ReadAsStringAsync()}");
    }
}
