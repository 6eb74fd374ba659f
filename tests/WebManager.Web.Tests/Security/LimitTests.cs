using System.Net;
using System.Net.Http.Json;
using System.Text;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Security;

public sealed class LimitTests
{
    [Fact]
    public async Task Guessing_one_name_is_slowed_whether_it_exists_or_not_and_however_it_is_spelt()
    {
        using var portal = new TestPortal(("Limits:SignInsPerName", "4"));
        await portal.UserAsync("ada");
        using var anyone = portal.Browser();
        foreach (var name in new[] { "ada", "nobody" })
        {
            string[] bodies = [$$"""{"user":"{{name}}","password":"x"}""", $$"""{"User":" {{name.ToUpperInvariant()}}","password":"x"}""", $$"""{"password":"x","user":"{{name}}"}"""];
            async Task<HttpResponseMessage> TryAsync(int i)
            {
                using var body = new StringContent(bodies[i % 3], i % 2 == 0 ? Encoding.UTF8 : Encoding.Unicode, "application/json");
                return await anyone.PostAsync("/api/v1/session", body);
            }
            for (var i = 0; i < 4; i++) { await ApiTests.AssertProblemAsync(await TryAsync(i), 401, "auth.failed"); }
            var refused = await TryAsync(4);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
            await ApiTests.AssertProblemAsync(refused, 429, "limit.too-often");
            // The page's form counts together with the API.
            Assert.Equal(HttpStatusCode.TooManyRequests, (await portal.PostFormAsync(anyone, "/account/login", ("username", name), ("password", "x"))).StatusCode);
        }
        Assert.Equal(HttpStatusCode.Unauthorized, (await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest("another", "x"))).StatusCode);
    }

    [Fact]
    public async Task One_address_may_not_try_many_names()
    {
        using var portal = new TestPortal(("Limits:SignInsPerAddress", "5"));
        using var anyone = portal.Browser();
        for (var i = 0; i < 5; i++) { Assert.Equal(HttpStatusCode.Unauthorized, (await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest($"user{i}", "x"))).StatusCode); }
        Assert.Equal(HttpStatusCode.TooManyRequests, (await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest("user9", "x"))).StatusCode);
        using var page = new HttpRequestMessage(HttpMethod.Post, "/account/login") { Content = new FormUrlEncodedContent([]) };
        page.Headers.Add("Accept", "text/html");
        var answer = await anyone.SendAsync(page);
        Assert.Equal((HttpStatusCode.TooManyRequests, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        Assert.Equal(HttpStatusCode.OK, (await anyone.GetAsync("/login")).StatusCode);
        using var api = portal.Api();
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/api/v1/nodes")).StatusCode);
        using var large = new StringContent($$"""{"user":"{{new string('x', 100_000)}}","password":"x"}""", Encoding.UTF8, "application/json");
        Assert.True((int)(await anyone.PostAsync("/api/v1/session", large)).StatusCode is 413 or 429);
    }

    [Fact]
    public async Task Each_account_has_its_own_share_of_the_api()
    {
        using var portal = new TestPortal(("Limits:CallsPerAccount", "1"), ("Limits:CallsPerAddress", "1"), ("Limits:Burst", "5"));
        using var ada = portal.Api(await portal.UserAsync("ada"));
        using var bob = portal.Api(await portal.UserAsync("bob"));
        async Task<int> UntilRefusedAsync(HttpClient api)
        {
            for (var i = 0; i < 200; i++)
            {
                var answer = await api.GetAsync("/api/v1/cluster");
                if (answer.StatusCode != HttpStatusCode.TooManyRequests) { continue; }
                Assert.NotNull(answer.Headers.RetryAfter);
                await ApiTests.AssertProblemAsync(answer, 429, "limit.too-often");
                return i;
            }
            return -1;
        }
        Assert.InRange(await UntilRefusedAsync(ada), 5, 30);
        Assert.Equal(HttpStatusCode.OK, (await bob.GetAsync("/api/v1/cluster")).StatusCode);
        using var wrong = portal.Api("guess");
        Assert.InRange(await UntilRefusedAsync(wrong), 5, 30);
        using var local = portal.Api();
        for (var i = 0; i < 40; i++) { Assert.Equal(HttpStatusCode.OK, (await local.GetAsync("/api/v1/cluster")).StatusCode); }
    }
}
