// Ganeti's remote API at its door: who gets in and sees what, on which port, and what is said to who does not.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Testing.E2E;
using PortalUser = WebManager.Web.Data.PortalUser;
using WebManager.Web.Identity;
using WebManager.Web.Rapi;
using WebManager.Web.Tests.Support;
using Xunit;

namespace WebManager.Web.Tests.Rapi;

public sealed class RapiTests(RapiTests.Portal shared) : IClassFixture<RapiTests.Portal>
{
    public sealed class Portal : IDisposable
    {
        public TestPortal Test { get; } = new(("Limits:SignInsPerAddress", "0"), ("Limits:SignInsPerName", "0"));
        public void Dispose() => Test.Dispose();
    }

    private readonly TestPortal _portal = shared.Test;

    private HttpClient Client(string? user = "local", string? password = null) => ClientOf(_portal, user, password ?? _portal.LocalToken);

    private static HttpClient ClientOf(TestPortal portal, string? user, string password)
    {
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } };
        var http = new HttpClient(handler) { BaseAddress = portal.Services.GetRequiredService<RapiHost>().Address };
        if (user is not null) { http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))); }
        return http;
    }

    private static async Task<JsonElement> ReadAsync(HttpClient client, string path) => JsonElement.Parse(await client.GetStringAsync(path));

    [Fact]
    public async Task Each_port_serves_its_own_and_nothing_of_the_other()
    {
        using var rapi = Client();
        foreach (var path in (string[])["/login", "/api/v1/cluster", "/healthz", "/hubs/cluster", "/css/app.css", "/join"]) { Assert.Equal(HttpStatusCode.NotFound, await rapi.StatusAsync(path)); }
        using var portal = _portal.Api();
        Assert.Equal(HttpStatusCode.NotFound, await portal.StatusAsync("/2/info"));
        Assert.Equal(HttpVersion.Version11, (await rapi.GetAsync("/version")).Version);
    }

    [Fact]
    public async Task The_certificate_is_signed_by_the_clusters_own_authority_and_kept()
    {
        var shown = new List<string>();
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, c, _, _) => { shown.Add($"{c!.Issuer} {c.Subject}"); return true; } } };
        using var http = new HttpClient(handler) { BaseAddress = _portal.Services.GetRequiredService<RapiHost>().Address };
        await http.GetAsync("/version");
        Assert.Contains("WebManager cluster CA", Assert.Single(shown), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_portal.Data, "ca", "rapi.pem")));
    }

    [Theory]
    [InlineData("GET", "/2/nosuch", null, 404, "Not Found")]
    [InlineData("DELETE", "/2/info", null, 501, "Method DELETE is unsupported for path /2/info")]
    [InlineData("GET", "/2/nodes?bulk=abc", null, 400, "Invalid value for the &#x27;bulk&#x27; parameter")]
    [InlineData("GET", "/2/instances?lock=1", null, 500, "(&#x27;Sync queries are not allowed&#x27;, &#x27;wrong_input&#x27;)")]
    [InlineData("GET", "/2/query/node", null, 400, "Missing &#x27;fields&#x27; query argument")]
    [InlineData("POST", "/2/instances", "[1]", 400, "Body contents: Type is &#x27;list&#x27;, but &#x27;dict&#x27; is expected")]
    [InlineData("POST", "/2/instances", "{", 400, "Unable to parse JSON data")]
    [InlineData("POST", "/2/instances", """{"mode":"create","mode":"create"}""", 400, "Unable to parse JSON data")]
    [InlineData("PUT", "/2/query/instance", """{"fields":["\ud800"]}""", 400, "Unable to parse JSON data")]
    [InlineData("PUT", "/2/query/instance", """{"fields":["name","name"]}""", 400, "Invalid body parameters: a field is named twice")]
    [InlineData("GET", "/2/jobs/1/wait", """{"fields":["ops","ops"]}""", 400, "Invalid body parameters: too many fields, or one twice")]
    [InlineData("POST", "/2/instances", """{"__version__":2}""", 400, "Unsupported request data version 2")]
    [InlineData("PUT", "/2/instances/web/startup", """{"bogus":1}""", 400, "Invalid body parameters: Object OpInstanceStartup doesn&#x27;t support the parameter &#x27;bogus&#x27;")]
    [InlineData("PUT", "/2/instances/web/shutdown", """{"timeout":-1}""", 400, "Invalid body parameters: (&quot;Parameter &#x27;OP_INSTANCE_SHUTDOWN.timeout&#x27; fails validation&quot;, &#x27;wrong_input&#x27;)")]
    [InlineData("PUT", "/2/instances/web/startup", """{"startup_paused":true}""", 501, "The parameter startup_paused of OP_INSTANCE_STARTUP is not supported here")]
    [InlineData("PUT", "/2/instances/web/startup", """{"depends":[[1,["maybe"]]]}""", 400, "Invalid body parameters: (&quot;Parameter &#x27;depends&#x27; fails validation&quot;, &#x27;wrong_input&#x27;)")]
    [InlineData("PUT", "/2/instances/web/startup", """{"depends":[1]}""", 400, "Invalid body parameters: (&quot;Parameter &#x27;depends&#x27; fails validation&quot;, &#x27;wrong_input&#x27;)")]
    [InlineData("PUT", "/2/nodes/n1/role", """{"a":1}""", 400, "Body contents: Type is &#x27;dict&#x27;, but &#x27;str&#x27; is expected")]
    [InlineData("PUT", "/2/tags", null, 400, "Please specify tag(s) to add using the the &#x27;tag&#x27; parameter")]
    [InlineData("PUT", "/2/modify", """{"compression_tools":[]}""", 403, "The parameter compression_tools cannot be set via RAPI")]
    public async Task Bad_requests_are_told_in_ganetis_words(string method, string path, string? body, int code, string message)
    {
        using var client = Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) { request.Content = new StringContent(body, Encoding.UTF8, "application/json"); }
        var answer = await client.SendAsync(request);
        var error = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((code, code, message), ((int)answer.StatusCode, error.GetProperty("code").GetInt32(), error.GetProperty("message").GetString()));
        Assert.NotEmpty(error.GetProperty("explain").GetString()!);
    }

    [Fact]
    public async Task A_page_in_a_browser_changes_nothing_here()
    {
        using var client = Client();
        client.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example");
        Assert.Equal(HttpStatusCode.Forbidden, (await client.PutAsync("/2/tags?tag=sneaked", null)).StatusCode);
        Assert.DoesNotContain("sneaked", await client.GetStringAsync("/2/tags"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_is_not_json_is_refused_with_415()
    {
        using var client = Client();
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await client.PutAsync("/2/instances/web/startup", new StringContent("{}", Encoding.UTF8, "text/plain"))).StatusCode);
    }

    [Fact]
    public async Task Nobody_gets_in_without_a_password_or_with_a_wrong_one()
    {
        using var anyone = Client(user: null);
        var refused = await anyone.GetAsync("/version");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("Basic realm=\"Ganeti Remote API\"", refused.Headers.WwwAuthenticate.ToString());
        await _portal.AddAsync("nina");
        using var wrong = Client("nina", "not that one at all");
        Assert.Equal(HttpStatusCode.Unauthorized, await wrong.StatusAsync("/version"));
        using var other = Client("nina", _portal.LocalToken);   // a token, but not hers
        Assert.Equal(HttpStatusCode.Unauthorized, await other.StatusAsync("/version"));
    }

    [Fact]
    public async Task An_account_with_a_second_factor_needs_a_token_as_the_password()
    {
        var token = await _portal.UserAsync("tess");
        await using (var scope = _portal.Services.CreateAsyncScope())
        {
            var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
            await users.SetTwoFactorEnabledAsync((await users.FindByNameAsync("tess"))!, true);
        }
        using var password = Client("tess", People.Password);
        var refused = await password.GetAsync("/version");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("API token", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var program = Client("tess", token);
        Assert.Equal(HttpStatusCode.OK, await program.StatusAsync("/version"));
    }

    [Fact]
    public async Task Five_wrong_passwords_lock_the_account_here_as_everywhere()
    {
        await _portal.AddAsync("lou");
        for (var n = 0; n < 5; n++)
        {
            using var wrong = Client("lou", $"wrong password {n}");
            Assert.Equal(HttpStatusCode.Unauthorized, await wrong.StatusAsync("/version"));
        }
        using var right = Client("lou", People.Password);
        Assert.Equal(HttpStatusCode.Unauthorized, await right.StatusAsync("/version"));
    }

    [Fact]
    public async Task Tries_are_counted_by_name()
    {
        using var portal = new TestPortal(("Limits:SignInsPerName", "3"));
        var codes = new List<HttpStatusCode>();
        for (var n = 0; n < 4; n++)
        {
            using var wrong = ClientOf(portal, "nobody", $"wrong password {n}");
            codes.Add(await wrong.StatusAsync("/version"));
        }
        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests], codes);
    }

    [Fact]
    public async Task A_password_is_remembered_until_the_account_is_disabled_and_then_no_moment_longer()
    {
        await _portal.AddAsync("rita");
        using var rita = Client("rita", People.Password);
        for (var n = 0; n < 20; n++) { Assert.Equal(HttpStatusCode.OK, await rita.StatusAsync("/2/info")); }
        Assert.True(_portal.Services.GetRequiredService<RapiSignIn>().Remembered > 0);
        using var api = _portal.Api();
        (await api.PatchAsJsonAsync("/api/v1/users/rita", new { active = false })).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.Unauthorized, await rita.StatusAsync("/2/info"));
    }

    [Fact]
    public async Task An_old_password_ends_with_the_new_one()
    {
        await _portal.AddAsync("olga");
        using var olga = Client("olga", People.Password);
        Assert.Equal(HttpStatusCode.OK, await olga.StatusAsync("/2/info"));
        using var own = await _portal.ApiOfAsync("olga");
        (await own.PostAsJsonAsync("/api/v1/profile/password", new ChangePasswordRequest(People.Password, "another horse battery"))).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.Unauthorized, await olga.StatusAsync("/2/info"));
        using var anew = Client("olga", "another horse battery");
        Assert.Equal(HttpStatusCode.OK, await anew.StatusAsync("/2/info"));
    }

    [Fact]
    public async Task Who_may_not_see_the_nodes_is_told_of_none_and_may_change_nothing()
    {
        await _portal.AddAsync("vera");
        using var api = _portal.Api();
        await Joins.JoinAsync(_portal, api, "k1", "127.0.0.1:9");
        using (var all = Client()) { await Until.TrueAsync(async () => await all.GetStringAsync("/2/nodes") == """[{"id":"k1","uri":"/2/nodes/k1"}]""", TimeSpan.FromSeconds(60), "k1 is in the list"); }
        using var vera = Client("vera", People.Password);
        foreach (var path in (string[])["/2/nodes", "/2/nodes?bulk=1", "/2/groups", "/2/instances", "/2/instances?bulk=1", "/2/jobs"]) { Assert.Equal("[]", await vera.GetStringAsync(path)); }
        Assert.Equal(HttpStatusCode.NotFound, await vera.StatusAsync("/2/nodes/k1"));
        Assert.DoesNotContain("k1", await vera.GetStringAsync("/2/info"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await vera.PutAsync("/2/tags?tag=a", null)).StatusCode);
        using var role = new StringContent("\"drained\"", Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.Forbidden, (await vera.PutAsync("/2/nodes/k1/role", role)).StatusCode);
    }

    [Fact]
    public async Task A_change_goes_through_the_door_with_its_reason_and_its_face()
    {
        using var client = Client();
        var job = await (await client.PutAsync("/2/tags?tag=door&reason=because", null)).Content.ReadAsStringAsync();
        var engine = _portal.Services.GetRequiredService<IClusterEngine>();
        var filed = await engine.WaitAsync(long.Parse(job, System.Globalization.CultureInfo.InvariantCulture), default);
        Assert.Equal(("rapi", "because", JobStatus.Success), (filed.Caller.Face, filed.Reason[0].Text, filed.Status));
        Assert.Contains("door", engine.Cluster.Tags);
        var trial = await (await client.DeleteAsync("/2/tags?tag=door&dry-run=1")).Content.ReadAsStringAsync();
        Assert.Equal("success", (await ReadAsync(client, $"/2/jobs/{trial}")).GetProperty("status").GetString());
        Assert.Contains("door", engine.Cluster.Tags);
        var failed = await ReadAsync(client, $"/2/jobs/{await (await client.DeleteAsync("/2/tags?tag=nosuch")).Content.ReadAsStringAsync()}");
        Assert.Equal(("error", "unknown_entity"), (failed.GetProperty("status").GetString(), failed.GetProperty("opresult")[0][1][1].GetString()));
    }

    [Fact]
    public async Task A_job_waits_for_another_shows_its_terms_and_is_taken_back()
    {
        using var client = Client();
        var engine = _portal.Services.GetRequiredService<IClusterEngine>();
        var first = (await engine.SubmitAsync(new DebugDelay(600), new Caller("local", "local", true, "cli"), "a test", default)).Value;
        async Task<string> AddAsync(string name) => await (await client.PostAsync("/2/groups", new StringContent($$"""{"name":"{{name}}","priority":10,"depends":[[{{first}},["success","error"]]]}""", Encoding.UTF8, "application/json"))).Content.ReadAsStringAsync();
        var (waits, never) = (await AddAsync("later"), await AddAsync("never"));
        await Until.TrueAsync(async () => (await ReadAsync(client, $"/2/jobs/{waits}")).GetProperty("status").GetString() == "waiting", TimeSpan.FromSeconds(20), "the job waits");
        var op = (await ReadAsync(client, $"/2/jobs/{waits}")).GetProperty("ops")[0];
        Assert.Equal((10, $"""[[{first},["success","error"]]]"""), (op.GetProperty("priority").GetInt32(), op.GetProperty("depends").GetRawText()));
        Assert.Equal($"""[true,"Job {never} canceled"]""", await (await client.DeleteAsync($"/2/jobs/{never}")).Content.ReadAsStringAsync());
        Assert.Equal("canceled", (await ReadAsync(client, $"/2/jobs/{never}")).GetProperty("status").GetString());
        Assert.Equal($"""[false,"Job {never} not found in queue"]""", await (await client.DeleteAsync($"/2/jobs/{never}")).Content.ReadAsStringAsync());
        Assert.Equal($"""[true,"Job {first} will be canceled"]""", await (await client.DeleteAsync($"/2/jobs/{first}")).Content.ReadAsStringAsync());
        var ended = await engine.WaitAsync(long.Parse(waits, System.Globalization.CultureInfo.InvariantCulture), default);
        Assert.Equal(JobStatus.Canceled, ended.Status);   // what it waited for was
        await engine.SubmitAsync(new ModifyQueue { Drained = true }, new Caller("local", "local", true, "cli"), "a test", default);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.PostAsync("/2/groups", new StringContent("""{"name":"shut"}""", Encoding.UTF8, "application/json"))).StatusCode);
        await engine.SubmitAsync(new ModifyQueue { Drained = false }, new Caller("local", "local", true, "cli"), "a test", default);
    }

    /// <summary>A program that polls with a token that has run out does not lock its person out.</summary>
    [Fact]
    public async Task Tokens_that_are_no_good_any_more_are_no_guesses_at_the_password()
    {
        await _portal.AddAsync("polly");
        using var old = Client("polly", Secrets.New());
        for (var n = 0; n < 8; n++) { Assert.Equal(HttpStatusCode.Unauthorized, await old.StatusAsync("/2/info")); }
        using var herself = Client("polly", People.Password);
        Assert.Equal(HttpStatusCode.OK, await herself.StatusAsync("/2/info"));
        using var api = _portal.Api();
        Assert.Contains("\"face\":\"rapi\"", await api.GetStringAsync("/api/v1/audit?operation=sign-in.password&user=polly"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_is_new_once_something_in_it_has_changed()
    {
        using var client = Client();
        using var api = _portal.Api();
        var before = (await ReadAsync(client, "/2/groups")).GetArrayLength();
        var job = await (await client.PostAsync("/2/groups", new StringContent("""{"name":"fresh"}""", Encoding.UTF8, "application/json"))).Content.ReadAsStringAsync();
        await _portal.Services.GetRequiredService<IClusterEngine>().WaitAsync(long.Parse(job, System.Globalization.CultureInfo.InvariantCulture), default);
        Assert.Equal(before + 1, (await ReadAsync(client, "/2/groups")).GetArrayLength());
        Assert.Equal(before + 1, (await ReadAsync(client, "/2/groups?bulk=1")).GetArrayLength());
    }

    [Fact]
    public void Every_resource_of_ganeti_has_a_row()
    {
        var all = Resources.All.Select(r => $"{r.Method} {r.Path}").ToHashSet(StringComparer.Ordinal);
        Assert.True(all.Count >= 80, $"{all.Count} resources");
        Assert.Contains("PUT /2/instances/{name}/activate-disks", all);
        Assert.Contains("GET /2/jobs/{number}/wait", all);
    }
}
