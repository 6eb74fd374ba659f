using System.Net;
using System.Net.Http.Json;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

public sealed class AccountStateTests
{
    [Fact]
    public async Task Disabling_ends_browsers_and_tokens_at_once_and_keeps_out()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var browser = await portal.BrowserOfAsync("ada");
        using var api = await portal.ApiOfAsync("ada");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (await browser.StatusAsync(), await api.StatusAsync()));

        using var root = portal.Api();
        await People.ReadAsync<UserView>(await root.PatchAsJsonAsync("/api/v1/users/ada", new ModifyUserRequest { Active = false }));

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (await browser.StatusAsync(), await api.StatusAsync()));
        using var again = portal.Browser();
        Assert.Equal("/login?error=failed&returnUrl=%2F", await portal.LoginAsync(again, "ada"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await again.PostAsJsonAsync("/api/v1/session", new LoginRequest("ada", People.Password))).StatusCode);

        await People.ReadAsync<UserView>(await root.PatchAsJsonAsync("/api/v1/users/ada", new ModifyUserRequest { Active = true }));
        Assert.Equal("/", await portal.LoginAsync(again, "ada"));
    }

    [Theory]
    [InlineData("disable"), InlineData("demote"), InlineData("remove")]
    public async Task One_active_superuser_always_remains(string how)
    {
        using var portal = new TestPortal();
        string[] names = ["ada", "bob", "cyd", "dan"];
        foreach (var name in names) { await portal.AddAsync(name, superuser: true); }
        using var root = portal.Api();
        Task<HttpResponseMessage> TakeAsync(string name) => how switch
        {
            "disable" => root.PatchAsJsonAsync($"/api/v1/users/{name}", new { active = false }),
            "demote" => root.PatchAsJsonAsync($"/api/v1/users/{name}", new { superuser = false }),
            _ => root.DeleteAsync($"/api/v1/users/{name}"),
        };

        var answers = await Task.WhenAll(names.Select(TakeAsync));

        var refused = Assert.Single(answers, a => !a.IsSuccessStatusCode);
        await ApiTests.AssertProblemAsync(refused, how == "remove" ? 409 : 422, "user.last-superuser", how switch { "disable" => "active", "demote" => "superuser", _ => null });
        Assert.Single((await root.GetFromJsonAsync<UserView[]>("/api/v1/users", WireJson.Options))!, u => u is { Active: true, Superuser: true });
    }

    [Fact]
    public async Task A_change_of_rights_holds_for_those_who_are_signed_in()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada", superuser: true);
        await portal.AddAsync("bob");
        using var browser = await portal.BrowserOfAsync("bob");
        using var api = await portal.ApiOfAsync("bob");
        using var root = portal.Api();
        Assert.Equal(HttpStatusCode.Forbidden, await browser.StatusAsync("/api/v1/backup"));

        await root.PatchAsJsonAsync("/api/v1/users/bob", new { superuser = true });
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (await browser.StatusAsync("/api/v1/backup"), await api.StatusAsync("/api/v1/users")));

        await root.PatchAsJsonAsync("/api/v1/users/bob", new { superuser = false });
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (await browser.StatusAsync("/api/v1/backup"), await api.StatusAsync("/api/v1/backup")));
    }

    [Fact]
    public async Task A_removed_user_is_gone_with_everything_that_was_open()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada", superuser: true);
        await portal.AddAsync("bob");
        using var browser = await portal.BrowserOfAsync("bob");
        using var api = await portal.ApiOfAsync("bob");
        using var root = portal.Api();
        Assert.Equal(HttpStatusCode.NoContent, (await root.DeleteAsync("/api/v1/users/bob")).StatusCode);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (await browser.StatusAsync(), await api.StatusAsync()));
        Assert.Equal(HttpStatusCode.NotFound, await root.StatusAsync("/api/v1/users/bob"));
    }
}
