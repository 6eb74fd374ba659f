// A portal with three nodes of the fake hypervisor, for what is asked by Ganeti's own programs.
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests.Rapi;

public sealed class RapiLab : IAsyncLifetime
{
    public const string User = "admin";
    private PortalProcess? _portal;
    private HttpClient? _http;

    public PortalProcess Portal => _portal!;

    /// <summary>As htools take it: with name and password.</summary>
    public string Address => $"https://{User}:{PortalProcess.AdminPassword}@localhost:{Portal.RapiPort}";

    public async ValueTask InitializeAsync()
    {
        _portal = await PortalProcess.StartAsync(settings: new Dictionary<string, string> { ["Lab__Hypervisor"] = "fake" });
        _http = Client(Portal.RapiPort, User, PortalProcess.AdminPassword);
    }

    public static HttpClient Client(int port, string user, string password)
    {
        // The certificate is the cluster's own; this is about what is said, not to whom.
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } };
        var http = new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{port}"), Timeout = TimeSpan.FromSeconds(60) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
        return http;
    }

    public async Task<(HttpStatusCode Code, string Body)> AskAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _http!.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_portal is not null) await _portal.DisposeAsync();
    }
}

/// <summary>What docs/rapi.md says of the differences, so that the tests and the page cannot drift apart.</summary>
internal static class RapiPage
{
    /// <summary>First cells of the rows of the table below a heading, without backticks.</summary>
    public static IReadOnlyList<string> Rows(string heading)
    {
        var lines = File.ReadAllLines(Path.Combine(Built.Root, "docs", "rapi.md")).SkipWhile(l => l.Trim() != "## " + heading).Skip(1).TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal));
        return [.. lines.Where(l => l.StartsWith('|')).Skip(2).Select(l => l.Split('|')[1].Trim().Replace("`", "", StringComparison.Ordinal))];
    }
}
