using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using WebManager.Web.Hosting;

namespace WebManager.Web.Tests.Support;

/// <summary>A whole portal with its own data folder, on a real port of loopback.</summary>
public sealed class TestPortal : WebApplicationFactory<PortalOptions>
{
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string> _settings = [];

    private readonly Action<IServiceCollection>? _services;

    public TestPortal(params (string Key, string Value)[] settings) : this(null, settings) { }

    /// <summary>services: what takes the place of the portal's own.</summary>
    public TestPortal(Action<IServiceCollection>? services, params (string Key, string Value)[] settings)
    {
        _services = services;
        foreach (var (key, value) in settings) { _settings[key] = value; }
        UseKestrel(0);
        StartServer();
        Address = new Uri(Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public Uri Address { get; }
    public string Data => _folder.Path;
    public string LocalToken => File.ReadAllText(Path.Combine(Data, "local-token")).Trim();

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("Portal:Data", _folder.Path);
        builder.UseSetting("Rapi:Port", "0");
        builder.UseSetting("Logging:LogLevel:Default", "Error");
        foreach (var (key, value) in _settings) { builder.UseSetting(key, value); }
        if (_services is not null) { builder.ConfigureTestServices(_services); }
    }

    /// <summary>A browser without redirects, with cookies.</summary>
    public HttpClient Browser(CookieContainer? cookies = null) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = cookies ?? new CookieContainer() }) { BaseAddress = Address };

    public HttpClient Api(string? token = null)
    {
        var client = new HttpClient { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token ?? LocalToken);
        return client;
    }

    /// <summary>Posts a form as the page would: with the antiforgery field and cookie.</summary>
    public async Task<HttpResponseMessage> PostFormAsync(HttpClient browser, string path, params (string Name, string Value)[] fields)
    {
        await using var scope = Services.CreateAsyncScope();
        var tokens = scope.ServiceProvider.GetRequiredService<IAntiforgery>().GetTokens(new DefaultHttpContext { RequestServices = scope.ServiceProvider });
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = new FormUrlEncodedContent(fields.Append((tokens.FormFieldName, tokens.RequestToken!)).Select(f => KeyValuePair.Create(f.Item1, f.Item2)));
        request.Headers.Add("Cookie", $"{scope.ServiceProvider.GetRequiredService<IOptions<AntiforgeryOptions>>().Value.Cookie.Name}={tokens.CookieToken}");
        return await browser.SendAsync(request);
    }

    /// <summary>The antiforgery field of a page with a form, as this browser gets it.</summary>
    public async Task<(string Field, string Value)> AntiforgeryOfAsync(HttpClient browser)
    {
        var page = await browser.GetStringAsync("/login?error=failed");
        var name = Services.GetRequiredService<IOptions<AntiforgeryOptions>>().Value.FormFieldName;
        return (name, page.Split($"name=\"{name}\" value=\"")[1].Split('"')[0]);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _folder.Dispose();
    }
}

public sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("wm-test-").FullName;

    public void Dispose()
    {
        try { Directory.Delete(Path, recursive: true); }
        catch (IOException) { }
    }
}
