// wm debug: a job that only waits, and who holds which lock.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class DebugCommands
{
    public static Command Debug(Surroundings around) => new Command("debug", "For looking into the job queue.").With(Delay(around), Locks(around));

    private static Command Delay(Surroundings around)
    {
        var seconds = Parts.Int("--seconds", "How long (1).", "N", 0, 24 * 3600);
        var exclusive = new Option<string[]>("--lock") { Description = "Hold this lock alone: cluster, group:NAME, node:NAME, instance:NAME.", HelpName = "LOCK" };
        var shared = new Option<string[]>("--shared") { Description = "Hold this lock with others.", HelpName = "LOCK" };
        var (reason, noWait) = (Parts.Reason(), Parts.NoWait());
        return new Command("delay", "A job that does nothing for a while.").Does(around, async run =>
        {
            var body = new DebugDelayRequest(run.Get(seconds) ?? 1) { Exclusive = run.Get(exclusive) ?? [], Shared = run.Get(shared) ?? [], Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync("debug/delay", body, CliJson.Default.DebugDelayRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, seconds, exclusive, shared, reason, noWait);
    }

    private static Command Locks(Surroundings around) => new Command("locks", "Who holds which lock, and who waits for it.").Does(around, run => run.ShowAsync("locks", CliJson.Default.LockViewArray, all =>
    {
        var table = new Output.Table("LOCK", "HELD BY", "WAITED FOR BY");
        foreach (var l in all) table.Row(l.Name, Jobs(l.Holders), Jobs(l.Waiters));
        table.Write(run.Around, "No lock is held.");
    }));

    private static string Jobs(IReadOnlyList<LockPartyView> parties) => string.Join(", ", parties.Select(p => p.Shared ? $"{p.Job} (shared)" : $"{p.Job}"));
}
