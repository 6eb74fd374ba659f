using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace WebManager.Web.Tests.Support;

/// <summary>A small OpenID provider: discovery, authorize, token, userinfo, keys. It checks what it is sent, and lies where a test tells it to.</summary>
internal sealed class OpenIdProvider : IAsyncDisposable
{
    private const string Client = "webmanager", Secret = "the secret of the client";
    private readonly WebApplication _app;
    private readonly RSA _key = RSA.Create(2048), _foreign = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, Asked> _codes = new();
    private readonly ConcurrentDictionary<string, bool> _access = new();

    private sealed record Asked(string Nonce, string Challenge, string RedirectUri);

    private OpenIdProvider(WebApplication app) => _app = app;

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Who is signed in at the provider.</summary>
    public Dictionary<string, object> Person { get; set; } = Of("1", "ada");

    /// <summary>What userinfo says; left out: the same.</summary>
    public Dictionary<string, object>? Userinfo { get; set; }

    /// <summary>Changes the claims of the next tokens.</summary>
    public Action<Dictionary<string, object>>? Tweak { get; set; }

    /// <summary>How tokens are signed: right; by a foreign key; none: not at all, and they say so; empty: not at all.</summary>
    public string Signing { get; set; } = "right";

    public (string, string)[] Settings => [("OpenId:Authority", Address), ("OpenId:ClientId", Client), ("OpenId:ClientSecret", Secret), ("OpenId:Name", "Example Login")];

    public static Dictionary<string, object> Of(string subject, string name, params string[] groups) =>
        new() { ["sub"] = subject, ["preferred_username"] = name, ["name"] = name + " of Example", ["email"] = $"{name}@example.org", ["groups"] = groups };

    public static async Task<OpenIdProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var provider = new OpenIdProvider(app);
        app.MapGet("/.well-known/openid-configuration", provider.Discovery);
        app.MapGet("/keys", provider.Keys);
        app.MapGet("/authorize", provider.Authorize);
        app.MapPost("/token", provider.TokenAsync);
        app.MapGet("/userinfo", provider.UserinfoOf);
        await app.StartAsync();
        return provider;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
        _foreign.Dispose();
    }

    private IResult Discovery() => Results.Json(new Dictionary<string, object>
    {
        ["issuer"] = Address, ["authorization_endpoint"] = Address + "/authorize", ["token_endpoint"] = Address + "/token", ["userinfo_endpoint"] = Address + "/userinfo", ["jwks_uri"] = Address + "/keys",
        ["response_types_supported"] = new[] { "code" }, ["subject_types_supported"] = new[] { "public" }, ["id_token_signing_alg_values_supported"] = new[] { "RS256" },
    });

    private IResult Keys()
    {
        var key = _key.ExportParameters(false);
        return Results.Json(new { keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = "k1", n = Base64Url.EncodeToString(key.Modulus), e = Base64Url.EncodeToString(key.Exponent) } } });
    }

    /// <summary>The person says yes or no here; ?yes goes on at once.</summary>
    private IResult Authorize(HttpRequest request)
    {
        string Of(string name) => request.Query[name].ToString();
        if (Of("client_id") != Client || Of("response_type") != "code" || Of("code_challenge_method") != "S256" || !Of("scope").Split(' ').Contains("openid") || Of("nonce").Length == 0 || Of("state").Length == 0)
            return Results.BadRequest("This is no request of the portal.");
        var back = $"{Of("redirect_uri")}?state={Uri.EscapeDataString(Of("state"))}";
        var code = Guid.NewGuid().ToString("N");
        _codes[code] = new Asked(Of("nonce"), Of("code_challenge"), Of("redirect_uri"));
        var (yes, no) = ($"{back}&code={code}", $"{back}&error=access_denied");
        return request.Query.ContainsKey("yes") ? Results.Redirect(yes) : request.Query.ContainsKey("no") ? Results.Redirect(no)
            : Results.Content($"<!DOCTYPE html><title>Example Login</title><h1>Example Login</h1><a id=yes href=\"{yes}\">Go on</a> <a id=no href=\"{no}\">No</a>", "text/html");
    }

    private async Task<IResult> TokenAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        if (form["client_id"] != Client || form["client_secret"] != Secret || form["grant_type"] != "authorization_code" || !_codes.TryRemove(form["code"].ToString(), out var asked)
            || form["redirect_uri"] != asked.RedirectUri || Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != asked.Challenge)
            return Results.Json(new { error = "invalid_grant" }, statusCode: 400);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new Dictionary<string, object>(Person) { ["iss"] = Address, ["aud"] = Client, ["nonce"] = asked.Nonce, ["iat"] = now, ["exp"] = now + 300 };
        Tweak?.Invoke(claims);
        var access = Guid.NewGuid().ToString("N");
        _access[access] = true;
        return Results.Json(new { access_token = access, token_type = "Bearer", expires_in = 300, id_token = Sign(claims) });
    }

    private IResult UserinfoOf(HttpRequest request) =>
        _access.ContainsKey(request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal)) ? Results.Json(Userinfo ?? Person) : Results.Unauthorized();

    private string Sign(Dictionary<string, object> claims)
    {
        static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
        var text = $"{Part(new { alg = Signing == "none" ? "none" : "RS256", typ = "JWT", kid = "k1" })}.{Part(claims)}";
        return Signing is "none" or "empty" ? text + "." : $"{text}.{Base64Url.EncodeToString((Signing == "foreign" ? _foreign : _key).SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }
}
