// Start, stop, reboot, and the watcher's restart in place.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal static class PowerChecks
{
    public static Refusal? Ready(Instance i) => i.Stage switch
    {
        LifeStage.Ready => null,
        LifeStage.Creating => new Refusal("instance.creating", $"{i.Name} is still being created.", "Wait for its job."),
        LifeStage.Removing => new Refusal("instance.removing", $"{i.Name} is being removed."),
        LifeStage.Failed => new Refusal("instance.failed", $"{i.Name} failed: {i.FailureText}", "Remove it."),
    };

    public static Refusal? Online(string node, EngineParts parts) => parts.Nodes.HealthOf(node) == NodeHealth.Online
        ? null
        : new Refusal("node.not-online", $"Node {node} is not online.", "Wait until it is back.");

    public static Task<Outcome<Instance>> WantAsync(JobContext job, Guid id, AdminState wanted, CancellationToken ct) =>
        job.StepAsync<Instance>("wanted", (now, changes) =>
        {
            var i = now.Instances[id];
            if (wanted == AdminState.Up && Fits(i, now) is { } full) { return full; }
            changes.Text = wanted == AdminState.Up ? "Wanted: running." : "Wanted: stopped.";
            return i.Wanted == wanted && i.GaveUpAt is null ? i : changes.Write(i with { Wanted = wanted, FailureText = null, GaveUpAt = null });
        }, ct);

    /// <summary>What is wanted running already has its memory.</summary>
    public static Refusal? Fits(Instance i, Picture now) => i.Wanted == AdminState.Up ? null : Plan.Room.Lacks(i, i.Primary, now);

    /// <summary>It counts as running from then on.</summary>
    public static Reservation? Reserves(string instance, Picture now)
    {
        if (now.Find(instance) is not { } i) { return null; }
        var cost = WebManager.Engine.Quota.Charges.Of(i with { Wanted = AdminState.Up });
        return new Reservation(i.Owner, cost.Allocated, cost.Running) { Member = Subjects.MemberOf(i.Owner, i.MadeBy, now) };
    }

    public static bool Runs(Instance i, EngineParts parts) => parts.Nodes.ReportOf(i.Primary, i.Id) is { Guest: not GuestPhase.Absent };
}

internal sealed class StartInstanceOperation : InstanceOperation<StartInstance>
{
    public override Right Right => Right.InstancePower;
    public override QuotaRule Quota => QuotaRule.TakesRunning;
    public override Reservation? Reserves(StartInstance request, Caller caller, Picture now) => PowerChecks.Reserves(request.Instance, now);

    protected override Refusal? Check(StartInstance request, Instance i, Picture now, EngineParts parts) =>
        PowerChecks.Ready(i) ?? PowerChecks.Online(i.Primary, parts) ?? PowerChecks.Fits(i, now);

    public override async Task<Outcome<Done>> RunAsync(StartInstance request, JobContext job, CancellationToken ct)
    {
        var instance = job.Now.Find(request.Instance)!;
        if (PowerChecks.Runs(instance, job.Parts) && instance.Wanted == AdminState.Up) { await job.LogAsync("It runs already.", ct); return Done.Value; }
        if (await PowerChecks.WantAsync(job, instance.Id, AdminState.Up, ct) is { Ok: false, Refusal: { } full }) { return full; }
        return PowerChecks.Runs(instance, job.Parts) ? Done.Value : await GuestSteps.StartAsync(job, instance.Id, instance.Primary, instance.Secondary, ct);
    }
}

internal sealed class StopInstanceOperation : InstanceOperation<StopInstance>
{
    public override Right Right => Right.InstancePower;
    public override QuotaRule Quota => QuotaRule.ReturnsRunning;

    protected override Refusal? Check(StopInstance request, Instance i, Picture now, EngineParts parts) =>
        Rules.Timeout(request.TimeoutSeconds) ?? PowerChecks.Ready(i) ?? PowerChecks.Online(i.Primary, parts);

    public override async Task<Outcome<Done>> RunAsync(StopInstance request, JobContext job, CancellationToken ct)
    {
        var instance = job.Now.Find(request.Instance)!;
        await PowerChecks.WantAsync(job, instance.Id, AdminState.Down, ct);
        var stopped = await GuestSteps.StopAsync(job, instance.Id, request.TimeoutSeconds, ct);
        return stopped.Ok ? Done.Value : stopped.Refusal;
    }
}

internal sealed class RebootInstanceOperation : InstanceOperation<RebootInstance>
{
    public override Right Right => Right.InstancePower;

    /// <summary>One that was stopped is started by it.</summary>
    public override QuotaRule Quota => QuotaRule.TakesRunning;
    public override Reservation? Reserves(RebootInstance request, Caller caller, Picture now) => PowerChecks.Reserves(request.Instance, now);

    protected override Refusal? Check(RebootInstance request, Instance i, Picture now, EngineParts parts) =>
        Rules.Timeout(request.TimeoutSeconds) ?? PowerChecks.Ready(i) ?? PowerChecks.Online(i.Primary, parts) ?? PowerChecks.Fits(i, now);

    public override async Task<Outcome<Done>> RunAsync(RebootInstance request, JobContext job, CancellationToken ct)
    {
        var instance = job.Now.Find(request.Instance)!;
        var reached = job.Resumed ? job.Job.Step : null;
        if (await PowerChecks.WantAsync(job, instance.Id, AdminState.Up, ct) is { Ok: false, Refusal: { } full }) { return full; }
        // After a crash past the stop, the guest that runs is the rebooted one.
        if (reached is null or "wanted" or "stop")
        {
            var stopped = await GuestSteps.StopAsync(job, instance.Id, request.TimeoutSeconds, ct);
            if (!stopped.Ok) { return stopped.Refusal; }
        }
        return await GuestSteps.StartAsync(job, instance.Id, instance.Primary, instance.Secondary, ct);
    }
}

/// <summary>Wanted up, its process ended by itself on a node that answers: started again where it is.</summary>
internal sealed class RestartInstanceOperation : InstanceOperation<RestartInstance>
{
    public override Right Right => Right.WatcherOnly;
    public override QuotaRule Quota => QuotaRule.None;

    protected override Refusal? Check(RestartInstance request, Instance i, Picture now, EngineParts parts) =>
        PowerChecks.Ready(i) ?? PowerChecks.Online(i.Primary, parts)
        ?? (i.Wanted == AdminState.Up ? null : new Refusal("instance.not-wanted", $"{i.Name} is wanted stopped."))
        ?? (i.GaveUpAt is null ? null : new Refusal("instance.gave-up", $"{i.Name} was given up on.", "Look at its console, then start it."));

    public override async Task<Outcome<Done>> RunAsync(RestartInstance request, JobContext job, CancellationToken ct)
    {
        var instance = job.Now.Find(request.Instance)!;
        var report = job.Nodes.ReportOf(instance.Primary, instance.Id);
        if (report is { Guest: not GuestPhase.Absent }) { await job.LogAsync("It runs already.", ct); return Done.Value; }
        if (report is { LastLines.Count: > 0 }) { await job.LogAsync("Last lines of its console:\n" + string.Join('\n', report.LastLines), ct); }
        return await GuestSteps.StartAsync(job, instance.Id, instance.Primary, instance.Secondary, ct);
    }
}
