// Removes an instance with its disks, on every node that holds something of it.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal sealed class RemoveInstanceOperation : InstanceOperation<RemoveInstance>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>For one of two nodes, within the 30 s that undoing has.</summary>
    public static readonly TimeSpan UndoLimit = TimeSpan.FromSeconds(12);

    public override Right Right => Right.InstanceRemove;
    public override QuotaRule Quota => QuotaRule.ReturnsAll;

    protected override Refusal? Check(RemoveInstance request, Instance i, Picture now, EngineParts parts) =>
        Holders(i, now).FirstOrDefault(n => parts.Nodes.HealthOf(n) != NodeHealth.Online) is { } away
            ? new Refusal("node.not-online", $"Node {away} is not online, so its copy of {i.Name} could not be removed.", "Wait until the node is back.")
            : null;

    /// <summary>Its nodes, and those of the cluster that may still have an old copy.</summary>
    private static IEnumerable<string> Holders(Instance i, Picture now) => new[] { i.Primary, i.Secondary }.OfType<string>().Concat(i.OldCopies.Where(now.Nodes.ContainsKey));

    public override async Task<Outcome<Done>> RunAsync(RemoveInstance request, JobContext job, CancellationToken ct)
    {
        var id = job.Now.Find(request.Instance)!.Id;
        var marked = await job.StepAsync<Instance>("removing", (now, changes) =>
        {
            changes.Text = "From here it is not started again.";
            return changes.Write(now.Instances[id] with { Stage = LifeStage.Removing, Wanted = AdminState.Down });
        }, ct);
        await job.StepAsync("remove", "Removing its guest and disks.", ct);
        var removed = await FromNodesAsync(marked.Value!, job, "remove", Limit, ct);
        if (!removed.Ok) { return await FailedAsync(id, removed.Refusal, job, ct); }
        job.AtEnd = (_, changes) => changes.Raw.InstancesRemoved.Add(id);
        return Done.Value;
    }

    public static async Task<Outcome<Done>> FromNodesAsync(Instance instance, JobContext job, string step, TimeSpan limit, CancellationToken ct)
    {
        // Also what a cleaned node remembers of its records.
        var heardOf = job.Nodes.All.Where(w => w is { Health: NodeHealth.Online } && w.ReportOf(instance.Id) is not null).Select(w => w.Name);
        foreach (var node in Holders(instance, job.Now).Union(heardOf).ToList())
        {
            var done = await job.OrderAsync(node, new RemoveInstanceOrder(job.OperationId($"{step}/{node}/{job.Epoch}"), job.Epoch, instance.Id), limit, ct);
            if (!done.Ok) { return done; }
        }
        return Done.Value;
    }

    private static async Task<Outcome<Done>> FailedAsync(Guid id, Refusal why, JobContext job, CancellationToken ct)
    {
        await job.Parts.State.ChangeAsync<Done>((now, changes) =>
        {
            changes.Instances.Add(now.Instances[id] with { Stage = LifeStage.Failed, FailureText = $"Removal stopped half-way: {why.Message}", Revision = now.Instances[id].Revision + 1 });
            return Done.Value;
        }, ct);
        return why;
    }
}
