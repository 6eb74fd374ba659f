// Live migration to the secondary, and clearing what an interrupted one left on the nodes (R4, H9).
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Operations;

internal sealed class MigrateInstanceOperation : InstanceOperation<MigrateInstance>
{
    private const int FailoverGraceSeconds = 30;

    public override Right Right => Right.Migrate;
    public override QuotaRule Quota => QuotaRule.None;

    /// <summary>Until the guest stands still for the switch.</summary>
    public override CancelRule Cancel => CancelRule.Itself;

    protected override Refusal? Check(MigrateInstance request, Instance i, Picture now, EngineParts parts) =>
        request.To is { } to && to != i.Secondary ? new Refusal("migrate.elsewhere", $"{i.Name} does not move to {to}: its other node is {i.Secondary ?? "none"}.") { Field = "to" }
        : request.AllowFailover && !PowerChecks.Runs(i, parts)
            ? FailoverInstanceOperation.Possible(i, now, parts)
            : FailoverInstanceOperation.Ready(i, now, parts) ?? Moves(i, parts) ?? SameKind(i, parts) ?? Room.Lacks(i, i.Secondary!, now);

    private static Refusal? Moves(Instance i, EngineParts parts)
    {
        var phase = parts.Nodes.ReportOf(i.Primary, i.Id)?.Guest ?? GuestPhase.Absent;
        if (i.Wanted == AdminState.Down || phase is GuestPhase.Absent or GuestPhase.Stopping) { return new Refusal("instance.not-running", $"{i.Name} does not run, so there is nothing to move alive.", "Start it first, or fail it over."); }
        if (phase == GuestPhase.Starting) { return new Refusal("instance.starting", $"{i.Name} is still starting.", "Try again in a moment."); }
        if (i.Generation is not { Sync: SyncState.InSync }) { return new Refusal("mirror.not-in-sync", $"The copy of {i.Name} on {i.Secondary} is not whole.", "Wait until it is in sync again."); }
        return phase == GuestPhase.Running ? null : new Refusal("instance.paused", $"{i.Name} waits for its disks.", "Wait until it goes on.");
    }

    /// <summary>A guest's processor cannot change between the host's own and an emulated one.</summary>
    private static Refusal? SameKind(Instance i, EngineParts parts)
    {
        var (from, to) = (parts.Nodes.Find(i.Primary)?.Hello?.Hypervisor, parts.Nodes.Find(i.Secondary)?.Hello?.Hypervisor);
        return from == to || from is null || to is null ? null
            : new Refusal("migrate.other-hypervisor", $"{i.Primary} runs guests with {from} and {i.Secondary} with {to}; a running guest cannot change between them.", "Fail it over: it is started anew there.");
    }

    public override Task<Outcome<Done>> RunAsync(MigrateInstance request, JobContext job, CancellationToken ct)
    {
        var i = job.Now.Find(request.Instance)!;
        var moves = job.Resumed ? job.Job.Step is Migration.Receive or Migration.Send or Migration.Moved or Migration.Halted : !request.AllowFailover || PowerChecks.Runs(i, job.Parts);
        return moves ? new Migration(job, i).RunAsync(ct) : FailoverInstanceOperation.GoAsync(request.Instance, FailoverGraceSeconds, job, ct);
    }
}

internal sealed class CleanUpMigrationOperation : InstanceOperation<CleanUpMigration>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public override Right Right => Right.WatcherOnly;
    public override QuotaRule Quota => QuotaRule.None;

    protected override Refusal? Check(CleanUpMigration request, Instance i, Picture now, EngineParts parts) =>
        Left(i, parts).Count > 0 ? null : new Refusal("migrate.nothing-left", $"Nothing of a migration of {i.Name} is left.");

    private static IReadOnlyList<string> Left(Instance i, EngineParts parts) =>
        new[] { i.Primary, i.Secondary }.OfType<string>().Where(n => parts.Nodes.HealthOf(n) == NodeHealth.Online && parts.Nodes.ReportOf(n, i.Id)?.Migration is not null).ToList();

    public override async Task<Outcome<Done>> RunAsync(CleanUpMigration request, JobContext job, CancellationToken ct)
    {
        var i = job.Now.Find(request.Instance)!;
        foreach (var node in Left(i, job.Parts))
        {
            await job.StepAsync("cancel", $"Clearing what a migration left on {node}.", ct);
            var done = await job.OrderAsync(node, new CancelMigrationOrder(job.OperationId($"cancel/{node}/{job.Epoch}"), job.Epoch, i.Id), Limit, ct);
            if (!done.Ok) { return done; }
        }
        return Done.Value;
    }
}
