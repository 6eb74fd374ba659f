// A person's word for an instance in doubt: one of its nodes is off, go on with the copy on the other (R5).
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Loop;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Operations;

/// <summary>
/// Makes a record far above all that can exist and leaves the rest to the watcher. The wait for the silent node's lease is the same as for a
/// promotion, and if the other node still hears it, it is not off (H16).
/// </summary>
internal sealed class ConfirmInstanceOperation : InstanceOperation<ConfirmInstance>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;

    protected override Refusal? Check(ConfirmInstance request, Instance i, Picture now, EngineParts parts)
    {
        if (i.Doubt is null) { return new Refusal("instance.not-in-doubt", $"{i.Name} is not in doubt; nothing has to be confirmed."); }
        var newest = Doubts.Newest(i, parts.Nodes.WitnessesOf(i.Id));
        var (primary, secondary) = (newest?.Primary ?? i.Primary, newest?.Secondary ?? i.Secondary);
        if (request.Node != primary && request.Node != secondary)
        {
            return new Refusal("confirm.wrong-node", $"{i.Name} is on {primary} and {secondary}, not on {Shown.Name(request.Node)}.", "Name the one of its nodes that is off.") { Field = "node" };
        }
        if (parts.Nodes.HealthOf(request.Node) is NodeHealth.Online or NodeHealth.Joining)
        {
            return new Refusal("confirm.node-answers", $"Node {request.Node} is not known to be silent, so it is not off.", "Switch it off first.") { Field = "node" };
        }
        return PowerChecks.Online(request.Node == primary ? secondary! : primary, parts);
    }

    public override async Task<Outcome<Done>> RunAsync(ConfirmInstance request, JobContext job, CancellationToken ct)
    {
        var id = job.Now.Find(request.Instance)!.Id;
        var newest = Doubts.Newest(job.Now.Instances[id], job.Nodes.WitnessesOf(id));
        var other = (newest?.Primary ?? job.Now.Instances[id].Primary) == request.Node ? newest?.Secondary ?? job.Now.Instances[id].Secondary! : newest?.Primary ?? job.Now.Instances[id].Primary;
        var silence = await job.OrderAsync(other, new PeerSilenceRequest(id, request.Node), Limit, ct);
        if (!silence.Ok) { return silence.Refusal; }
        if (silence.Value.SinceHeardMs is { } ago && ago < job.Parts.Heartbeat.Suspect.TotalMilliseconds)
        {
            return new Refusal("confirm.node-heard", $"{other} heard {request.Node} {ago} ms ago, so it is not off.", "Switch it off, then confirm again.");
        }
        var made = await job.StepAsync<Instance>("confirmed", (now, changes) =>
        {
            if (now.Instances[id].Doubt is null) { return new Refusal("instance.not-in-doubt", $"{request.Instance} is not in doubt any more."); }
            changes.Text = $"{job.Job.Caller.Name} confirmed that {request.Node} is off; {request.Instance} goes on with the copy on {other}.";
            return changes.Write(Confirmed(now.Instances[id], newest, request.Node, other, job.Parts.Random.NewTag()));
        }, ct);
        if (!made.Ok) { return made.Refusal; }
        job.Parts.Events.Add("instance.confirmed", Severity.Warning, $"instance:{request.Instance}", $"{job.Job.Caller.Name} confirmed that {request.Node} is off; {request.Instance} goes on with the copy on {other}.", job: job.Job.Id);
        return Done.Value;
    }

    private static Instance Confirmed(Instance i, GenerationRecord? newest, string off, string other, string tag) => i with
    {
        Doubt = null, Candidate = null, Primary = other, Secondary = off, Mirror = MirrorState.Degraded, FreshDisks = false,
        Generation = new GenerationRecord(i.Id, (newest?.Number ?? 0) + Doubts.Leap, tag, other, off, SyncState.Alone),
        Former = new GenerationRecord(i.Id, newest?.Number ?? 0, newest?.Tag ?? "", off, other, newest?.Sync ?? SyncState.InSync),
    };
}
