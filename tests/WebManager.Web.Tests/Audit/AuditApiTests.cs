using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Contracts.Audit;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Audit;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Cli;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Audit;

public sealed class AuditApiTests : IAsyncLifetime
{
    private static readonly DateTimeOffset s_at = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
    private readonly TestPortal _portal = new();
    private HttpClient _api = null!;

    public async ValueTask InitializeAsync()
    {
        _api = _portal.Api();
        var changes = new Changes();
        for (var i = 0; i < 30; i++)
        {
            changes.Audit.Add(new AuditEntry(s_at.AddHours(i), i % 2 == 0 ? "ada" : "bob", i % 3 == 0 ? "cli" : "portal", i % 5 == 0 ? "192.0.2.9" : null, i % 2 == 0 ? "instance.start" : "node.modify",
                i % 2 == 0 ? $"instance:web{i}" : $"node:n{i} instance:web1", i % 7 == 0 ? "refused: right.missing" : "success", i == 12 ? 77 : null, "why " + i));
        }
        await _portal.Services.GetRequiredService<IClusterStore>().CommitAsync(changes, default);
    }

    private static readonly (string Query, int Count)[] s_searches =
    [
        ("user=ada&face=cli", 5),
        ("user=Ada", 0),
        ("operation=node", 15),
        ("operation=node.modify", 15),
        ("operation=%25", 0),
        ("result=refused", 5),
        ("address=192.0.2.9", 6),
        ("job=77", 1),
        ("subject=instance:web1", 15),
        ("subject=instance:web", 0),
        ("subject=web2", 6),
        ("from=2026-03-04T10:06:07Z&to=2026-03-04T12:06:07Z", 2),
        ("user=ada&subject=node:n1", 0),
    ];

    [Fact]
    public async Task Entries_are_found_by_what_is_known_of_them()
    {
        foreach (var (query, count) in s_searches)
        {
            var page = await _api.GetFromJsonAsync<AuditPage>($"/api/v1/audit?limit=1000&{query}", WireJson.Options);
            Assert.Equal((query, count), (query, page!.Entries.Count(e => e.At < s_at.AddDays(2))));
        }
    }

    [Fact]
    public async Task Pages_follow_each_other_newest_first_without_a_gap_or_a_repeat()
    {
        List<long> seen = [];
        for (long? before = null; ;)
        {
            var page = (await _api.GetFromJsonAsync<AuditPage>($"/api/v1/audit?limit=7&user=ada{(before is null ? "" : $"&before={before}")}", WireJson.Options))!;
            seen.AddRange(page.Entries.Select(e => e.Serial));
            if (page.Next is null) { break; }
            before = page.Next;
        }
        Assert.Equal(15, seen.Count);
        Assert.Equal(seen.OrderByDescending(s => s).Distinct(), seen);
    }

