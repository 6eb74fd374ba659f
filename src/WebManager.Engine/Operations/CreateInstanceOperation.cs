// Makes an instance: place it, make its disks, start it. Everything is taken back when a step fails.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Loop;
using WebManager.Engine.Model;
using WebManager.Engine.Placement;
using WebManager.Engine.Quota;

namespace WebManager.Engine.Operations;

internal sealed class CreateInstanceOperation : Operation<CreateInstance>
{
    private static readonly TimeSpan DiskLimit = TimeSpan.FromSeconds(60);

    public override Right Right => Right.CreateInstance;
    public override QuotaRule Quota => QuotaRule.TakesAllocated;

    public override Reservation? Reserves(CreateInstance request, Caller caller, Picture now)
    {
        var (owner, cost) = (request.OwnerFor(caller), Charges.Of(request.Vcpus, request.MemoryMiB, request.DisksMiB.Sum(), request.Start));
        return new Reservation(owner, cost.Allocated, cost.Running) { Member = Subjects.MemberOf(owner, caller.UserId, now) };
    }

    /// <summary>Everything it made is taken back, as when a step of it fails.</summary>
    public override CancelRule Cancel => CancelRule.AtSteps;
    public override bool Forced(CreateInstance request) => request.Force;
    public override IEnumerable<string> Locks(CreateInstance request) => [$"3:instance:{request.Instance}"];

    public override Refusal? Check(CreateInstance request, Picture now, EngineParts parts)
    {
        var refusal = Rules.Create(request, now, parts) ?? (request.Owner is { Length: > 0 } owner ? Subjects.Known(owner, "owner", now, parts) : null);
        return refusal ?? Rules.Minimum(request, parts) ?? Allocator.Place(DemandOf(request), Candidates.Of(now, parts.Nodes)).Refusal;
    }

    public override async Task<Outcome<Done>> RunAsync(CreateInstance request, JobContext job, CancellationToken ct)
    {
        // The row of an earlier try of this same job is carried on with; nobody else's can be there, the name is locked and was checked.
        var instance = job.Now.Find(request.Instance) ?? (await ReserveAsync(request, job, ct)).Value;
        if (instance is null) { return Allocator.Place(DemandOf(request), Candidates.Of(job.Now, job.Nodes)).Refusal ?? new Refusal("instance.exists", "The name was taken meanwhile.") { Field = "instance" }; }
        job.Undo.Push($"remove {request.Instance}", t => UndoAsync(instance.Id, job, t));
        // Once its start was ordered its guest may run on them: a node that is away by now is no reason to take that back.
        if (!job.Resumed || job.Job.Step is null or "reserve" or "disks")
        {
            var disks = await DisksAsync(instance, job, ct);
            if (!disks.Ok) { return disks; }
        }
        if (request.Start)
        {
            var started = await GuestSteps.StartAsync(job, instance.Id, instance.Primary, instance.Secondary, ct);
            if (!started.Ok) { return started; }
        }
        job.Undo.Keep();
        job.AtEnd = (now, changes) => changes.Write(now.Instances[instance.Id] with { Stage = LifeStage.Ready, Wanted = request.Start ? AdminState.Up : AdminState.Down });
        return Done.Value;
    }

    private static Demand DemandOf(CreateInstance r) => new(r.MemoryMiB, r.DisksMiB.Sum(), r.Template == DiskTemplate.Mirror, r.Primary, r.Secondary);

    /// <summary>Place and store in one transaction: what was free when it was decided cannot be given away twice.</summary>
    private static Task<Outcome<Instance>> ReserveAsync(CreateInstance r, JobContext job, CancellationToken ct) =>
        job.StepAsync<Instance>("reserve", (now, changes) =>
        {
            if (now.Names.ContainsKey(r.Instance)) { return new Refusal("instance.exists", $"There is already an instance {r.Instance}.") { Field = "instance" }; }
            var placed = Allocator.Place(DemandOf(r), Candidates.Of(now, job.Nodes));
            if (!placed.Ok) { return placed.Refusal; }
            var random = job.Parts.Random;
            var disks = r.DisksMiB.Select((size, index) => new DiskSpec(index, random.NewGuid(), size)).ToList();
            changes.Text = placed.Value.Secondary is null ? $"Placed on {placed.Value.Primary}." : $"Placed on {placed.Value.Primary}, copy on {placed.Value.Secondary}.";
            if (r.FromTemplate is { } from) { changes.Text += $" From {(now.Templates.GetValueOrDefault(from) is { } t ? $"instance template {t.Name}" : "an instance template that was removed since")}."; }
            return changes.Write(new Instance(random.NewGuid(), r.Instance, r.OwnerFor(job.Job.Caller), r.Image, r.Vcpus, r.MemoryMiB, r.Template, disks, NewNics(r.Nics, now, random),
                placed.Value.Primary, placed.Value.Secondary, job.Parts.Clock.GetUtcNow(), 0)
            {
                MadeBy = job.Job.Caller.Account ? job.Job.Caller.UserId : "",
                Tags = TagRules.With([], r.Tags),
                FreshDisks = true, OsParams = r.OsParams, SshKeys = [.. r.SshKeys.Concat(OwnersKeys.Of(r.OwnerFor(job.Job.Caller), now)).Distinct(StringComparer.Ordinal)], SshHostKey = random.NewSshHostKey(),
                Mirror = r.Template == DiskTemplate.Mirror ? MirrorState.InSync : MirrorState.None,
            });
        }, ct);

    /// <summary>The first has the way out.</summary>
    internal static IReadOnlyList<NicSpec> NewNics(int count, Picture now, Ports.IRandomness random)
    {
        var nics = new List<NicSpec>();
        for (var index = 0; index < count; index++) { nics.Add(new NicSpec(index, NewMac(now, nics, random), Addresses.Next(now, nics), index == 0 ? now.Cluster.Gateway : null)); }
        return nics;
    }

