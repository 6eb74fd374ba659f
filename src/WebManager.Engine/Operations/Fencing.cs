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
    /// Certain means: its guest was reaped under the former generation, or its lease has run out by every clock, isolation + margin since
    /// the engine and the new primary last received a challenge of it. Noted durably, so that it is waited for once. No promotion open: nothing to wait for.
    /// </summary>
    public static async Task<Refusal?> AwaitAsync(JobContext job, Guid id, CancellationToken ct)
    {
        if (job.Now.Instances[id] is not { Former: { } former, Generation: { } record }) { return null; }
        // From its answer on the new primary answers no challenge of the former one any more.
        var stored = await job.OrderAsync(record.Primary, new StoreGenerationOrder(job.OperationId($"store/{record}"), job.Epoch, record), Limit, ct);
        if (!stored.Ok) { return stored.Refusal; }
        var needed = job.Parts.Heartbeat.Isolation + job.Parts.Heartbeat.Margin;
        var watch = job.Nodes.Find(former.Primary);
        var (heard, asked) = await SilenceAsync(former, record, job, ct);
        TimeSpan Left() => needed - Min(watch?.SinceChallenge ?? needed, heard + job.Parts.Clock.GetElapsedTime(asked));
        bool Dead() => Reaped(watch, former) || Left() <= TimeSpan.Zero;
        // A primary that answers the engine again keeps renewing SinceChallenge; its guest is killed by the newer record and then reported reaped.
        var told = false;
        for (var turn = 1; !Dead() && !told; turn++)
        {
            told = await ToldAsync(watch, former, record, turn, job, ct);
            var left = Left();
            if (!told) { await job.Nodes.UntilAsync(Dead, left > TimeSpan.Zero && left < Turn ? left : Turn, ct); }
        }
        return await ClearAsync(job, id, told || Reaped(watch, former) ? $"{former.Primary} says its guest is gone." : $"No guest can run on {former.Primary} any more.", ct);
    }

    /// <summary>A former primary that answers stores the new record: its guest, if there is one, is reaped before it says so, and none is started under an older one.</summary>
    private static async Task<bool> ToldAsync(NodeWatch? watch, GenerationRecord former, GenerationRecord record, int turn, JobContext job, CancellationToken ct) =>
        watch is { Health: NodeHealth.Online } && former.Primary != record.Primary
        && (await job.OrderAsync(former.Primary, new StoreGenerationOrder(job.OperationId($"store/{record}/{former.Primary}/{turn}"), job.Epoch, record), Limit, ct)).Ok;

    private static bool Reaped(NodeWatch? watch, GenerationRecord former) =>
        watch is { Health: NodeHealth.Online } && watch.ReportOf(former.Instance) is { Guest: GuestPhase.Absent } r && r.GuestGeneration == former.Number && r.End != GuestEnd.None;

    /// <summary>How long the new primary has not heard the former one; it stood down before, so hearing it moves nothing but this clock.</summary>
    private static async Task<(TimeSpan Heard, long Asked)> SilenceAsync(GenerationRecord former, GenerationRecord record, JobContext job, CancellationToken ct)
    {
        var asked = job.Parts.Clock.GetTimestamp();
        var reply = await job.OrderAsync(record.Primary, new PeerSilenceRequest(record.Instance, former.Primary), Limit, ct);
        var heard = reply.Ok ? TimeSpan.FromMilliseconds(Math.Min(reply.Value.SinceHeardMs ?? reply.Value.AgentUpMs, reply.Value.AgentUpMs)) : TimeSpan.Zero;
        return (heard, asked);
    }

    private static async Task<Refusal?> ClearAsync(JobContext job, Guid id, string text, CancellationToken ct)
    {
        var cleared = await job.StepAsync<Instance>("fenced", (now, changes) =>
        {
            changes.Text = text;
            return changes.Write(now.Instances[id] with { Former = null });
        }, ct);
        return cleared.Refusal;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
