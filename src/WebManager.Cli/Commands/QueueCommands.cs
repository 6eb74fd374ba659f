// wm cluster queue: info, drain, undrain, modify.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class QueueCommands
{
    public static Command Queue(Surroundings around) => new Command("queue", "The job queue: its limits, and whether it takes new jobs.").With(
        new Command("info", "How many jobs run and are open.").Does(around, run => run.ShowAsync("queue", CliJson.Default.QueueView, q =>
            new Details().Line("queue", q.Drained ? "drained: no new jobs are accepted" : "open").Line("running", $"{q.Running} of {q.RunningLimit} at one time").Line("open", $"{q.Open} of {q.OpenLimit}").Write(run.Around))),
        Switch(around, "drain", "Accept no new jobs; those that are open go on.", true), Switch(around, "undrain", "Accept jobs again.", false), Modify(around));

    private static Command Switch(Surroundings around, string name, string help, bool drained)
    {
        var reason = Parts.Reason();
        return new Command(name, help).Does(around, run => ChangeAsync(run, new ModifyQueueRequest { Drained = drained, Reason = run.Get(reason) }), reason);
    }

    private static Command Modify(Surroundings around)
    {
        var running = Parts.Int("--max-running-jobs", "How many jobs run at one time.", "N", 1, 1000);
        var open = Parts.Int("--max-open-jobs", "How many jobs may be open.", "N", 1, 100_000);
        var reason = Parts.Reason();
        return new Command("modify", "Change the queue's limits.").Does(around, run => ChangeAsync(run, new ModifyQueueRequest { Running = run.Get(running), Open = run.Get(open), Reason = run.Get(reason) }), running, open, reason);
    }

    private static async Task ChangeAsync(Invocation run, ModifyQueueRequest body) =>
        await JobFollower.FollowAsync(run, await run.Portal.PatchAsync("queue", body, CliJson.Default.ModifyQueueRequest, CliJson.Default.JobAccepted, run.Ct), noWait: false);
}
