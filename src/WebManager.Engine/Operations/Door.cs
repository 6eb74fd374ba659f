// The one door: who asks, may they, is it possible; then the job is stored. No change gets past it.
using WebManager.Contracts;
using WebManager.Engine.Access;
using WebManager.Engine.Model;
using WebManager.Engine.Quota;

namespace WebManager.Engine.Operations;

internal sealed class Door(EngineParts parts, JobRunner runner, Ports.IClusterStore store)
{
    public Refusal? WouldRefuse(OperationRequest request, Caller caller)
    {
        var now = parts.Now;
        return parts.State.Halted ?? Authoriser.Refuses(request, caller, now, parts.People) ?? Possible(ref request, caller, now, out _);
    }

    /// <summary>Whether the stored state and the owner's quota allow it. What is filled from the stored state is filled from here on.</summary>
    private Refusal? Possible(ref OperationRequest request, Caller caller, Picture now, out Reservation? reserved)
    {
        reserved = null;
        var operation = Catalog.Of(request);
        if (operation is IMergedOperation merged)
        {
            var made = merged.Merge(request, now);
            if (!made.Ok) { return made.Refusal; }
            request = made.Value;
            operation = Catalog.Of(request);
        }
        if ((operation.Check(request, now, parts) ?? operation.CheckFor(request, caller, now)) is { } refusal) { return refusal; }
        reserved = operation.Reserves(request, caller, now);
        if (operation.Forced(request)) { return caller.Admin || now.Access.Cluster(caller.UserId).HasFlag(ClusterRights.Admin) ? null : new Refusal(Authoriser.Missing, "Only administrators may exceed a quota.", "Leave force out.") { Field = "force" }; }
        return reserved is null ? null : Charges.Refuses(request, reserved, now);
    }

    public Task<Job?> WaitAsync(long job, CancellationToken ct) => runner.WaitAsync(job, ct);

    /// <param name="trail">The reasons of the job that asks, if a job does.</param>
    public async Task<Outcome<long>> SubmitAsync(OperationRequest request, Caller caller, string why, JobTerms terms, CancellationToken ct, IReadOnlyList<ReasonEntry>? trail = null)
    {
        if (parts.State.Halted is { } halted) { return halted; }
        if (why.Length > 500) { return new Refusal("reason.too-long", "The reason is longer than 500 characters.") { Field = "reason" }; }
        if (await DependsAsync(terms, caller, ct) is { } lacks) { return lacks; }
        try { return await LetInAsync(request, caller, why, terms, trail, ct); }
        catch (Ports.LeaseLostException) when (parts.State.Halted is { } lost) { return lost; }   // it was replaced while this waited
    }

    /// <summary>A job that may not be seen is none.</summary>
    private async Task<Refusal?> DependsAsync(JobTerms terms, Caller caller, CancellationToken ct)
    {
        if (Dependencies.Refuses(terms.Depends) is { } wrong) { return wrong; }
        var sight = new Sight(() => parts.Now, caller);
        foreach (var d in terms.Depends)
        {
            if ((parts.Now.Jobs.GetValueOrDefault(d.Job) ?? await store.JobAsync(d.Job, ct)) is not { } job || !sight.Job(job)) { return Dependencies.Unknown(d.Job); }
        }
        return null;
    }

    /// <summary>Locks and questions of what works on an instance go by its name: a request that has its id gets the name.</summary>
    private static OperationRequest Named(OperationRequest request, Picture now) =>
        request is InstanceRequest r and not (CreateInstance or AdoptInstance) && now.Find(r.Instance) is { } i && i.Name != r.Instance ? r with { Instance = i.Name } : request;

    private async Task<Outcome<long>> LetInAsync(OperationRequest request, Caller caller, string why, JobTerms terms, IReadOnlyList<ReasonEntry>? trail, CancellationToken ct)
    {
        Job? accepted = null;
        var forbade = false;
        var outcome = await parts.State.ChangeAsync<long>((now, changes) =>
        {
            if (Authoriser.Refuses(request, caller, now, parts.People) is { } forbidden)
            {
                forbade = true;
                return forbidden;
            }
            // What a job files for itself is a part of it.
            if (trail is null && QueueRules.Refuses(request, caller, terms, now) is { } closed) { return closed; }
            var whole = Named(request, now);
            var refusal = Possible(ref whole, caller, now, out var reserved) ?? Pending(whole, now);
            if (refusal is not null) { return refusal; }
            accepted = Accept(whole, caller, why, now, trail ?? []) with { Reserved = reserved, Priority = terms.Priority, Depends = terms.Depends };
            if (Catalog.Of(whole) is IInstantOperation instant) { accepted = Carried(accepted, instant, now, changes); }
            changes.Jobs.Add(accepted);
            return accepted.Id;
        }, ct);
        if (outcome.Ok && !accepted!.Ended) { runner.Begin(accepted, resumed: false); }
        else if (forbade) { await AuditAsync(request, caller, why, outcome.Refusal!); }
        return outcome;
    }

    private Job Carried(Job job, IInstantOperation instant, Picture now, Ports.Changes changes)
    {
        var more = new StepChanges(changes);
        instant.Change(job.Request, job.Caller, now, more, parts);
        changes.JobLog.Add(new JobLogLine(job.Id, 1, job.ReceivedAt, more.Text ?? "Done."));
        changes.Audit.Add(new AuditEntry(job.ReceivedAt, job.Caller.Name, job.Caller.Face, job.Caller.Address, job.Request.Name, string.Join(' ', job.Subjects), "success", job.Id, job.Reason[0].Text));
        return job with { Status = JobStatus.Success, StartedAt = job.ReceivedAt, EndedAt = job.ReceivedAt };
    }

    private Job Accept(OperationRequest request, Caller caller, string why, Picture now, IReadOnlyList<ReasonEntry> trail) =>
        new(now.LastJobId + 1, request, caller, [new ReasonEntry($"{caller.Face}:{caller.Name}", why, parts.Clock.GetUtcNow()), .. trail], JobStatus.Queued, parts.Clock.GetUtcNow())
        {
            Subjects = request.Subjects,
        };

    /// <summary>Two creations of one name cannot both be waiting, and the watcher asks for nothing that is already asked for.</summary>
    private static Refusal? Pending(OperationRequest request, Picture now) => request switch
    {
        CreateInstance create when now.Jobs.Values.Any(j => !j.Ended && j.Request is CreateInstance other && other.Instance == create.Instance) =>
            new Refusal("instance.exists", $"{create.Instance} is being created already.", "Choose another name.") { Field = "instance" },
        MaintainNode m when now.Jobs.Values.FirstOrDefault(j => !j.Ended && j.Request is MaintainNode other && other.Node == m.Node && other.On == m.On) is { } same =>
            new Refusal("maintenance.under-way", $"Job {same.Id} is at it already.", "Wait for it."),
        RecoverInstance or DegradeInstance or RestartInstance or ResyncInstance or CleanInstance or CleanUpMigration when now.WorkOn(((InstanceRequest)request).Instance) is { } open =>
            new Refusal("instance.busy", $"Job {open.Id} works on {((InstanceRequest)request).Instance}.", "Wait for it."),
        _ => null,
    };

    private Task AuditAsync(OperationRequest request, Caller caller, string why, Refusal refusal) =>
        parts.State.ChangeAsync<Done>((_, changes) =>
        {
            changes.Audit.Add(new AuditEntry(parts.Clock.GetUtcNow(), caller.Name, caller.Face, caller.Address, request.Name, string.Join(' ', request.Subjects), $"refused: {refusal.Code}", null, why));
            return Done.Value;
        }, CancellationToken.None);
}
