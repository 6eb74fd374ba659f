using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Identity;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

public sealed class SessionTests
{
    [Fact]
    public async Task People_see_their_sessions_and_end_one_or_all_others()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        await portal.AddAsync("bob");
        using var here = await portal.BrowserOfAsync("ada");
        using var phone = await portal.BrowserOfAsync("ada");
        using var office = await portal.BrowserOfAsync("ada");
        using var stranger = await portal.BrowserOfAsync("bob");
        async Task<SessionView[]> ListAsync(HttpClient of) => (await of.GetFromJsonAsync<SessionView[]>("/api/v1/profile/sessions", WireJson.Options))!;

        var all = await ListAsync(here);
        Assert.Equal(3, all.Length);
        var theirs = Assert.Single(await ListAsync(phone), s => s.Current).Id;
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.DeleteAsync($"/api/v1/profile/sessions/{theirs}")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, await phone.StatusAsync());

        Assert.Equal(HttpStatusCode.NoContent, (await here.DeleteAsync($"/api/v1/profile/sessions/{theirs}")).StatusCode);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK, HttpStatusCode.OK), (await phone.StatusAsync(), await office.StatusAsync(), await here.StatusAsync()));

        Assert.Equal(HttpStatusCode.NoContent, (await here.DeleteAsync("/api/v1/profile/sessions")).StatusCode);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await office.StatusAsync(), await here.StatusAsync()));
        Assert.True(Assert.Single(await ListAsync(here)).Current);
        Assert.Equal(HttpStatusCode.OK, await stranger.StatusAsync());
    }

    [Fact]
    public async Task A_superuser_signs_somebody_out_everywhere()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var browser = await portal.BrowserOfAsync("ada");
        using var api = await portal.ApiOfAsync("ada");
        using var root = portal.Api();
        Assert.Single((await root.GetFromJsonAsync<SessionView[]>("/api/v1/users/ada/sessions", WireJson.Options))!);
        Assert.Equal(HttpStatusCode.NoContent, (await root.DeleteAsync("/api/v1/users/ada/sessions")).StatusCode);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (await browser.StatusAsync(), await api.StatusAsync()));
    }

    [Fact]
    public async Task A_new_password_takes_the_old_one_and_ends_all_but_where_it_was_set()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var here = await portal.BrowserOfAsync("ada");
        using var other = await portal.BrowserOfAsync("ada");
        using var api = await portal.ApiOfAsync("ada");
        const string Next = "another horse battery";
        var wrong = await here.PostAsJsonAsync("/api/v1/profile/password", new ChangePasswordRequest("guess", Next));
        await Api.ApiTests.AssertProblemAsync(wrong, 422, "user.password-wrong", "oldPassword");
        await Api.ApiTests.AssertProblemAsync(await here.PostAsJsonAsync("/api/v1/profile/password", new ChangePasswordRequest(People.Password, "short")), 422, "user.password-weak", "newPassword");
        Assert.Equal(HttpStatusCode.OK, await other.StatusAsync());

        Assert.Equal(HttpStatusCode.NoContent, (await here.PostAsJsonAsync("/api/v1/profile/password", new ChangePasswordRequest(People.Password, Next))).StatusCode);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (await here.StatusAsync(), await other.StatusAsync(), await api.StatusAsync()));
        using var late = portal.Browser();
        Assert.StartsWith("/login?error=failed", await portal.LoginAsync(late, "ada"), StringComparison.Ordinal);
        Assert.Equal("/", await portal.LoginAsync(late, "ada", Next));
    }

    [Fact]
    public async Task An_open_page_does_not_serve_for_guessing_the_password()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var here = await portal.BrowserOfAsync("ada");
        Task<HttpResponseMessage> TryAsync(string old) => here.PostAsJsonAsync("/api/v1/profile/password", new ChangePasswordRequest(old, "another horse battery"));
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => TryAsync($"guess {i}")));
        await Api.ApiTests.AssertProblemAsync(await TryAsync(People.Password), 422, "user.password-wrong", "oldPassword");
        using var door = portal.Browser();
        Assert.StartsWith("/login?error=failed", await portal.LoginAsync(door, "ada"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_even_for_a_kept_cookie()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        var cookies = new CookieContainer();
        using var browser = await portal.BrowserOfAsync("ada", cookies);
        var kept = new CookieContainer();
        foreach (Cookie cookie in cookies.GetAllCookies()) { kept.Add(portal.Address, new Cookie(cookie.Name, cookie.Value)); }
        using var thief = portal.Browser(kept);
        Assert.Equal(HttpStatusCode.OK, await thief.StatusAsync());
        // The form's field is bound to who is signed in, so it comes from the page.
        var (field, value) = await portal.AntiforgeryOfAsync(browser);
        using var form = new FormUrlEncodedContent([new(field, value)]);
        Assert.Equal("/login", (await browser.PostAsync("/account/logout", form)).Headers.Location!.OriginalString);
        Assert.Equal(HttpStatusCode.Unauthorized, await thief.StatusAsync());
    }

    [Fact]
    public async Task What_watches_a_sign_in_ends_with_it_and_not_with_another()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var api = await portal.ApiOfAsync("ada");
        var sessions = portal.Services.GetRequiredService<Sessions>();
        var tokens = portal.Services.GetRequiredService<ApiTokens>();
        async Task<ClaimsPrincipal> WhoAsync(HttpClient of) => (await tokens.FindAsync(of.DefaultRequestHeaders.Authorization!.Parameter!, "test", default))!;
        using var second = await portal.ApiOfAsync("ada");
        var (first, other) = (await WhoAsync(api), await WhoAsync(second));
        using var watched = await sessions.WatchAsync(first);
        using var stays = await sessions.WatchAsync(other);

        Assert.Equal(HttpStatusCode.NoContent, (await api.DeleteAsync("/api/v1/session")).StatusCode);

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(watched.Ended);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(TimeSpan.FromSeconds(2), limit.Token));
        Assert.False(stays.Ended.IsCancellationRequested);
        using var late = await sessions.WatchAsync(first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(TimeSpan.FromSeconds(2), late.Ended));
    }
}
