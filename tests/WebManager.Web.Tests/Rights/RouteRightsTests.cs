// Every route of the portal in every role, really called: tests/rights.txt says what is to come of it.
using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Testing.Rights;
using WebManager.Web.Audit;

namespace WebManager.Web.Tests.Rights;

public sealed class RouteRightsTests(RightsScene scene) : IClassFixture<RightsScene>
{
    private static readonly ParallelOptions s_some = new() { MaxDegreeOfParallelism = 6 };

    [Fact]
    public async Task Every_route_has_a_row_and_every_row_a_route()
    {
        using var calls = new RightsCalls(scene);
        var (routes, table, said) = (calls.Routes(), scene.Table, new List<string>());
        foreach (var route in routes.Except(table.Of("routes").Select(r => r.What)))
        {
            var row = new RightsRow("routes", route, "*", new Dictionary<string, char>(), null, null, "");
            var measured = route.StartsWith("GET ", StringComparison.Ordinal) && !route.Contains('{', StringComparison.Ordinal) ? await MeasureAsync(calls, row) : [];
            said.Add($"{route} has no row. Under [routes] of tests/rights.txt belongs one of\n  {route} = OPERATION | {{ a body that is allowed }}\n  {table.Line(route, "*", role => measured.GetValueOrDefault(role, '?'))}");
        }
        said.AddRange(table.Of("routes").Select(r => r.What).Distinct().Except(routes).Select(gone => $"{gone} has a row in tests/rights.txt, and the portal has no such route."));
        Assert.True(said.Count == 0, string.Join('\n', said));
    }

    /// <summary>All that is only looked at, and all that is refused: nothing is another than before.</summary>
    [Fact]
    public async Task What_the_table_refuses_is_refused_and_changes_nothing()
    {
        using var calls = new RightsCalls(scene);
        var before = await scene.PictureAsync();
        var wrong = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(RightsCalls.Rows(scene.Table), s_some, async (row, _) =>
        {
            var looks = row.What.StartsWith("GET ", StringComparison.Ordinal) || row.What.StartsWith("ANY ", StringComparison.Ordinal);
            var measured = new Dictionary<string, char>();
            foreach (var (role, cell) in row.Cells.Where(c => c.Value != RightsTable.Unasked && (looks || c.Value != RightsTable.Allowed)))
            {
                measured[role] = (await calls.AskAsync(row, role, allowed: false)).Mark;
            }
            if (scene.Table.Differs(row, measured) is { } differs) { wrong.Add(differs); }
        });
        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Order(StringComparer.Ordinal)));
        Assert.Equal(before, await scene.PictureAsync());
    }

    /// <summary>All that is allowed, one after the other, on a portal of its own. What is done has its line in the audit.</summary>
    [Fact]
    public async Task What_the_table_allows_is_done_and_audited()
    {
        await using var own = new RightsScene();
        await own.InitializeAsync();
        using var calls = new RightsCalls(own);
        var (wrong, jobs, done) = (new List<string>(), new List<(string What, string Role, long Job)>(), new HashSet<string>());
        foreach (var row in RightsCalls.Rows(own.Table).Where(r => !r.What.StartsWith("GET ", StringComparison.Ordinal) && !r.What.StartsWith("ANY ", StringComparison.Ordinal)))
        {
            var measured = new Dictionary<string, char>();
            foreach (var role in row.Cells.Where(c => c.Value == RightsTable.Allowed).Select(c => c.Key))
            {
                var before = await NewestAsync(own);
                var answer = await calls.AskAsync(row, role, allowed: true);
                measured[role] = answer.Mark;
                if (!answer.Done || role == "anon") { continue; }   // whoever is nobody changes nothing by these
                done.Add(row.What);
                if (answer.Job is { } job) { jobs.Add((row.What, role, job)); }
                else if (!NotAudited.Contains(row.What) && await NewestAsync(own) is var (serial, by) && (serial == before.Serial || by != RightsPeople.PersonOf(role))) { wrong.Add($"{row.What} by {role} has no line in the audit."); }
            }
            if (own.Table.Differs(row, measured) is { } differs) { wrong.Add(differs); }
        }
        foreach (var (what, role, job) in jobs)
        {
            await own.Engine.WaitAsync(job, TestContext.Current.CancellationToken);
            if ((await own.Portal.Services.GetRequiredService<AuditLog>().SearchAsync(new AuditFilter { Job = job }, null, 1, default)) is not [var line] || line.User != RightsPeople.PersonOf(role)) { wrong.Add($"{what} by {role} (job {job}) has no line in the audit."); }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        TestContext.Current.TestOutputHelper?.WriteLine($"{jobs.Count} jobs; done at least once: {string.Join(", ", done)}");
    }

    // These change nothing but who is signed in, or nothing at all.
    private static readonly string[] NotAudited = ["POST /api/v1/session", "POST /account/passkey/ask", "POST /account/passkeys/offer"];

    private static async Task<(long Serial, string? By)> NewestAsync(RightsScene scene) =>
        (await scene.Portal.Services.GetRequiredService<AuditLog>().SearchAsync(new AuditFilter(), null, 1, default)) is [var newest] ? (newest.Serial, newest.User) : (0, null);

    private async Task<Dictionary<string, char>> MeasureAsync(RightsCalls calls, RightsRow row)
    {
        var measured = new Dictionary<string, char>();
        foreach (var role in scene.Table.Roles) { measured[role] = (await calls.AskAsync(row, role, allowed: false)).Mark; }
        return measured;
    }
}