    private static string NewMac(Picture now, List<NicSpec> besides, Ports.IRandomness random)
    {
        var taken = Addresses.Taken(now).Concat(besides).Select(n => n.Mac).ToHashSet(StringComparer.OrdinalIgnoreCase);
        while (true)
        {
            var mac = random.NewMac();
            if (!taken.Contains(mac)) { return mac; }
        }
    }

    private static async Task<Outcome<Done>> DisksAsync(Instance instance, JobContext job, CancellationToken ct)
    {
        var nodes = new[] { instance.Primary, instance.Secondary }.OfType<string>().ToList();
        await job.StepAsync("disks", instance.Disks.Count == 0 ? "Preparing." : $"Making {instance.Disks.Count} disk(s), {instance.DiskMiB} MiB, on {string.Join(" and ", nodes)}.", ct);
        var made = await Task.WhenAll(nodes.Select(node => PrepareAsync(instance, node, job, ct)));
        return made.FirstOrDefault(m => !m.Ok) is { Refusal: { } refusal } ? refusal : Done.Value;
    }

    private static async Task<Outcome<Done>> PrepareAsync(Instance instance, string node, JobContext job, CancellationToken ct)
    {
        var watch = job.Nodes.Find(node);
        if (watch?.Hello is null) { return watch?.Unreachable() ?? new Refusal("node.unknown", $"There is no node {node}."); }
        var image = job.Parts.Images.Images.FirstOrDefault(i => i.Name == instance.Image);
        if (image is null) { return new Refusal("image.unknown", $"Image {instance.Image} is gone.") { Field = "image" }; }
        var there = await ImageOnNode.EnsureAsync(job, image, watch, ct);
        if (!there.Ok) { return there; }
        // By epoch: when a resumed job comes here again its disks may have been removed by the undo that the crash cut short.
        return await job.OrderAsync(node, new CreateDisksOrder(job.OperationId($"disks/{node}/{job.Epoch}"), job.Epoch, instance.ToGuestSpec()) { Kept = Plan.Notes.Of(instance, Access.OwnerTags.All(instance, job.Now, job.Parts.People)) }, DiskLimit, ct);
    }

    private static async Task<Outcome<Done>> UndoAsync(Guid id, JobContext job, CancellationToken ct)
    {
        if (!job.Now.Instances.TryGetValue(id, out var instance)) { return Done.Value; }
        var removed = await RemoveInstanceOperation.FromNodesAsync(instance, job, "undo", RemoveInstanceOperation.UndoLimit, ct);
        return await job.Parts.State.ChangeAsync<Done>((now, changes) =>
        {
            // What could not be removed stays visible, so that a person can remove it when the node is back.
            var current = now.Instances[id];
            if (removed.Ok) { changes.InstancesRemoved.Add(id); }
            else { changes.Instances.Add(current with { Stage = LifeStage.Failed, FailureText = removed.Refusal.Message, Wanted = AdminState.Down, Revision = current.Revision + 1 }); }
            return Done.Value;
        }, ct);
    }
}

internal static class ImageOnNode
{
    public static async Task<Outcome<Done>> EnsureAsync(JobContext job, Ports.ImageInfo image, NodeWatch watch, CancellationToken ct)
    {
        if (watch.Hello!.Images.Any(i => i.Name == image.Name && i.Version == image.Version)) { return Done.Value; }
        await job.LogAsync($"Bringing image {image.Name} to {watch.Name}.", ct);
        var link = watch.Link;
        var done = await job.Parts.Images.EnsureOnNodeAsync(image, watch.Hello, link, ct);
        if (done.Ok) { watch.AskHelloAgain(); }
        return done;
    }
}

internal static class Candidates
{
    /// <summary>
    /// Free is capacity less what is promised: a mirrored instance's memory counts on its secondary too, so that its failover always fits. What was
    /// found on a node and is nobody's so far counts like an instance.
    /// </summary>
    /// <param name="without">An instance whose own old copies are no hindrance: their images are used again.</param>
    public static IReadOnlyList<Candidate> Of(Picture now, NodeBook nodes, Guid? without = null)
    {
        var rules = Locations.Rules(now.Cluster);
        return now.Nodes.Values.Select(node => Of(node, now, nodes, without) with { Group = now.GroupOf(node.Name)?.Name ?? "", Domains = Locations.Of(node, rules) }).ToList();
    }

    private static Candidate Of(Node node, Picture now, NodeBook nodes, Guid? without)
    {
        var here = now.On(node.Name).ToList();
        var old = now.OldCopiesOn(node.Name).Where(i => i.Id != without).Sum(i => i.DiskMiB);
        var health = nodes.HealthOf(node.Name);
        var why = node.Offline ? "offline" : Plan.Maintenance.In(node) ? "in maintenance" : node.Drained ? "drained" : health != NodeHealth.Online ? health.ToString().ToLowerInvariant() : DiskFaultsOf.Node(node.Name, now, nodes) is not null ? "its disk fails" : null;
        var found = now.Found.Values.Where(f => f.On.Any(o => o.Node == node.Name)).Select(f => f.Note?.Guest).OfType<GuestSpec>().ToList();
        return new Candidate(node.Name, why is null, why, node.MemoryMiB - here.Sum(i => (long)i.MemoryMiB) - found.Sum(g => (long)g.MemoryMiB),
            node.DiskMiB - here.Sum(i => i.DiskMiB) - old - found.Sum(g => g.Disks.Sum(d => d.SizeMiB)), here.Count);
    }
}
