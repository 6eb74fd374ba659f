// Another secondary while the present one is good: the guest is on three copies when the record changes, so one of two is promotable at any time (R4, H7).
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

/// <summary>
/// The record in force stays until the primary writes to the new secondary, too; up to then everything may fail and nothing has changed. Then the
/// candidate becomes the record in one transaction, and the handover is open until the primary has stored it (HandoverSteps).
/// </summary>
internal sealed class InSyncReplacement(Guid id, JobContext job)
{
    private const string Steps = "third.", Prepare = "third.prepare", Named = "third.candidate", Copy = "third.copy", GivenUp = "third.given-up", Switched = "third.switched";
    private static readonly TimeSpan OrderLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan TellLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CopyLimit = TimeSpan.FromHours(24);

    private Instance Now => job.Now.Instances[id];
    private InstanceReport? Report => job.Nodes.ReportOf(Now.Primary, id);

    public static bool Can(Instance i, EngineParts parts) =>
        i is { FreshDisks: false, Generation.Sync: SyncState.InSync, Secondary: { } secondary } && !HandoverSteps.IsOpen(i) && PowerChecks.Runs(i, parts) && PowerChecks.Online(secondary, parts) is null;

    /// <summary>Also when the job is carried on: its own steps, or it had not decided anything yet.</summary>
    public static bool IsMeant(Instance i, JobContext job) =>
        job.Job.Step?.StartsWith(Steps, StringComparison.Ordinal) == true || (job.Job.Step is null or "" or "prepare" && i is { FreshDisks: false, Generation.Sync: SyncState.InSync });

    public async Task<Outcome<Done>> RunAsync(string? wished, CancellationToken ct)
    {
        if (job.Resumed) { await job.Nodes.CaughtUpAsync([Now.Primary], ct); }
        var step = job.Job.Step;
        if (Now.Candidate is null && step is GivenUp && job.CancelAsked) { return job.Canceled(); }
        if (Now.Candidate is null && step is Named or Copy or GivenUp) { return Failed("something else changed the instance meanwhile"); }
        if (Now.Candidate is null && step is not (Named or Copy or Switched) && await NameAsync(wished, ct) is { Ok: false, Refusal: { } unnamed }) { return unnamed; }
        if (Now.Candidate is { } candidate && await JoinAsync(candidate, ct) is { } why) { return await GiveUpAsync(candidate, why, ct); }
        return await HandOverAsync(ct);
    }

    private Refusal Failed(string why) =>
        new("mirror.copy-failed", $"The new copy did not come to its end: {why.TrimEnd('.')}. {(Now.Generation is { Sync: SyncState.InSync, Secondary: { } good } ? $"That on {good} is as good as before." : "")}".TrimEnd(), "Try it again, or choose another node.");

    private async Task<Outcome<Instance>> NameAsync(string? wished, CancellationToken ct)
    {
        var placed = ReplaceSecondaryOperation.Place(wished, Now, job.Now, job.Parts);
        if (!placed.Ok) { return placed.Refusal; }
        var node = placed.Value;
        await job.StepAsync(Prepare, $"{node} is to take the place of {Now.Secondary}, whose copy stays good meanwhile.", ct);
        if (await ReplaceSecondaryOperation.ImageAsync(Now, node, job, ct) is { Ok: false, Refusal: { } lacks }) { return lacks; }
        return await job.StepAsync<Instance>(Named, (now, changes) =>
        {
            var i = now.Instances[id];
            if (!Can(i, job.Parts)) { return new Refusal("generation.stale", $"{i.Name} does not run on two good copies any more."); }
            if (ReplaceSecondaryOperation.Place(node, i, now, job.Parts) is { Ok: false, Refusal: { } full }) { return full; }
            changes.Text = $"A third copy is made on {node}.";
            var candidate = new GenerationRecord(id, i.Generation!.Number + 1, job.Parts.Random.NewTag(), i.Primary, node, SyncState.InSync);
            // Counted as a copy that may be there from here on: whatever becomes of this, it is found and removed.
            return changes.Write(i with { Candidate = candidate, OldCopies = [.. i.OldCopies.Where(n => n != node), node] });
        }, ct);
    }

    private ThirdCopy? Third(GenerationRecord candidate) => Report is { Third: { } third } && third.Is(candidate) ? third : null;

    /// <summary>Each write goes to all three, and nothing is known against one of them.</summary>
    private bool Joined(GenerationRecord candidate) => Third(candidate) is { Phase: ThirdPhase.Joined, Lost: false } && Report is { Mirror: MirrorPhase.InSync };

    /// <summary>Null: the candidate is the record.</summary>
    private async Task<Refusal?> JoinAsync(GenerationRecord candidate, CancellationToken ct)
    {
        var (former, record) = (Now.Secondary!, Now.Generation!);
        if (Third(candidate) is not { Phase: ThirdPhase.Copying or ThirdPhase.Joined } && await BeginAsync(record, candidate, ct) is { Ok: false, Refusal: { } not }) { return not; }
        await FollowAsync(candidate, former, ct);
        if (job.CancelAsked) { return job.Canceled(); }
        if (!Joined(candidate) || job.Nodes.HealthOf(candidate.Secondary) != NodeHealth.Online) { return Failed(Third(candidate)?.Text ?? Report?.MirrorText ?? "a node or the guest went away"); }
        var switched = await job.StepAsync<Instance>(Switched, (now, changes) =>
        {
            var i = now.Instances[id];
            if (!candidate.SameAs(i.Candidate) || !record.SameAs(i.Generation) || !Joined(candidate)) { return Failed("something changed while it ended"); }
            changes.Text = $"{candidate.Secondary} is the secondary now; it has every write. The copy on {former} is removed.{Figures(candidate)}";
            return changes.Write(i with { Generation = candidate, Secondary = candidate.Secondary, Candidate = null, Former = record, OldCopies = Plan.OldCopies.After(i, i.Primary, candidate.Secondary) });
        }, ct);
        if (switched.Ok) { Tell(former); }
        return switched.Refusal;
    }

