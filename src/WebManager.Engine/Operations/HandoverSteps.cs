// After a change of secondary: until its primary or the former secondary has stored the new record, the former one may still answer for it (R4, H7).
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

/// <summary>
/// The primary may go on under the former record, each write on all three copies, as long as the former secondary renews its lease; the engine would
/// not hear of it. So before the new secondary is promoted, the former one must have stored the record that does not name it.
/// </summary>
internal static class HandoverSteps
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Instance.Former with the same primary: not a promotion, whose former primary's guest has to end (Fencing).</summary>
    public static bool IsOpen(Instance i) => i is { Former: { } former, Generation: { } record } && former.Primary == record.Primary;

    public static Refusal StillOpen(Instance i) => new("recover.handover-open",
        $"The secondary of {i.Name} was changed from {i.Former!.Secondary} to {i.Secondary} a moment ago, and neither {i.Primary} nor {i.Former.Secondary} has confirmed that yet; {i.Primary} may still run it.",
        $"Bring {i.Former.Secondary} or {i.Primary} back. A confirmed power-off of {i.Primary} helps as well.");

    /// <summary>Its primary, asked by an order or heard in a report, has stored the record: it is not answered for the former one any more.</summary>
    public static bool Told(Instance i, InstanceReport? atPrimary) => IsOpen(i) && atPrimary?.Stored is { } stored && stored.Number > i.Former!.Number && stored.Primary == i.Primary;

    /// <summary>Before a promotion. Null: no handover is open, any more.</summary>
    public static async Task<Refusal?> EndAsync(Instance i, Func<Task> powerOff, JobContext job, CancellationToken ct)
    {
        if (!IsOpen(i)) { return null; }
        var (former, record, limits) = (i.Former!, i.Generation!, job.Parts.Heartbeat);
        await job.StepAsync("handover", $"{former.Secondary} is told that it is the secondary of {i.Name} no more.", ct);
        var stored = await job.OrderAsync(former.Secondary!, new StoreGenerationOrder(job.OperationId($"store/{record}/{former.Secondary}/{job.Epoch}"), job.Epoch, record), Limit, ct);
        if (stored.Ok) { return await SilentAsync(former, job, ct) ?? await CloseAsync(i.Id, record, $"{former.Secondary} answers for {former.Primary} no more.", job, ct); }
        await powerOff();
        await job.Nodes.UntilAsync(() => job.Parts.Power.OffFor(former.Primary) is not null, limits.Isolation, ct);
        return await Fencing.PoweredOffAsync(former, record.Secondary!, job, ct)
            ? await CloseAsync(i.Id, record, $"{former.Primary} was powered off and is silent since.", job, ct)
            : StillOpen(i);
    }

    /// <summary>The last lease that the former secondary can have given ends by every clock isolation + margin after it heard the primary last.</summary>
    private static async Task<Refusal?> SilentAsync(GenerationRecord former, JobContext job, CancellationToken ct)
    {
        var limits = job.Parts.Heartbeat;
        var began = job.Parts.Clock.GetTimestamp();
        var reply = await job.OrderAsync(former.Secondary!, new PeerSilenceRequest(former.Instance, former.Primary), Limit, ct);
        var heard = reply.Ok ? TimeSpan.FromMilliseconds(Math.Min(reply.Value.SinceHeardMs ?? reply.Value.AgentUpMs, reply.Value.AgentUpMs)) : TimeSpan.Zero;
        // The answer was given after it stored the record: what it heard since then gave no lease, so this is never too short.
        var left = limits.Isolation + limits.Margin - heard;
        while (left > job.Parts.Clock.GetElapsedTime(began))
        {
            await job.Nodes.UntilAsync(() => job.Nodes.HealthOf(former.Primary) == NodeHealth.Online, left - job.Parts.Clock.GetElapsedTime(began), ct);
            if (job.Nodes.HealthOf(former.Primary) == NodeHealth.Online) { return new Refusal("recover.not-needed", $"Node {former.Primary} answers again."); }
        }
        return null;
    }

    public static async Task<Refusal?> CloseAsync(Guid id, GenerationRecord record, string text, JobContext job, CancellationToken ct)
    {
        var closed = await job.StepAsync<Instance>("handover.over", (now, changes) =>
        {
            var i = now.Instances[id];
            if (!IsOpen(i) || !record.SameAs(i.Generation)) { return new Refusal("generation.stale", $"{i.Name} is at another generation by now."); }
            changes.Text = text;
            return changes.Write(i with { Former = null });
        }, ct);
        return closed.Refusal;
    }
}
