using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Data;
using WebManager.Web.Identity;
using WebManager.Web.Tests.Support;
using People = WebManager.Web.Tests.Support.People;

namespace WebManager.Web.Tests.Api;

public sealed class UserApiTests(UserApiTests.Portal shared) : IClassFixture<UserApiTests.Portal>
{
    public sealed class Portal : IAsyncLifetime
    {
        public TestPortal Test { get; } = new();
        public async ValueTask InitializeAsync()
        {
            await Test.AddAsync("root", superuser: true);
            await Test.AddAsync("ada");
        }

        public ValueTask DisposeAsync() => Test.DisposeAsync();
    }

    private readonly TestPortal _portal = shared.Test;

    [Theory]
    [InlineData("POST", "users", """{"name":""}""", 422, "user.name-missing", "name")]
    [InlineData("POST", "users", """{"name":"a b"}""", 422, "user.name-invalid", "name")]
    [InlineData("POST", "users", """{"name":"<script>"}""", 422, "user.name-invalid", "name")]
    [InlineData("POST", "users", """{"name":"../x"}""", 422, "user.name-invalid", "name")]
    [InlineData("POST", "users", """{"name":"a\u0000b"}""", 422, "user.name-invalid", "name")]
    [InlineData("POST", "users", """{"name":"Watcher"}""", 422, "user.name-invalid", "name")]
    [InlineData("POST", "users", """{"name":"ADA"}""", 409, "user.exists", "name")]
    [InlineData("POST", "users", """{"name":"x","email":"nobody"}""", 422, "user.email-invalid", "email")]
    [InlineData("POST", "users", """{"name":"x","email":"a@b.c\r\nBcc: d@e.f"}""", 422, "user.email-invalid", "email")]
    [InlineData("POST", "users", """{"name":"x","displayName":"a\u202Eb"}""", 422, "user.display-name-invalid", "displayName")]
    [InlineData("POST", "users", """{"name":"x","rank":"high"}""", 400, "request.invalid-json", "rank")]
    [InlineData("PATCH", "users/ada", "{}", 409, "user.nothing-to-change", null)]
    [InlineData("PATCH", "users/nope", """{"active":true}""", 404, "user.not-found", null)]
    [InlineData("PATCH", "users/ada", """{"active":"maybe"}""", 400, "request.invalid-json", "active")]
    [InlineData("DELETE", "users/nope", null, 404, "user.not-found", null)]
    [InlineData("POST", "users/nope/reset-password", null, 404, "user.not-found", null)]
    [InlineData("POST", "users/ada/reset-second-factor", null, 409, "user.no-second-factor", null)]
    [InlineData("POST", "tokens", """{"name":"x"}""", 404, "user.no-account", null)]
    public async Task Bad_requests_name_the_field(string method, string path, string? body, int status, string code, string? field)
    {
        using var api = _portal.Api();
        await ApiTests.AssertProblemAsync(await SendAsync(api, method, path, body), code == "user.no-account" ? 409 : status, code, field);
    }

    [Theory]
    [InlineData("""{"name":" "}""", "token.name-missing", "name")]
    [InlineData("""{"name":"x","hours":0}""", "token.hours-invalid", "hours")]
    [InlineData("""{"name":"x","hours":99999}""", "token.hours-invalid", "hours")]
    [InlineData("""{"name":"x","instances":["nope"]}""", "instance.absent", "instances")]
    [InlineData("""{"name":"x","instances":[]}""", "token.instances-invalid", "instances")]
    public async Task Bad_tokens_name_the_field(string body, string code, string field)
    {
        using var api = await _portal.ApiOfAsync("ada");
        await ApiTests.AssertProblemAsync(await SendAsync(api, "POST", "tokens", body), 422, code, field);
    }