    private void Tell(string former) => job.Parts.Events.Add("instance.secondary-replaced", Severity.Info, $"instance:{Now.Name}", $"{Now.Name}: {Now.Secondary} has taken the place of {former} as its secondary.", former, Now.Secondary, job.Job.Id);

    private string Figures(GenerationRecord candidate)
    {
        const double MiB = 1024 * 1024;
        return Third(candidate)?.Copy is { PausedMs: { } paused } copy
            ? $" {copy.ComparedBytes / MiB:0.#} MiB compared, {copy.MovedBytes / MiB:0.#} MiB copied in {copy.Milliseconds / 1000.0:0.0} s; the guest stood still for {paused} ms." : "";
    }

    private async Task<Outcome<Done>> BeginAsync(GenerationRecord record, GenerationRecord candidate, CancellationToken ct)
    {
        var (node, spec) = (candidate.Secondary!, Now.ToGuestSpec());
        await job.StepAsync(Copy, $"Copying the {Now.DiskMiB} MiB to {node} while {Now.Name} runs.", ct);
        var disks = await job.OrderAsync(node, new CreateDisksOrder(job.OperationId($"disks/{candidate}"), job.Epoch, spec), OrderLimit, ct);
        if (!disks.Ok) { return disks; }
        var replica = await job.OrderAsync(node, new OpenReplicaOrder(job.OperationId($"open/{candidate}"), job.Epoch, candidate, spec) { Candidate = true }, OrderLimit, ct);
        if (!replica.Ok) { return replica.Refusal; }
        return await job.OrderAsync(record.Primary, new AddCopyOrder(job.OperationId($"add/{candidate}/{job.Epoch}"), job.Epoch, record, candidate, replica.Value.Replica), OrderLimit, ct);
    }

    private async Task FollowAsync(GenerationRecord candidate, string former, CancellationToken ct)
    {
        var seen = false;
        bool Ended()
        {
            var third = Third(candidate);
            seen |= third is not null;
            return job.CancelAsked || third is { Phase: ThirdPhase.Joined or ThirdPhase.Failed } || (seen && third is null) || Report is null or { Guest: GuestPhase.Absent } or { Mirror: not MirrorPhase.InSync }
                || new[] { candidate.Primary, candidate.Secondary, former }.Any(n => job.Nodes.HealthOf(n) != NodeHealth.Online);
        }
        // It may have begun and failed between two reports.
        await job.Nodes.UntilAsync(() => Ended() || seen, TimeSpan.FromSeconds(5), ct);
        if (seen) { await job.Nodes.UntilAsync(Ended, CopyLimit, ct); }
    }

    /// <summary>The candidate is dropped before the primary is told: from then on it never comes in force.</summary>
    private async Task<Outcome<Done>> GiveUpAsync(GenerationRecord candidate, Refusal why, CancellationToken ct)
    {
        await job.StepAsync<Instance>(GivenUp, (now, changes) =>
        {
            var i = now.Instances[id];
            if (!candidate.SameAs(i.Candidate)) { return new Refusal("generation.stale", "It was dropped already."); }
            changes.Text = $"The copy on {candidate.Secondary} is given up; {i.Secondary} stays the secondary.";
            return changes.Write(i with { Candidate = null });
        }, ct);
        var dropped = await job.OrderAsync(candidate.Primary, new DropCopyOrder(job.OperationId($"drop/{candidate}"), job.Epoch, candidate), TellLimit, ct);
        if (!dropped.Ok) { await job.LogAsync($"{candidate.Primary} will be told again: {dropped.Refusal.Message}", ct); }
        return why;
    }

    /// <summary>The primary first: from its answer on nobody needs the former secondary. What is not told here is told by the beats.</summary>
    private async Task<Outcome<Done>> HandOverAsync(CancellationToken ct)
    {
        if (Now is not { Generation: { Sync: SyncState.InSync } record } || !HandoverSteps.IsOpen(Now)) { return Done.Value; }   // carried on: it was over
        var (began, turn, told) = (job.Parts.Clock.GetTimestamp(), 0, default(Outcome<Done>));
        do
        {
            if (turn > 0) { await Task.Delay(job.Parts.Heartbeat.Every, job.Parts.Clock, ct); }
            told = await job.OrderAsync(record.Primary, new StoreGenerationOrder(job.OperationId($"store/{record}/{record.Primary}/{job.Epoch}/{++turn}"), job.Epoch, record), TellLimit, ct);
        }
        while (!told.Ok && job.Nodes.HealthOf(record.Primary) == NodeHealth.Online && job.Parts.Clock.GetElapsedTime(began) < TellLimit * 2);
        if (!told.Ok) { return told.Refusal with { Message = $"{record.Secondary} is the secondary now, but {record.Primary} has not confirmed it yet. {told.Refusal.Message}", Remedy = "It is told again with each heartbeat." }; }
        if (await HandoverSteps.CloseAsync(id, record, $"{record.Primary} has stored the change.", job, ct) is { } changed) { return changed; }
        var heard = await job.OrderAsync(record.Secondary!, new StoreGenerationOrder(job.OperationId($"store/{record}/{record.Secondary}"), job.Epoch, record), TellLimit, ct);
        if (!heard.Ok) { await job.LogAsync($"{record.Secondary} will hear of it with the next beat: {heard.Refusal.Message}", ct); }
        await job.Nodes.UntilAsync(() => Report is null or { Third: null }, TellLimit, ct);
        return Done.Value;
    }
}
