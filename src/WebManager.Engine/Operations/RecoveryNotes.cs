// Writes a recovery's timeline: with the job while it runs, and with the instance from the promotion on, in the transactions of the steps themselves.
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal static class RecoveryNotes
{
    public static void Begin(JobContext job, Instance i)
    {
        if (job.Job.Recovery is not null) { return; }   // carried on after a restart of the engine
        var watch = job.Nodes.Find(i.Primary);
        var silence = watch?.Silence ?? TimeSpan.Zero;
        Keep(job, new RecoveryTimeline(job.Job.Id, i.Primary, i.Secondary!, i.Generation!.Number + 1, job.Parts.Clock.GetUtcNow() - silence) { Detected = watch?.FoundAfter ?? silence });
    }

    public static void Promoted(JobContext job) => Keep(job, job.Job.Recovery! with { Promoted = Since(job.Job.Recovery, job) });

    public static void Started(JobContext job)
    {
        if (job.Job.Recovery is { } t) { Keep(job, t with { Started = Since(t, job) }); }
    }

    /// <summary>The instance with its timeline carried on; another job may end what a recovery began.</summary>
    public static Instance Fenced(JobContext job, Instance i, string by, TimeSpan? waited)
    {
        if (i.LastRecovery is not { Fenced: null } t || t.Generation > i.Generation?.Number) { return i; }
        var limits = job.Parts.Heartbeat;
        var noted = t with { Fenced = Since(t, job), FencedBy = by, Required = limits.Isolation + limits.Margin, Waited = waited };
        if (job.Job.Id == t.Job) { Keep(job, noted); }
        return i with { LastRecovery = noted };
    }

    private static void Keep(JobContext job, RecoveryTimeline t) => job.SetJob(job.Job with { Recovery = t });

    private static TimeSpan Since(RecoveryTimeline t, JobContext job) => job.Parts.Clock.GetUtcNow() - t.LastSignAt;
}