    [Theory]
    [InlineData("GET", "users"), InlineData("POST", "users"), InlineData("GET", "users/root"), InlineData("PATCH", "users/ada"), InlineData("DELETE", "users/root"), InlineData("POST", "users/root/reset-password")]
    [InlineData("POST", "users/ada/reset-second-factor"), InlineData("GET", "users/root/sessions"), InlineData("DELETE", "users/root/sessions")]
    public async Task Accounts_of_others_are_for_superusers(string method, string path)
    {
        var body = (method, path) switch { ("POST", "users") => """{"name":"eve","superuser":true}""", ("PATCH", _) => """{"superuser":true}""", _ => null };
        using var ada = await _portal.ApiOfAsync("ada");
        await ApiTests.AssertProblemAsync(await SendAsync(ada, method, path, body), 403, "right.missing");
        using var nobody = _portal.Browser();
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(nobody, method, path, body)).StatusCode);
    }

    [Fact]
    public async Task A_user_is_made_changed_and_shown()
    {
        using var api = await _portal.ApiOfAsync("root");
        await People.ReadAsync<UserLinkReply>(await api.PostAsJsonAsync("/api/v1/users", new AddUserRequest("zoe") { DisplayName = "Zoë <b>Ω</b>", Email = "zoe@example.org" }));
        var made = await api.GetFromJsonAsync<UserView>("/api/v1/users/zoe", WireJson.Options);
        Assert.Equal(("Zoë <b>Ω</b>", "zoe@example.org", true, false, false), (made!.DisplayName, made.Email, made.Active, made.Superuser, made.HasPassword));
        var changed = await People.ReadAsync<UserView>(await api.PatchAsJsonAsync("/api/v1/users/zoe", new { email = "", displayName = "Zoe" }));
        Assert.Equal(("Zoe", null), (changed.DisplayName, changed.Email));
        Assert.Contains((await api.GetFromJsonAsync<UserView[]>("/api/v1/users", WireJson.Options))!, u => u.Name == "zoe");
    }

    [Fact]
    public async Task A_token_is_shown_once_works_and_ends_when_it_is_removed()
    {
        using var ada = await _portal.ApiOfAsync("ada");
        var made = await People.ReadAsync<AddTokenReply>(await ada.PostAsJsonAsync("/api/v1/tokens", new AddTokenRequest("backup script") { Hours = 2 }));
        Assert.InRange(made.View.ExpiresAt!.Value - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(119), TimeSpan.FromMinutes(120));
        using var program = _portal.Api(made.Token);
        Assert.Equal(HttpStatusCode.OK, await program.StatusAsync());
        Assert.DoesNotContain(made.Token, await ada.GetStringAsync("/api/v1/tokens"), StringComparison.Ordinal);
        await ApiTests.AssertProblemAsync(await ada.PostAsJsonAsync("/api/v1/tokens", new AddTokenRequest("backup script")), 409, "token.exists", "name");
        using var root = await _portal.ApiOfAsync("root");
        Assert.Equal(HttpStatusCode.NotFound, (await root.DeleteAsync($"/api/v1/tokens/{made.View.Id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await ada.DeleteAsync("/api/v1/tokens/backup%20script")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await program.StatusAsync());
    }

    [Fact]
    public async Task A_token_past_its_time_is_refused()
    {
        using var ada = await _portal.ApiOfAsync("ada");
        var made = await People.ReadAsync<AddTokenReply>(await ada.PostAsJsonAsync("/api/v1/tokens", new AddTokenRequest("short") { Hours = 1 }));
        await using (var db = await _portal.Services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync())
        {
            await db.ApiTokens.Where(t => t.Id == made.View.Id).ExecuteUpdateAsync(t => t.SetProperty(x => x.ExpiresAt, DateTimeOffset.UtcNow.AddSeconds(-1)));
        }
        using var program = _portal.Api(made.Token);
        Assert.Equal(HttpStatusCode.Unauthorized, await program.StatusAsync());
    }

    [Fact]
    public async Task A_read_only_token_changes_no_account()
    {
        using var root = await _portal.ApiOfAsync("root");
        var made = await People.ReadAsync<AddTokenReply>(await root.PostAsJsonAsync("/api/v1/tokens", new AddTokenRequest("looks") { ReadOnly = true }));
        using var looks = _portal.Api(made.Token);
        Assert.Equal(HttpStatusCode.OK, await looks.StatusAsync("/api/v1/users"));
        await ApiTests.AssertProblemAsync(await SendAsync(looks, "PATCH", "users/ada", """{"superuser":true}"""), 403, "right.missing");
        await ApiTests.AssertProblemAsync(await SendAsync(looks, "POST", "tokens", """{"name":"more"}"""), 403, "right.missing");
        var who = await _portal.Services.GetRequiredService<ApiTokens>().FindAsync(made.Token, "test", default);
        Assert.True(Callers.From(who!, Callers.Api).ReadOnly);
    }

    [Fact]
    public async Task A_token_for_one_instance_says_so_to_the_engine()
    {
        var only = Guid.NewGuid();
        var tokens = _portal.Services.GetRequiredService<ApiTokens>();
        await using (var db = await _portal.Services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync())
        {
            var (token, row) = tokens.Make(await db.Users.Where(u => u.UserName == "root").Select(u => u.Id).SingleAsync(), "one", null);
            row.Instances = [only];
            db.ApiTokens.Add(row);
            await db.SaveChangesAsync();
            Assert.Equal([only], Callers.From((await tokens.FindAsync(token, "test", default))!, Callers.Api).Only);
            using var api = _portal.Api(token);
            await ApiTests.AssertProblemAsync(await api.GetAsync("/api/v1/users"), 403, "right.missing");
        }
    }

    [Fact]
    public async Task Every_change_leaves_an_audit_line_without_secrets()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var ada = await portal.ApiOfAsync("ada");
        var made = await People.ReadAsync<AddTokenReply>(await ada.PostAsJsonAsync("/api/v1/tokens", new AddTokenRequest("t")));
        await SendAsync(ada, "POST", "users", """{"name":"eve"}""");
        await using var db = await portal.Services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync();
        var lines = await db.Audit.AsNoTracking().ToListAsync();
        Assert.Contains(lines, l => l is { User: "local", Operation: "user.create", Subject: "user:ada", Result: "success" });
        Assert.Contains(lines, l => l is { User: "anonymous", Operation: "user.password-by-link", Subject: "user:ada", Result: "success" });
        Assert.Contains(lines, l => l is { User: "ada", Operation: "token.create", Result: "success" });
        Assert.Contains(lines, l => l is { User: "ada", Operation: "user.create", Subject: "user:eve", Result: "right.missing" });
        Assert.All(new[] { made.Token, People.Password }, secret => Assert.DoesNotContain(secret, JsonSerializer.Serialize(lines), StringComparison.Ordinal));
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient api, string method, string path, string? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1/" + path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        return await api.SendAsync(request);
    }
}
