namespace WebManager.Web.Tests.Fuzz;

public sealed class FuzzTests
{
    /// <summary>The same as tests/Fuzz, fewer.</summary>
    [Fact]
    public async Task No_request_makes_a_fault_shows_the_inside_or_changes_what_it_may_not()
    {
        var report = await FuzzRun.GoAsync(2000, seed: 1);
        TestContext.Current.TestOutputHelper?.WriteLine($"{report.Requests} requests to {report.Routes} routes: {string.Join(", ", report.Answers.OrderBy(a => a.Key).Select(a => $"{a.Value} x {a.Key}"))}");
        Assert.True(report.Faults.Count == 0, string.Join('\n', report.Faults));
        Assert.True(report.Routes > 40);
        // Requests that only ever bounce off would show nothing.
        Assert.True(report.Answers.GetValueOrDefault(200) > 100 && report.Answers.Keys.Count(s => s is 400 or 401 or 403 or 404 or 409 or 422) == 6);
    }
}
