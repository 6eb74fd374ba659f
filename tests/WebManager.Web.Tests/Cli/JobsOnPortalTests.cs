using System.Net;
using System.Net.Http.Json;
using WebManager.Cli;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Support;
using Xunit;

namespace WebManager.Web.Tests.Cli;

/// <summary>wm and the API against a whole portal: jobs that wait are cancelled, ordered, chained and put away, and who waits hears of changes.</summary>
public sealed class JobsOnPortalTests : IDisposable
{
    private const string None = "ID  STATUS  JOB  BY  RECEIVED  ENDED  ERROR\n";
    private readonly TestPortal _portal = new();
    private readonly WmRun _wm = new();
    private readonly HttpClient _api;

    public JobsOnPortalTests()
    {
        (_wm.Environment["WEBMANAGER_URL"], _wm.Environment["WEBMANAGER_TOKEN"]) = (_portal.Address.ToString(), _portal.LocalToken);
        _api = _portal.Api();
    }

    public void Dispose()
    {
        _api.Dispose();
        _wm.Dispose();
        _portal.Dispose();
    }

    private async Task<string> DoneAsync(params string[] args)
    {
        var (code, output, error) = await _wm.RunAsync(args);
        Assert.Equal((0, ""), (code, error));
        return output;
    }

    private async Task<long> FiledAsync(params string[] args)
    {
        var output = await DoneAsync([.. args, "--no-wait"]);
        return long.Parse(output.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task<JobView> JobAsync(long id, string more = "") => (await _api.GetFromJsonAsync<JobView>($"/api/v1/jobs/{id}{more}", WireJson.Options))!;

    /// <summary>By the long poll itself.</summary>
    private async Task<JobView> UntilAsync(long id, string status)
    {
        var job = await JobAsync(id);
        for (var turn = 0; turn < 20 && job.Status != status; turn++) { job = await JobAsync(id, $"/wait?status={job.Status}&seconds=5"); }
        Assert.Equal(status, job.Status);
        return job;
    }

    [Fact]
    public async Task A_job_that_waits_is_cancelled_and_one_that_runs_stops()
    {
        var runs = await FiledAsync("debug", "delay", "--seconds", "600", "--lock", "node:n1");
        await UntilAsync(runs, "running");
        var waits = await FiledAsync("debug", "delay", "--lock", "node:n1");
        await UntilAsync(waits, "waiting");
        Assert.Matches($@"node:n1 +{runs} +{waits}\n", await DoneAsync("debug", "locks"));
        await DoneAsync("job", "cancel", $"{waits}", "--reason", "not needed");
        Assert.Equal(("canceled", "local"), ((await JobAsync(waits)).Status, (await JobAsync(waits)).CanceledBy));
        await DoneAsync("job", "cancel", $"{runs}");
        await UntilAsync(runs, "canceled");
        Assert.Equal("LOCK  HELD BY  WAITED FOR BY\n", await DoneAsync("debug", "locks"));
        var (code, _, error) = await _wm.RunAsync("job", "cancel", $"{runs}");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains($"Job {runs} has ended: canceled.", error);
    }

    [Fact]
    public async Task Priority_and_dependencies_are_given_with_any_command_and_changed()
    {
        await DoneAsync("cluster", "queue", "modify", "--max-running-jobs", "1");
        var hold = await FiledAsync("debug", "delay", "--seconds", "600");
        await UntilAsync(hold, "running");
        var low = await FiledAsync("--priority", "low", "debug", "delay", "--seconds", "0");
        var after = await FiledAsync("debug", "delay", "--seconds", "0", "--depends", $"{hold}:canceled,{low}");
        var never = await FiledAsync("debug", "delay", "--seconds", "0", "--depends", $"{hold}:success+error");
        Assert.Equal(("low", "queued"), ((await JobAsync(low)).Priority, (await JobAsync(low)).Status));
        await DoneAsync("job", "change-priority", $"{low}", "high");
        Assert.Equal("high", (await JobAsync(low)).Priority);
        Assert.Matches($@"depends on: +{hold} \(canceled\), {low}\n", await DoneAsync("job", "show", $"{after}"));
        await DoneAsync("job", "cancel", $"{hold}");
        await DoneAsync("job", "wait", $"{after}");
        Assert.Equal("canceled", (await JobAsync(never)).Status);
        var (code, _, error) = await _wm.RunAsync("debug", "delay", "--depends", "99999");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("There is no job 99999 to wait for.", error);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await _api.PostAsJsonAsync("/api/v1/debug/delay?priority=urgent", new { seconds = 1 })).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await _api.PostAsJsonAsync("/api/v1/debug/delay?depends=x", new { seconds = 1 })).StatusCode);
    }

    [Fact]
    public async Task A_drained_or_full_queue_answers_503_and_its_limits_are_shown()
    {
        await DoneAsync("cluster", "queue", "drain");
        var refused = await _api.PostAsJsonAsync("/api/v1/debug/delay", new { seconds = 1 });
        await Api.ApiTests.AssertProblemAsync(refused, 503, "queue.drained");
        Assert.Contains("drained", await DoneAsync("cluster", "queue", "info"));
        await DoneAsync("cluster", "queue", "undrain");
        await DoneAsync("cluster", "queue", "modify", "--max-open-jobs", "1");
        await FiledAsync("debug", "delay", "--seconds", "600");
        await Api.ApiTests.AssertProblemAsync(await _api.PostAsJsonAsync("/api/v1/debug/delay", new { seconds = 1 }), 503, "queue.full");
        Assert.Contains("1 of 1", await DoneAsync("cluster", "queue", "info"));
        await Api.ApiTests.AssertProblemAsync(await _api.PatchAsJsonAsync("/api/v1/queue", new { running = 0 }), 422, "queue.running-invalid", "running");
    }

    [Fact]
    public async Task Who_waits_for_a_change_gets_it_with_the_new_lines_or_hears_that_there_was_none()
    {
        var hold = await FiledAsync("debug", "delay", "--seconds", "600", "--lock", "node:n1");
        await UntilAsync(hold, "running");
        var job = await FiledAsync("debug", "delay", "--seconds", "0", "--lock", "node:n1");
        var waiting = await UntilAsync(job, "waiting");
        var none = await JobAsync(job, "/wait?status=waiting&log=1&seconds=0");
        Assert.Equal((false, 0), (none.Changed, none.Log!.Count));
        Assert.Equal((true, "Waits for job"), ((await JobAsync(job, "/wait?status=queued&log=0")).Changed, (await JobAsync(job, "/wait?log=0")).Log![0].Text[..13]));
        var next = JobAsync(job, "/wait?status=waiting&log=1&seconds=30");
        await DoneAsync("job", "cancel", $"{hold}");
        var changed = await next;
        Assert.True(changed.Changed);
        Assert.NotEqual("waiting", changed.Status);
        Assert.Matches(@"(?s)debug\.delay cluster: .*success", await DoneAsync("job", "watch", $"{job}"));
        Assert.Equal("waiting", waiting.Status);
        await Api.ApiTests.AssertProblemAsync(await _api.GetAsync($"/api/v1/jobs/{job}/wait?status=lost"), 422, "status.unknown", "status");
    }

    [Fact]
    public async Task Archived_jobs_are_found_on_request_and_jobs_by_what_they_were()
    {
        var one = await FiledAsync("debug", "delay", "--seconds", "0", "--reason", "Kernel update");
        await UntilAsync(one, "success");
        Assert.Contains($"{one} ", await DoneAsync("job", "list", "--text", "kernel"));
        Assert.Equal(None, await DoneAsync("job", "list", "--text", "kernel", "--status", "error"));
        await DoneAsync("job", "archive", $"{one}");
        Assert.Equal(None, await DoneAsync("job", "list", "--text", "kernel"));
        Assert.Contains($"{one} ", await DoneAsync("job", "list", "--text", "kernel", "--archived", "--user", "local", "--subject", "cluster"));
        Assert.NotNull((await JobAsync(one)).ArchivedAt);
        await DoneAsync("job", "autoarchive", "0");
        Assert.DoesNotContain("debug.delay", await DoneAsync("job", "list"));
        Assert.NotEmpty((await _api.GetFromJsonAsync<JobView[]>("/api/v1/jobs?archived=true&limit=1", WireJson.Options))!);
        Assert.Equal(ExitCode.Usage, (await _wm.RunAsync("job", "autoarchive", "soon")).Code);
        await Api.ApiTests.AssertProblemAsync(await _api.GetAsync("/api/v1/jobs?status=lost"), 422, "status.unknown", "status");
    }
}
