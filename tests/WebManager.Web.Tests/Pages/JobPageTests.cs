using Microsoft.Playwright;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using Xunit;

namespace WebManager.Web.Tests.Pages;

/// <summary>The job queue on the pages: cancel and priority of what waits, the filter over what is stored, the queue's limits and locks.</summary>
public sealed class JobPageTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly DateTimeOffset s_at = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    private static JobRow Row(long id, JobStatus status) => new(id, "instance.stop", "instance.stop web1", status, "admin", "night", DateTimeOffset.UtcNow, null, null, null, null, 0) { Subjects = ["instance:web1"], Depends = [new JobDependency(911, [JobStatus.Success])] };

    [Fact]
    public async Task A_job_that_waits_is_moved_and_cancelled_from_its_page()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        portal.Engine.Feeds.Jobs.Set(990, Row(990, JobStatus.Waiting));
        var page = await browser.OpenAsync("/jobs/990", portal: portal);
        await Assertions.Expect(page.GetByTestId("job-status")).ToContainTextAsync("Waiting");
        await page.GetByTestId("job-priority").SelectOptionAsync("High");
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Priority high");
        await page.GetByTestId("job-cancel").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Cancel: accepted");
        Assert.Equal([new SetJobPriority(990, JobPriority.High), new CancelJob(990)], portal.Engine.Asked);
        portal.Engine.Feeds.Jobs.Set(990, Row(990, JobStatus.Running) with { Progress = new JobProgress(42, "of the memory is sent") });
        await Assertions.Expect(page.GetByTestId("job-percent")).ToContainTextAsync("42% of the memory is sent");
        await Assertions.Expect(page.GetByTestId("job-priority")).ToHaveCountAsync(0);
        Assert.Empty(await PageTests.ViolationsAsync(page, "job-page"));
        portal.Engine.Feeds.Jobs.Set(990, Row(990, JobStatus.Canceled) with { EndedAt = DateTimeOffset.UtcNow, CanceledBy = "olga" });
        await Assertions.Expect(page.GetByTestId("job-status")).ToContainTextAsync("Cancelled");
        await Assertions.Expect(page.GetByText("Cancelled by")).ToBeVisibleAsync();
        await page.GetByTestId("job-archive").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Archive: accepted");
        Assert.Equal(new ArchiveJob(990), portal.Engine.Asked.Last());
    }

    [Fact]
    public async Task The_filter_finds_what_is_stored_and_follows_what_goes_on()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        var asked = new List<Engine.Ports.JobQuery>();
        portal.Engine.Found = query =>
        {
            asked.Add(query);
            return query.Text is null ? [] : [new Job(12, new StopInstance("old1"), new Caller("u9", "olga", false, "cli"), [new ReasonEntry("cli", "kernel update", s_at)], JobStatus.Error, s_at) { EndedAt = s_at, Subjects = ["instance:old1"] }];
        };
        var page = await browser.OpenAsync("/jobs", portal: portal);
        await Assertions.Expect(page.GetByTestId("job-row-911")).ToBeVisibleAsync();
        await page.GetByTestId("jobs-text").FillAsync("kernel");
        await page.GetByTestId("jobs-text").PressAsync("Enter");
        await Assertions.Expect(page.GetByTestId("job-row-12")).ToContainTextAsync("kernel update");
        await Assertions.Expect(page.GetByTestId("job-row-911")).ToHaveCountAsync(0);
        await page.GetByTestId("jobs-archived").CheckAsync();
        await page.GetByTestId("jobs-status").SelectOptionAsync("error");
        // The row is the same before and after: what is asked for tells that the choice has come through.
        await Testing.E2E.Until.TrueAsync(() => asked[^1].Statuses.Count == 1, TimeSpan.FromSeconds(20), "the state is asked for");
        await Assertions.Expect(page.GetByTestId("job-row-12")).ToBeVisibleAsync();
        Assert.Equal(("kernel", true, JobStatus.Error), (asked[^1].Text, asked[^1].Archived, Assert.Single(asked[^1].Statuses)));
        await page.GotoAsync(new Uri(portal.Address, "/jobs?q=night").ToString());
        await Assertions.Expect(page.GetByTestId("job-row-12")).ToBeHiddenAsync();
        portal.Engine.Feeds.Jobs.Set(991, Row(991, JobStatus.Queued));
        await Assertions.Expect(page.GetByTestId("job-row-991")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Administrators_see_the_locks_and_drain_the_queue_and_everybody_sees_that_it_is()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        portal.Engine.Locks = [new LockRow("2:node:node1", [new LockParty(914, true)], [new LockParty(915, false)])];
        var page = await browser.OpenAsync("/jobs", portal: portal);
        await page.GetByTestId("queue-panel").Locator("summary").ClickAsync();
        await Assertions.Expect(page.GetByTestId("locks")).ToContainTextAsync("node:node1");
        await Assertions.Expect(page.GetByTestId("locks")).ToContainTextAsync("914 (shared)");
        Assert.Empty(await PageTests.ViolationsAsync(page, "queue"));
        await page.GetByTestId("queue-running").FillAsync("7");
        await page.GetByTestId("queue-running").PressAsync("Enter");
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("accepted");
        await page.GetByTestId("queue-drain").ClickAsync();
        var cluster = portal.Engine.Cluster;
        portal.Engine.Feeds.Cluster.Set(cluster.Id, new ClusterRow(cluster.Name, true, null, null) { QueueDrained = true, MaxRunningJobs = 7, MaxOpenJobs = 5000 });
        await Assertions.Expect(page.GetByTestId("queue-drained")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByTestId("queue-undrain")).ToBeVisibleAsync();
        Assert.Equal([new ModifyQueue { Running = 7 }, new ModifyQueue { Drained = true }], portal.Engine.Asked);
        await PageTests.ShotAsync(page, "jobs-queue-1280-light");
    }
}
