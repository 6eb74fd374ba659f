// wm quota: list, show, set, unset, charges, recount.
using System.CommandLine;
using System.Globalization;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class QuotaCommands
{
    public static Command Quota(Surroundings around) => new Command("quota", "What owners hold, and how much they may.").With(List(around), Show(around), Set(around), Unset(around), Charges(around), Recount(around));

    private static Command List(Surroundings around) => new Command("list", "All owners that hold something or have limits of their own: used, + pending, / limit.").Does(around,
        run => run.ShowAsync("quotas", CliJson.Default.QuotaViewArray, all =>
        {
            var table = new Output.Table("OWNER", "LIMITS", "INSTANCES", "VCPUS", "MEMORY", "DISK", "RUNNING");
            foreach (var q in all)
                table.Row(Name(q), q.Own ? "own" : "everybody's", Share(q.Allocated.Instances, q.PendingAllocated.Instances, q.Limits.Allocated.Instances), Share(q.Allocated.Vcpus, q.PendingAllocated.Vcpus, q.Limits.Allocated.Vcpus),
                    SizeShare(q.Allocated.MemoryMiB, q.PendingAllocated.MemoryMiB, q.Limits.Allocated.MemoryMiB), SizeShare(q.Allocated.DiskMiB, q.PendingAllocated.DiskMiB, q.Limits.Allocated.DiskMiB),
                    Share(q.Running.Instances, q.PendingRunning.Instances, q.Limits.Running.Instances));
            table.Write(run.Around, "Nobody holds anything, and nobody has limits.");
        }));

    private static Command Show(Surroundings around)
    {
        var owner = Owner();
        return new Command("show", "One owner: used, + pending, / limit.").Does(around, run => run.ShowAsync($"quotas/{Parts.Path(run.Get(owner))}", CliJson.Default.QuotaView, q =>
            new Details().Line("owner", Name(q)).Line("limits", q.Own ? "its own" : "everybody's")
                .Line("instances", Share(q.Allocated.Instances, q.PendingAllocated.Instances, q.Limits.Allocated.Instances)).Line("vcpus", Share(q.Allocated.Vcpus, q.PendingAllocated.Vcpus, q.Limits.Allocated.Vcpus))
                .Line("memory", SizeShare(q.Allocated.MemoryMiB, q.PendingAllocated.MemoryMiB, q.Limits.Allocated.MemoryMiB)).Line("disk", SizeShare(q.Allocated.DiskMiB, q.PendingAllocated.DiskMiB, q.Limits.Allocated.DiskMiB))
                .Line("running instances", Share(q.Running.Instances, q.PendingRunning.Instances, q.Limits.Running.Instances)).Line("running vcpus", Share(q.Running.Vcpus, q.PendingRunning.Vcpus, q.Limits.Running.Vcpus))
                .Line("running memory", SizeShare(q.Running.MemoryMiB, q.PendingRunning.MemoryMiB, q.Limits.Running.MemoryMiB)).Write(run.Around)), owner);
    }

    private static Command Set(Surroundings around)
    {
        var (owner, limits, reason, noWait) = (Owner(" default: of everybody without limits of their own."), new LimitOptions(), Parts.Reason(), Parts.NoWait());
        return new Command("set", "Give an owner limits of its own; what is not given has no limit, 0 is none.").Does(around, async run =>
        {
            var read = limits.Read(run) ?? new QuotaLimitsView(new LimitsView(null, null, null, null), new LimitsView(null, null, null, null));
            var body = new SetQuotaRequest(read) { Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PutAsync($"quotas/{Parts.Path(run.Get(owner))}", body, CliJson.Default.SetQuotaRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, [owner, .. limits.All, reason, noWait]);
    }

    private static Command Unset(Surroundings around)
    {
        var (owner, reason, noWait) = (Owner(" default: nobody is limited who has no limits of their own."), Parts.Reason(), Parts.NoWait());
        return new Command("unset", "Take an owner's own limits away; everybody's hold for it.").Does(around, async run =>
            await JobFollower.FollowAsync(run, await run.Portal.DeleteAsync($"quotas/{Parts.Path(run.Get(owner))}{Parts.Why(run.Get(reason))}", CliJson.Default.JobAccepted, run.Ct), run.Get(noWait)), owner, reason, noWait);
    }

    private static Command Charges(Surroundings around)
    {
        var owner = Owner();
        var last = Parts.Int("--last", "How many lines (100).", "N", 1, 1000);
        return new Command("charges", "The ledger's lines of an owner, newest first.").Does(around, run => run.ShowAsync($"quotas/{Parts.Path(run.Get(owner))}/charges?limit={run.Get(last) ?? 100}", CliJson.Default.ChargeViewArray, all =>
        {
            var table = new Output.Table("TIME", "INSTANCE", "WHY", "JOB", "CHANGE", "RUNNING", "AFTER", "RUNNING AFTER");
            foreach (var c in all) table.Row(Text.Time(c.At, run.Around.Clock), c.Instance, c.Why, c.Job == 0 ? null : $"{c.Job}", Amount(c.Allocated, signed: true), Amount(c.Running, signed: true, disk: false), Amount(c.AllocatedAfter), Amount(c.RunningAfter, disk: false));
            table.Write(run.Around, "Nothing was ever charged to it.");
        }), owner, last);
    }

    private static Command Recount(Surroundings around)
    {
        var repair = new Option<bool>("--repair") { Description = "Set what differs to what the instances say." };
        var (reason, noWait) = (Parts.Reason(), Parts.NoWait());
        return new Command("recount", "Compare what is recorded as held with the instances, and say what differs.").Does(around, async run =>
        {
            var body = new RecountRequest { Repair = run.Get(repair), Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync("quotas/recount", body, CliJson.Default.RecountRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, repair, reason, noWait);
    }

    private static Argument<string> Owner(string more = "") => new("OWNER") { Description = $"user:NAME, usergroup:NAME or a name; me.{more}" };
    private static string Name(QuotaView q) => q.Owner.IndexOf(':') is var at and >= 0 ? $"{q.Owner[..at]}:{q.Name}" : q.Owner;

    private static string Share(int used, int pending, int? limit) => Share($"{used}", pending == 0 ? null : $"{pending}", LimitOptions.Number(limit));
    private static string SizeShare(long used, long pending, long? limit) => Share(LimitOptions.Size(used)!, pending == 0 ? null : LimitOptions.Size(pending), LimitOptions.Size(limit));
    private static string Share(string used, string? pending, string? limit) => used + (pending is null ? "" : $"+{pending}") + (limit is null ? "" : $"/{limit}");

    /// <summary>Instances, processors, memory, disk: 1/2/512M/10G.</summary>
    private static string? Amount(UsageView u, bool signed = false, bool disk = true)
    {
        if (signed && u is { Instances: 0, Vcpus: 0, MemoryMiB: 0, DiskMiB: 0 }) return null;
        string Mib(long m) => (m < 0 ? "-" : "") + (m == 0 ? "0" : Sizes.Format(Math.Abs(m)));
        string[] parts = [u.Instances.ToString(CultureInfo.InvariantCulture), u.Vcpus.ToString(CultureInfo.InvariantCulture), Mib(u.MemoryMiB), .. disk ? [Mib(u.DiskMiB)] : Array.Empty<string>()];
        return string.Join('/', parts);
    }
}
