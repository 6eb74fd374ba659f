// What people decide about recovery: for one instance, for the cluster, and its release after a freeze.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal sealed class ModifyInstanceOperation : InstanceOperation<ModifyInstance>
{
    public override Right Right => Right.InstanceModify;
    public override QuotaRule Quota => QuotaRule.None;

    /// <summary>One transaction on the newest row: it need not wait for a copy that takes hours.</summary>
    public override IEnumerable<string> Locks(ModifyInstance request) => [];

    protected override Refusal? Check(ModifyInstance request, Instance i, Picture now, EngineParts parts) =>
        request is { AutoRecover: null, Priority: null } ? new Refusal("instance.nothing-to-change", "Nothing was given to change.", "Give autoRecover or priority.")
        : request.Priority is { } p && !Enum.IsDefined(p) ? new Refusal("priority.unknown", "That priority does not exist.", "Use low, normal or high.") { Field = "priority" }
        : null;

    public override async Task<Outcome<Done>> RunAsync(ModifyInstance request, JobContext job, CancellationToken ct)
    {
        var changed = await job.StepAsync<Instance>("modify", (now, changes) =>
        {
            if (now.Find(request.Instance) is not { } i) { return new Refusal("instance.unknown", "The instance is gone."); }
            var (off, priority) = (request.AutoRecover is { } on ? !on : i.RecoveryOff, request.Priority ?? i.Priority);
            changes.Text = $"Automatic recovery {(off ? "off" : "on")}, priority {priority.ToString().ToLowerInvariant()}.";
            return changes.Write(i with { RecoveryOff = off, Priority = priority });
        }, ct);
        return changed.Ok ? Done.Value : changed.Refusal;
    }
}

internal sealed class ModifyClusterOperation : Operation<ModifyCluster>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(ModifyCluster request) => ["0:cluster"];

    public override Refusal? Check(ModifyCluster request, Picture now, EngineParts parts) =>
        request is { AutoRecover: null, ReplaceAfterSeconds: null } ? new Refusal("cluster.nothing-to-change", "Nothing was given to change.", "Give autoRecover or replaceAfterSeconds.")
        : request.ReplaceAfterSeconds is < 0 or > MostReplaceAfter ? new Refusal("replace.time-invalid", $"Replacing a lost secondary after {request.ReplaceAfterSeconds} s is not possible.", $"Use 0 (never) to {MostReplaceAfter} seconds (a week).") { Field = "replaceAfterSeconds" }
        : null;

    private const int MostReplaceAfter = 7 * 24 * 3600;

    public override async Task<Outcome<Done>> RunAsync(ModifyCluster request, JobContext job, CancellationToken ct)
    {
        var switched = request.AutoRecover is { } on ? await SwitchAsync(on, job, ct) : Done.Value;
        return switched.Ok && request.ReplaceAfterSeconds is { } seconds ? await ReplaceAfterAsync(seconds, job, ct) : switched;
    }

    private static async Task<Outcome<Done>> ReplaceAfterAsync(int seconds, JobContext job, CancellationToken ct)
    {
        var after = seconds == 0 ? "never" : $"after {TimeSpan.FromSeconds(seconds).TotalMinutes:0.##} minutes";
        var changed = await job.StepAsync<bool>("replace-after", (now, changes) =>
        {
            changes.Text = $"Lost secondaries are replaced: {after}.";
            var changing = now.Cluster.ReplaceAfterSeconds != seconds;
            if (changing) { changes.Raw.Cluster = now.Cluster with { ReplaceAfterSeconds = seconds, Revision = now.Cluster.Revision + 1 }; }
            return changing;
        }, ct);
        if (changed is { Ok: true, Value: true })
        {
            job.Parts.Events.Add("replace.switched", Severity.Info, "cluster", $"{job.Job.Caller.Name}: lost secondaries are replaced by themselves: {after}.", job: job.Job.Id);
        }
        return changed.Ok ? Done.Value : changed.Refusal;
    }

    private static async Task<Outcome<Done>> SwitchAsync(bool on, JobContext job, CancellationToken ct)
    {
        var changed = await job.StepAsync<bool>("modify", (now, changes) =>
        {
            changes.Text = $"Automatic recovery {(on ? "on" : "off")}.";
            var changing = now.Cluster.RecoveryOff == on;
            if (changing) { changes.Raw.Cluster = now.Cluster with { RecoveryOff = !on, Revision = now.Cluster.Revision + 1 }; }
            return changing;
        }, ct);
        if (changed is { Ok: true, Value: true })
        {
            job.Parts.Events.Add("recovery.switched", on ? Severity.Info : Severity.Warning, "cluster", $"{job.Job.Caller.Name} switched automatic recovery {(on ? "on" : "off")} for the cluster.", on ? "off" : "on", on ? "on" : "off", job.Job.Id);
        }
        return changed.Ok ? Done.Value : changed.Refusal;
    }
}

internal sealed class UnfreezeClusterOperation : Operation<UnfreezeCluster>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(UnfreezeCluster request) => ["0:cluster"];

    public override Refusal? Check(UnfreezeCluster request, Picture now, EngineParts parts) =>
        now.Cluster.FrozenAt is null ? new Refusal("recovery.not-frozen", "Automatic recovery is not frozen.") : null;

    public override async Task<Outcome<Done>> RunAsync(UnfreezeCluster request, JobContext job, CancellationToken ct)
    {
        var released = await job.StepAsync<bool>("release", (now, changes) =>
        {
            changes.Text = "Automatic recovery goes on.";
            var frozen = now.Cluster.FrozenAt is not null;
            if (frozen) { changes.Raw.Cluster = now.Cluster with { FrozenAt = null, FrozenText = null, Revision = now.Cluster.Revision + 1 }; }
            return frozen;
        }, ct);
        if (released is { Ok: true, Value: true })
        {
            job.Parts.Events.Add("recovery.released", Severity.Info, "cluster", $"{job.Job.Caller.Name} released automatic recovery.", "frozen", "on", job.Job.Id);
        }
        return released.Ok ? Done.Value : released.Refusal;
    }
}
