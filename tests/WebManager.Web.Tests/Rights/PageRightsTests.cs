// Every page and every control in the role of every person: there if and only if the server allows it (tests/rights.txt, [pages] and [controls]).
using System.Collections.Concurrent;
using System.Net;
using Bunit;
using WebManager.Engine.Operations;
using WebManager.Testing.Rights;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Rights;

public sealed class PageRightsTests(RightsScene scene) : IClassFixture<RightsScene>
{
    private static readonly ParallelOptions s_some = new() { MaxDegreeOfParallelism = 4 };

    [Fact]
    public void Every_page_has_a_row_and_every_row_a_page()
    {
        var named = scene.Table.Of("pages").Select(r => r.What.Split('?')[0]).Distinct().ToList();
        Assert.True(!RightsPages.Addresses.Except(named).Any(), $"Under [pages] of tests/rights.txt belongs a row for each of: {string.Join(", ", RightsPages.Addresses.Except(named))}. For everybody: none: why. Otherwise: {scene.Table.Line("/page", "*", r => r == "anon" ? '>' : '?')}");
        Assert.Empty(named.Except(RightsPages.Addresses));
    }

    [Fact]
    public async Task Pages_are_shown_to_whom_the_table_says()
    {
        var measured = new ConcurrentDictionary<RightsRow, ConcurrentDictionary<string, char>>();
        await Parallel.ForEachAsync(RightsPeople.Roles, s_some, async (role, _) =>
        {
            await using var pages = new RightsPages(scene, role);
            foreach (var row in scene.Table.Of("pages").Where(r => r.Cells.Count > 0)) { measured.GetOrAdd(row, _ => new())[role] = pages.Mark(row); }
        });
        var wrong = measured.Select(m => scene.Table.Differs(m.Key, m.Value.ToDictionary())).OfType<string>().ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>Over HTTP: without sign-in to the sign-in page, or open; signed in every address answers.</summary>
    [Fact]
    public async Task Without_sign_in_pages_lead_to_it()
    {
        using var nobody = scene.Portal.Browser();
        using var una = scene.Portal.Browser();
        Assert.Equal("/", await scene.Portal.LoginAsync(una, "una"));
        foreach (var row in scene.Table.Of("pages").DistinctBy(r => r.What))
        {
            var address = row.What.Replace("{Id:long}", "1", StringComparison.Ordinal).Replace("{Name}", "x", StringComparison.Ordinal).Replace("{Owner}", "x", StringComparison.Ordinal);
            var (without, signed) = (await nobody.GetAsync(address), await una.GetAsync(address));
            if (row.Why is not null) { Assert.True(without.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.Redirect && !LeadsToSignIn(without), $"{address}: {without.StatusCode} {without.Headers.Location}"); continue; }
            Assert.True(LeadsToSignIn(without), $"{address} without sign-in: {without.StatusCode}");
            Assert.True(signed.StatusCode == HttpStatusCode.OK, $"{address} signed in: {signed.StatusCode}");
            Assert.DoesNotContain("web-own", await signed.Content.ReadAsStringAsync(), StringComparison.Ordinal);   // nothing is drawn before the page is live
        }
    }

    private static bool LeadsToSignIn(HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.Redirect && answer.Headers.Location!.OriginalString.Contains("/login?returnUrl=", StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void Every_operation_has_a_control_or_says_why_not()
    {
        var operations = scene.Table.Of("operations").Select(r => r.What).Distinct().ToList();
        var controls = scene.Table.Of("controls").Select(r => r.What.Split(' ')[0]).ToList();
        Assert.True(!operations.Except(controls).Any(), $"Under [controls] of tests/rights.txt belongs \"OPERATION = /page [data-testid=...]\" or \"OPERATION none: why\" for: {string.Join(", ", operations.Except(controls))}");
        Assert.Equal(Catalog.Operations.Count, operations.Count);
    }

    [Fact]
    public async Task Controls_are_there_if_and_only_if_the_server_allows_what_they_do()
    {
        Doubtful();
        var wrong = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(RightsPeople.Roles, s_some, async (role, _) =>
        {
            await using var pages = new RightsPages(scene, role);
            foreach (var control in RightsControl.All(scene.Table))
            {
                if (control.Exceptions.Contains(role)) { continue; }
                var (may, there) = (control.Allowed(role), pages.Draw(control.Page, control.On).FindAll(RightsBodies.Fill(control.Selector, control.On)).Any(e => !e.HasAttribute("disabled")));
                if (may != there) { wrong.Add($"{control.What} on {control.On}: {role} {(may ? "may" : "may not")}, and {control.Selector} is {(there ? "" : "not ")}on {control.Page}"); }
            }
        });
        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Order(StringComparer.Ordinal)));
    }

    /// <summary>Some controls are for a state of things: instances in doubt, recovery that is frozen.</summary>
    private void Doubtful()
    {
        var feeds = scene.Engine.Feeds;
        foreach (var (id, row) in feeds.Instances.Current()) { feeds.Instances.Set(id, row with { InDoubt = true }); }
        foreach (var (id, row) in feeds.Cluster.Current()) { feeds.Cluster.Set(id, row with { FrozenAt = DateTimeOffset.UtcNow, FrozenText = "Two nodes were lost at once." }); }
    }
}
