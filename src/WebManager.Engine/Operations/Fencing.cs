// Waits until the guest of a former primary is dead for certain (R4); nothing is started before.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Loop;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal static class Fencing
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(0.5);

    /// <summary>
    /// Certain means: its guest was reaped under the former generation, or its node was powered off and is silent since, or its lease has run out by every clock, isolation + margin since
    /// the engine and the new primary last received a challenge of it. Noted durably, so that it is waited for once. No promotion open: nothing to wait for.
    /// </summary>
    public static async Task<Refusal?> AwaitAsync(JobContext job, Guid id, CancellationToken ct)
    {
        if (job.Now.Instances[id] is not { Former: { } former, Generation: { } record } i || HandoverSteps.IsOpen(i)) { return null; }
        // From its answer on the new primary answers no challenge of the former one any more.
        var stored = await job.OrderAsync(record.Primary, new StoreGenerationOrder(job.OperationId($"store/{record}"), job.Epoch, record), Limit, ct);
        if (!stored.Ok) { return stored.Refusal; }
        var needed = job.Parts.Heartbeat.Isolation + job.Parts.Heartbeat.Margin;
        var watch = job.Nodes.Find(former.Primary);
        var (heard, asked) = await SilenceAsync(former, record, job, ct);
        TimeSpan Left() => needed - Min(watch?.SinceChallenge ?? needed, heard + job.Parts.Clock.GetElapsedTime(asked));
        bool Dead() => Reaped(watch, former) || Left() <= TimeSpan.Zero;
        var (off, mayBeOff, told) = (false, true, false);
        // A primary that answers the engine again keeps renewing SinceChallenge; its guest is killed by the newer record and then reported reaped.
        for (var turn = 1; !Dead() && !off; turn++)
        {
            // One that never ran the guest under the former generation reports no end of it: having stored the newer record, it is sure to have none.
            if (await ToldAsync(watch, former, record, turn, job, ct)) { told = true; break; }
            var left = Left();
            await job.Nodes.UntilAsync(() => Dead() || (mayBeOff && job.Parts.Power.OffFor(former.Primary) is not null), left > TimeSpan.Zero && left < Turn ? left : Turn, ct);
            off = mayBeOff && !Dead() && await PoweredOffAsync(former, record.Primary, job, ct);
            mayBeOff &= off || job.Parts.Power.OffFor(former.Primary) is null;   // the other node heard it: from here only time counts
        }
        var waited = needed - Left();
        var reaped = told || Reaped(watch, former);
        var by = reaped ? $"{former.Primary} says its guest is gone." : off ? $"{former.Primary} was powered off and is silent since." : $"No guest can run on {former.Primary} any more.";
        return await ClearAsync(job, id, by, off || reaped ? null : waited, ct);
    }

    /// <summary>The power command succeeded, and neither the engine nor the other node has heard it since (R4).</summary>
    public static async Task<bool> PoweredOffAsync(GenerationRecord former, string other, JobContext job, CancellationToken ct)
    {
        if (job.Parts.Power.OffFor(former.Primary) is null) { return false; }
        var reply = await job.OrderAsync(other, new PeerSilenceRequest(former.Instance, former.Primary), Limit, ct);
        return reply.Ok && job.Parts.Power.OffFor(former.Primary) is { } since
            && Math.Min(reply.Value.SinceHeardMs ?? reply.Value.AgentUpMs, reply.Value.AgentUpMs) >= since.TotalMilliseconds;
    }

    /// <summary>A former primary that answers stores the new record: its guest, if there is one, is reaped before it says so, and none is started under an older one.</summary>
    private static async Task<bool> ToldAsync(NodeWatch? watch, GenerationRecord former, GenerationRecord record, int turn, JobContext job, CancellationToken ct) =>
        watch is { Health: NodeHealth.Online } && former.Primary != record.Primary
        && (await job.OrderAsync(former.Primary, new StoreGenerationOrder(job.OperationId($"store/{record}/{former.Primary}/{turn}"), job.Epoch, record), Limit, ct)).Ok;

    /// <summary>A node set offline is still listened to; that its guest was reaped under a generation stays true.</summary>
    private static bool Reaped(NodeWatch? watch, GenerationRecord former) =>
        watch is { Health: NodeHealth.Online or NodeHealth.Offline } && watch.ReportOf(former.Instance) is { Guest: GuestPhase.Absent } r && r.GuestGeneration == former.Number && r.End != GuestEnd.None;

    /// <summary>How long the new primary has not heard the former one; it stood down before, so hearing it moves nothing but this clock.</summary>
    private static async Task<(TimeSpan Heard, long Asked)> SilenceAsync(GenerationRecord former, GenerationRecord record, JobContext job, CancellationToken ct)
    {
        var asked = job.Parts.Clock.GetTimestamp();
        var reply = await job.OrderAsync(record.Primary, new PeerSilenceRequest(record.Instance, former.Primary), Limit, ct);
        var heard = reply.Ok ? TimeSpan.FromMilliseconds(Math.Min(reply.Value.SinceHeardMs ?? reply.Value.AgentUpMs, reply.Value.AgentUpMs)) : TimeSpan.Zero;
        return (heard, asked);
    }

    private static async Task<Refusal?> ClearAsync(JobContext job, Guid id, string text, TimeSpan? waited, CancellationToken ct)
    {
        var cleared = await job.StepAsync<Instance>("fenced", (now, changes) =>
        {
            changes.Text = text;
            return changes.Write(RecoveryNotes.Fenced(job, now.Instances[id], text, waited) with { Former = null });
        }, ct);
        return cleared.Refusal;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