    [Fact]
    public async Task Only_administrators_look_into_it_and_who_took_a_copy_is_in_it()
    {
        using var user = _portal.Api(await _portal.UserAsync("eve"));
        foreach (var path in new[] { "", "/export", "/verify" }) { await ApiTests.AssertProblemAsync(await user.GetAsync("/api/v1/audit" + path), 403, "audit.forbidden"); }
        using var nobody = new HttpClient { BaseAddress = _portal.Address };
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync("/api/v1/audit")).StatusCode);
        (await _api.GetAsync("/api/v1/audit/export")).EnsureSuccessStatusCode();
        var page = (await _api.GetFromJsonAsync<AuditPage>("/api/v1/audit?operation=audit.export", WireJson.Options))!;
        Assert.Equal([("local", "success"), ("eve", "audit.forbidden")], page.Entries.Select(e => (e.User, e.Result)));
        await ApiTests.AssertProblemAsync(await _api.GetAsync("/api/v1/audit/export?format=xml"), 422, "format.unknown", "format");
        await ApiTests.AssertProblemAsync(await _api.GetAsync("/api/v1/audit/verify?noted=7"), 422, "noted.invalid", "noted");
    }

    [Fact]
    public async Task A_spreadsheet_gets_text_and_no_formulas()
    {
        var changes = new Changes();
        foreach (var reason in new[] { "=1+1", "+1", "-1", "@x", "\t=1", "a,\"b\"\r\nc", "plain" }) { changes.Audit.Add(new AuditEntry(s_at.AddDays(9), "mallory", "api", null, "x", "y", "success", null, reason)); }
        await _portal.Services.GetRequiredService<IClusterStore>().CommitAsync(changes, default);
        var answer = await _api.GetAsync("/api/v1/audit/export?format=csv&user=mallory");
        Assert.Equal("text/csv", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition!.DispositionType);
        var text = await answer.Content.ReadAsStringAsync();
        foreach (var cell in new[] { ",'=1+1,", ",'+1,", ",'-1,", ",'@x,", ",'\t=1,", ",\"a,\"\"b\"\"\r\nc\",", ",plain," }) { Assert.Contains(cell, text, StringComparison.Ordinal); }
        Assert.StartsWith("serial,at,user,face,address,operation,subject,result,job,reason,previous,hash\r\n", text, StringComparison.Ordinal);
        var json = (await _api.GetFromJsonAsync<AuditView[]>("/api/v1/audit/export?format=json&user=mallory", WireJson.Options))!;
        Assert.Equal("a,\"b\"\r\nc", json[5].Reason);
        Assert.Equal("[]\n", await _api.GetStringAsync("/api/v1/audit/export?format=json&user=nobody"));
    }

    [Fact]
    public async Task A_copy_can_be_verified_without_the_portal()
    {
        var all = (await _api.GetFromJsonAsync<AuditView[]>("/api/v1/audit/export?format=json", WireJson.Options))!;
        var before = AuditMark.Start.Hash;
        foreach (var e in all)
        {
            Assert.Equal(e.Hash, AuditChain.Hash(before, new AuditFields(e.Serial, e.At.UtcTicks, e.User, e.Face, e.Address, e.Operation, e.Subject, e.Result, e.Job, e.Reason)));
            before = e.Hash;
        }
    }

    [Fact]
    public async Task Wm_lists_exports_and_verifies()
    {
        using var wm = new WmRun();
        (wm.Environment["WEBMANAGER_URL"], wm.Environment["WEBMANAGER_TOKEN"]) = (_portal.Address.ToString(), _portal.LocalToken);
        var (code, text, error) = await wm.RunAsync("audit", "list", "--user", "bob", "--operation", "node", "--from", "2026-03-04T06:00", "--to", "2026-03-04T09:00");
        Assert.True(code == 0, error);
        Assert.Equal(3, text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);   // heads, and the entries of 06:06 and 08:06
        Assert.Contains("node:n3 instance:web1", text, StringComparison.Ordinal);
        Assert.Equal(2, (await wm.RunAsync("audit", "list", "--from", "yesterday")).Code);

        var file = Path.Combine(wm.Home, "audit.json");
        Assert.Equal(0, (await wm.RunAsync("audit", "export", file, "--format", "json", "--job", "77")).Code);
        Assert.Equal("instance:web12", JsonSerializer.Deserialize<AuditView[]>(await File.ReadAllTextAsync(file, Encoding.UTF8), WireJson.Options)!.Single().Subject);
        Assert.Equal(1, (await wm.RunAsync("audit", "export", file)).Code);   // it is there already
        (_, text, _) = await wm.RunAsync("audit", "export", "--user", "ada");
        Assert.Equal(16, text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);

        (code, text, error) = await wm.RunAsync("audit", "verify");
        Assert.True(code == 0, error);
        var mark = text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1];
        Assert.Equal((0, text), await AsItIsAsync(wm, "audit", "verify", "--data", _portal.Data, "--noted", mark));   // while the portal runs
        Assert.Equal((0, text), await AsItIsAsync(wm, "audit", "verify", "--noted", mark));
        (code, _, error) = await wm.RunAsync("audit", "verify", "--noted", mark.Split(':')[0] + ":" + new string('a', 64));
        Assert.Equal(1, code);
        Assert.Contains("than the one that was noted", error, StringComparison.Ordinal);
    }

    private static async Task<(int, string)> AsItIsAsync(WmRun wm, params string[] args)
    {
        var (code, text, _) = await wm.RunAsync(args);
        return (code, text);
    }

    [Fact]
    public async Task An_objects_entries_are_there_when_it_is_gone()
    {
        using var portal = new TestPortal();
        using var api = portal.Api();
        async Task DoAsync(HttpMethod method, string path, object? body)
        {
            using var request = new HttpRequestMessage(method, "/api/v1/" + path) { Content = body is null ? null : JsonContent.Create(body) };
            var accepted = await (await api.SendAsync(request)).Content.ReadFromJsonAsync<JobAccepted>(WireJson.Options);
            await api.GetFromJsonAsync<JobView>($"/api/v1/jobs/{accepted!.Job}/wait?seconds=10", WireJson.Options);
        }
        await DoAsync(HttpMethod.Post, "groups", new { name = "west", reason = "second room" });
        await DoAsync(HttpMethod.Delete, "groups/west", null);
        var page = (await api.GetFromJsonAsync<AuditPage>("/api/v1/audit?subject=group:west", WireJson.Options))!;
        Assert.Equal([("group.remove", "success"), ("group.add", "success")], page.Entries.Select(e => (e.Operation, e.Result)));
        Assert.Equal(("local", "api", "second room"), (page.Entries[1].User, page.Entries[1].Face, page.Entries[1].Reason));
        Assert.NotNull(page.Entries[1].Job);
    }

    public ValueTask DisposeAsync()
    {
        _api.Dispose();
        _portal.Dispose();
        return ValueTask.CompletedTask;
    }
}
