using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;
using WebManager.Contracts.Api;
using WebManager.Web.Hosting;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Security;

public sealed class HeaderTests
{
    [Fact]
    public async Task Every_answer_tells_the_browser_what_it_may()
    {
        using var portal = new TestPortal();
        using var anyone = portal.Browser();
        foreach (var path in new[] { "/login", "/css/app.css", "/api/v1/nodes", "/api/v1/nothing", "/healthz", "/nodes", "/nothing", "/openapi/v1.json" })
        {
            var answer = await anyone.GetAsync(path);
            string Of(string name) => answer.Headers.TryGetValues(name, out var values) ? string.Join(" | ", values) : "";
            var policy = Of("Content-Security-Policy");
            Assert.DoesNotContain("|", policy, StringComparison.Ordinal);
            foreach (var part in new[] { "default-src 'self';", "script-src 'self';", "object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'", $"connect-src 'self' ws://{portal.Address.Authority};" })
            {
                Assert.Contains(part, policy, StringComparison.Ordinal);
            }
            Assert.Equal(("nosniff", "same-origin", "same-origin", "DENY", ""), (Of("X-Content-Type-Options"), Of("Referrer-Policy"), Of("Cross-Origin-Opener-Policy"), Of("X-Frame-Options"), Of("Strict-Transport-Security")));
            Assert.Contains("camera=()", Of("Permissions-Policy"), StringComparison.Ordinal);
            if (path.StartsWith("/api", StringComparison.Ordinal)) { Assert.Equal("no-store", Of("Cache-Control")); }
        }
    }

    [Fact]
    public async Task A_proxy_is_believed_only_when_it_is_configured()
    {
        async Task<(string Hsts, string Policy)> AskAsync(string proxies)
        {
            using var portal = new TestPortal(("Portal:Proxies", proxies));
            using var anyone = portal.Browser();
            using var request = new HttpRequestMessage(HttpMethod.Get, "/login");
            request.Headers.Host = "cloud.example.org";
            request.Headers.Add("X-Forwarded-Proto", "https");
            var answer = await anyone.SendAsync(request);
            return (answer.Headers.TryGetValues("Strict-Transport-Security", out var hsts) ? hsts.Single() : "", answer.Headers.GetValues("Content-Security-Policy").Single());
        }
        var (none, plain) = await AskAsync("");
        Assert.Equal("", none);
        Assert.Contains("ws://cloud.example.org;", plain, StringComparison.Ordinal);
        Assert.Equal("", (await AskAsync("192.0.2.1;10.0.0.0/8")).Hsts);
        var (hsts, policy) = await AskAsync("10.0.0.0/8;127.0.0.1");
        Assert.StartsWith("max-age=", hsts, StringComparison.Ordinal);
        Assert.Contains("wss://cloud.example.org;", policy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_is_none_does_not_get_into_the_policy()
    {
        var http = new DefaultHttpContext();
        http.Request.Host = new HostString("evil; script-src *");
        Assert.DoesNotContain("evil", SecurityHeaders.Policy(http.Request), StringComparison.Ordinal);
    }
}
