// A primary that answers and cannot write: its guest is stopped there for good, then its other copy, which has every acknowledged write, takes over.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal static class DiskRecovery
{
    public static Refusal? NotNeeded(Instance i, EngineParts parts) =>
        PowerChecks.Online(i.Primary, parts)
        ?? (parts.Nodes.ReportOf(i.Primary, i.Id) is { Guest: GuestPhase.Absent } or { LocalFault: not null } ? null : new Refusal("recover.not-needed", $"The disk of {i.Name} on {i.Primary} works again."));

    /// <summary>The stop's answer means that the guest was reaped under the former generation, so nothing has to be waited for (R4).</summary>
    public static async Task<Outcome<Instance>> PromoteAsync(Instance i, string fault, JobContext job, CancellationToken ct)
    {
        var old = i.Generation!;
        await job.StepAsync("disk-fault", $"The disk on {old.Primary} fails ({fault}). {old.Secondary} has every acknowledged write.", ct);
        var stopped = await GuestSteps.StopAsync(job, i.Id, 0, ct);
        if (!stopped.Ok) { return stopped.Refusal; }
        return await GuestSteps.NewGenerationAsync(job, i.Id, old, "promote", old.Secondary!, old.Primary, SyncState.Alone, start: true,
            $"{old.Secondary} is the primary now.", ct, former: old, refuses: (_, now) => MayNot(now, old, job));
    }

    private static Refusal? MayNot(Instance i, GenerationRecord old, JobContext job)
    {
        if (i.Generation!.Sync != SyncState.InSync) { return new Refusal("generation.stale", $"{i.Name} is alone by now."); }
        // Once it is promoted only this node can run it.
        if (PowerChecks.Online(old.Secondary!, job.Parts) is { } away) { return away; }
        RecoveryNotes.Promoted(job);
        return null;
    }
}
