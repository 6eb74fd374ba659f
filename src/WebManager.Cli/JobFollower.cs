// Waits for a job, printing its log lines as they come; a job that does not succeed ends the command with exit code 1.
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli;

internal static class JobFollower
{
    /// <summary>A portal that restarts takes its jobs along; that long its silence is no news.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RetryGap = TimeSpan.FromSeconds(0.5);

    public static Task FollowAsync(Invocation run, Answer<JobAccepted> accepted, bool noWait)
    {
        if (!noWait) return FollowAsync(run, accepted.Value.Job);
        if (run.Json) run.WriteJson(accepted.Json);
        else run.Say($"Job {accepted.Value.Job} is accepted.");
        return Task.CompletedTask;
    }

    public static async Task FollowAsync(Invocation run, long id)
    {
        var ended = await UntilEndedAsync(run, id);
        if (run.Json) run.WriteJson(ended.Json);
        var job = ended.Value;
        if (job.Status != "success")
            throw new WmException(ExitCode.Refused, job.Error is null ? $"Job {id}, {job.Summary}: {job.Status}." : $"Job {id}, {job.Summary}: {job.Error}", remedy: job.Remedy);
        if (!run.Json) run.Say($"Job {id}, {job.Summary}: done.");
    }

    private static async Task<Answer<JobView>> UntilEndedAsync(Invocation run, long id)
    {
        var printed = 0;
        var silentSince = (long?)null;
        while (true)
        {
            try
            {
                // The first look does not wait, so that lines come at once.
                var job = await run.Portal.GetAsync($"jobs/{id}/wait?seconds={(printed == 0 ? 0 : 1)}", CliJson.Default.JobView, run.Ct);
                printed = await PrintLogAsync(run, id, printed);
                silentSince = null;
                if (job.Value.Status is "success" or "error" or "canceled") return job;
                await Task.Delay(TimeSpan.FromMilliseconds(100), run.Around.Clock, run.Ct);
            }
            catch (WmException failure) when (failure.ExitCode == ExitCode.Unreachable)
            {
                silentSince ??= run.Around.Clock.GetTimestamp();
                if (run.Around.Clock.GetElapsedTime(silentSince.Value) > Patience)
                    throw new WmException(ExitCode.Unreachable, failure.Message, remedy: $"Job {id} may still go on: wm job wait {id}");
                await Task.Delay(RetryGap, run.Around.Clock, run.Ct);
            }
        }
    }

    private static async Task<int> PrintLogAsync(Invocation run, long id, int printed)
    {
        var lines = await run.Portal.GetAsync($"jobs/{id}/log?after={printed}", CliJson.Default.JobLogLineViewArray, run.Ct);
        // With --json standard output holds the JSON only.
        var to = run.Json ? run.Around.Error : run.Around.Out;
        foreach (var line in lines.Value)
        {
            to.WriteLine($"  {Text.Plain(line.Text)}");
            printed = Math.Max(printed, line.Serial);
        }
        return printed;
    }
}
