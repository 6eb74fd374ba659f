// The same questions that a real Ganeti 3.0.2 was asked, in the same situations: same codes, same keys, same types. What differs stands in
// docs/rapi.md with its reason, and nothing else may.
using System.Text.Json;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests.Rapi;

[Trait("Speed", "Slow")]
public sealed class GoldenTests(RapiLab lab) : IClassFixture<RapiLab>
{
    private const string New = """{"__version__":1,"mode":"create","name":"golden1.example.com","disk_template":"diskless","disks":[],"nics":[{"mode":"bridged","link":"gnt0"}],"os_type":"tiny-linux","pnode":"n2","hypervisor":"fake","name_check":false,"ip_check":false,"beparams":{"maxmem":96,"minmem":96,"vcpus":1}}""";

    // The recorded call, and how it is asked here; null: with its own method, path and body.
    private static readonly (string Call, string? Method, string? Path, string? Body)[] s_calls =
    [
        ("GetVersion", null, null, null), ("GetFeatures", null, null, null), ("GetInfo", null, null, null), ("RAW GET /", null, null, null), ("RAW GET /2", null, null, null),
        ("RAW GET /2/os", null, null, null), ("RAW GET /2/networks", null, null, null), ("RAW GET /2/filters", null, null, null), ("RAW GET /2/nodes", null, null, null),
        ("RedistributeConfig", null, null, null), ("AddClusterTags", null, null, null), ("GetClusterTags", null, null, null), ("DeleteClusterTags missing", null, null, null),
        ("DeleteClusterTags", null, null, null), ("AddClusterTags invalid", null, null, null), ("ModifyCluster invalid", null, null, null), ("ModifyCluster forbidden", null, null, null),
        ("CreateInstance", "POST", "/2/instances", New), ("CreateInstance dup", "POST", "/2/instances", New), ("CreateInstance unknown param", null, null, null),
        ("CreateInstance unknown os", "POST", "/2/instances", """{"__version__":1,"mode":"create","name":"bad.example.com","disk_template":"diskless","disks":[],"nics":[],"os_type":"nosuchos","pnode":"n2","hypervisor":"fake"}"""),
        ("CreateInstance dry_run", "POST", "/2/instances?dry-run=1", """{"__version__":1,"mode":"create","name":"golden3.example.com","disk_template":"file","disks":[{"size":64}],"nics":[],"os_type":"tiny-linux","pnode":"n2","hypervisor":"fake","file_driver":"loop","beparams":{"maxmem":96}}"""),
        ("GetNodes", null, null, null), ("GetNodes bulk", null, null, null), ("GetNode missing", null, null, null), ("GetNodeRole", "GET", "/2/nodes/n2/role", null),
        ("AddNodeTags", "PUT", "/2/nodes/n2/tags?tag=nt1", null), ("GetNodeTags", "GET", "/2/nodes/n2/tags", null), ("DeleteNodeTags", "DELETE", "/2/nodes/n2/tags?tag=nt1", null),
        ("GetNodeStorageUnits", "GET", "/2/nodes/n2/storage?storage_type=file&output_fields=name,size,used,free,allocatable", null), ("GetNodeStorageUnits bogus", "GET", "/2/nodes/n2/storage?storage_type=bogus&output_fields=name", null),
        ("GetGroups", null, null, null), ("GetGroups bulk", null, null, null), ("GetGroup missing", null, null, null), ("CreateGroup dup", "POST", "/2/groups", """{"name":"default","alloc_policy":null}"""),
        ("DeleteGroup nonempty", "DELETE", "/2/groups/default", null),
        ("GetInstances", null, null, null), ("GetInstances bulk", null, null, null), ("GetInstance short", null, null, null), ("GetInstance missing", null, null, null), ("GetInstanceInfo", null, null, null),
        ("GetInstanceConsole", null, null, null), ("ModifyInstance bad kw", "PUT", "/2/instances/golden1.example.com/modify", null), ("ModifyInstance online", "PUT", "/2/instances/golden1.example.com/modify", null),
        ("RebootInstance bogus", null, null, null), ("FailoverInstance unknown", null, null, null), ("RAW PUT /2/instances/golden1.example.com/failover", null, null, null),
        ("SetNodeRole bogus", "PUT", "/2/nodes/n3/role", null), ("RAW PUT /2/nodes/node2/role", "PUT", "/2/nodes/n2/role", null), ("QueryFields instance", null, null, null), ("QueryFields node", null, null, null),
        ("QueryFields group", null, null, null), ("QueryFields job", null, null, null), ("QueryFields export", null, null, null), ("QueryFields filter", null, null, null), ("QueryFields os", null, null, null),
        ("QueryFields bogus", null, null, null), ("QueryFields subset+unknown", null, null, null), ("Query node unknown field", null, null, null), ("Query regex", null, null, null), ("Query bad op", null, null, null),
        ("Query lock", null, null, null), ("Query job", null, null, null), ("Query export", null, null, null), ("Query group", null, null, null), ("RAW GET /2/query/node", null, null, null),
        ("GetJobs", null, null, null), ("GetJobs bulk", null, null, null), ("CancelJob missing", null, null, null), ("RAW GET /2/jobs/abc", null, null, null), ("RAW GET /2/jobs/999999/wait", null, null, null),
        ("RAW POST /2/instances", null, null, null), ("RAW GET /2/nosuch", null, null, null), ("RAW DELETE /2/info", null, null, null), ("RAW GET /2/instances/golden1.example.com", null, null, null),
        ("DeleteInstance dry", null, null, null), ("DeleteInstance", "DELETE", "/2/instances/golden1.example.com", null), ("DeleteFilter", null, null, null), ("AddFilter invalid", null, null, null),
    ];

    [Fact]
    public async Task What_a_real_ganeti_answered_is_answered_here()
    {
        var golden = File.ReadLines(Path.Combine(Built.Root, "tests", "WebManager.E2E.Tests", "Rapi", "ganeti-3.0.2.jsonl")).Select(l => JsonElement.Parse(l)).ToLookup(g => g.GetProperty("call").GetString()!);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (call, method, path, body) in s_calls)
        {
            var recorded = golden[call].First();
            Shapes.Note(call, recorded, await AskAsync(recorded, method, path, body), found);
        }
        var listed = RapiPage.Rows("Differences from Ganeti 3.0.2");
        Print.Line($"{s_calls.Length} recorded answers compared, {found.Count} differences, all listed");
        Assert.Equal(listed.Order(StringComparer.Ordinal), found);
    }

    /// <summary>The answer, and the job that it names, once that has ended.</summary>
    private async Task<(int Code, JsonElement Answer, JsonElement? Job)> AskAsync(JsonElement recorded, string? method, string? path, string? body)
    {
        var query = string.Join('&', recorded.GetProperty("query").EnumerateArray().Select(q => $"{q[0]}={Uri.EscapeDataString(q[1].ToString())}"));
        var (code, text) = await lab.AskAsync(method ?? recorded.GetProperty("method").GetString()!, path ?? $"{recorded.GetProperty("path").GetString()}{(query.Length > 0 ? "?" : "")}{query}",
            body ?? (recorded.GetProperty("body") is { ValueKind: not JsonValueKind.Null } own ? own.GetRawText() : null));
        var answer = JsonElement.Parse(text);
        if (!recorded.TryGetProperty("job", out _) || answer.ValueKind != JsonValueKind.Number) return ((int)code, answer, null);
        JsonElement job = default;
        await Until.TrueAsync(async () => (job = JsonElement.Parse((await lab.AskAsync("GET", $"/2/jobs/{answer}")).Body)).GetProperty("status").GetString() is "success" or "error", TimeSpan.FromSeconds(90), $"job {answer} ends");
        return ((int)code, answer, job);
    }
}

internal static class Shapes
{
    // Their keys are names that somebody chose, not words of the protocol.
    private static readonly string[] s_maps = ["hvparams", "custom_hvparams", "beparams", "custom_beparams", "custom_nicparams", "osparams", "data"];

    public static void Note(string call, JsonElement golden, (int Code, JsonElement Answer, JsonElement? Job) ours, ISet<string> found)
    {
        var code = golden.GetProperty("code").GetInt32();
        if (code != ours.Code) { found.Add($"{call}: {ours.Code} instead of {code}"); return; }
        if (code != 200)
        {
            // The recording has the client's wording: "404 Not Found: Nothing matches the given URI".
            var said = $"{ours.Answer.GetProperty("code")} {ours.Answer.GetProperty("message").GetString()}: {ours.Answer.GetProperty("explain").GetString()}";
            if (said != golden.GetProperty("response").GetString()) found.Add($"{call}: {said} instead of {golden.GetProperty("response").GetString()}");
            return;
        }
        Compare(call, golden.GetProperty("response"), ours.Answer, found);
        if (!golden.TryGetProperty("job", out var job)) return;
        if (ours.Job is not { } mine) { found.Add($"{call}: no job"); return; }
        if (job.GetProperty("status").GetString() != mine.GetProperty("status").GetString()) found.Add($"{call}: job {mine.GetProperty("status")} instead of {job.GetProperty("status")}");
        Compare($"{call} job", job, mine, found);
    }

    private static void Compare(string at, JsonElement golden, JsonElement ours, ISet<string> found)
    {
        if (golden.ValueKind == JsonValueKind.Null || ours.ValueKind == JsonValueKind.Null) return;   // known there, not known here, or the other way round
        if (Kind(golden) != Kind(ours)) { found.Add($"{at}: {Kind(ours)} instead of {Kind(golden)}"); return; }
        if (golden.ValueKind == JsonValueKind.Array && golden.GetArrayLength() > 0 && ours.GetArrayLength() > 0) Compare(at + "[]", golden[0], ours[0], found);
        if (golden.ValueKind != JsonValueKind.Object || s_maps.Any(m => at.EndsWith("." + m, StringComparison.Ordinal))) return;
        var (theirs, mine) = (golden.EnumerateObject().ToDictionary(p => p.Name, p => p.Value), ours.EnumerateObject().ToDictionary(p => p.Name, p => p.Value));
        foreach (var name in theirs.Keys.Except(mine.Keys)) found.Add($"{at}: no {name}");
        foreach (var name in mine.Keys.Except(theirs.Keys)) found.Add($"{at}: {name} besides");
        foreach (var name in theirs.Keys.Intersect(mine.Keys)) Compare($"{at}.{name}", theirs[name], mine[name], found);
    }

    private static string Kind(JsonElement value) => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? "boolean" : value.ValueKind.ToString().ToLowerInvariant();
}
