// What is stored first when a database was moved, copied or restored since an engine last worked on it (R5).
using WebManager.Contracts;
using WebManager.Engine.Loop;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Operations;

internal static class Restored
{
    private static readonly Refusal Over = new("engine.restored", "The portal's database was moved, copied or restored while this was under way; whether it was done is not known.", "Look at what there is now, then ask again.");

    /// <summary>Doubts for the mirrored instances, an end for open jobs, and no stage that waits for one of them.</summary>
    public static void Into(Changes changes, Picture now, DateTimeOffset at)
    {
        Standing.Doubted(now.Instances.Values, "the portal's database was moved, copied or restored", changes, at);
        foreach (var i in now.Instances.Values.Where(i => i.Stage is LifeStage.Creating or LifeStage.Removing))
        {
            var row = changes.Instances.Find(c => c.Id == i.Id) ?? i with { Revision = i.Revision + 1 };
            changes.Instances.RemoveAll(c => c.Id == i.Id);
            changes.Instances.Add(row with { Stage = LifeStage.Failed, Wanted = AdminState.Down, FailureText = Over.Message });
        }
        // The maintenance itself goes on; what was to come back at its end has no job that would bring it.
        foreach (var n in now.Nodes.Values.Where(n => n.Maintenance is { Ending: true })) { changes.Nodes.Add(n with { Maintenance = null, Revision = n.Revision + 1 }); }
        foreach (var job in now.Jobs.Values.Where(j => !j.Ended))
        {
            changes.Jobs.Add(job with { Status = JobStatus.Error, EndedAt = at, Error = Over });
            changes.Audit.Add(new AuditEntry(at, job.Caller.Name, job.Caller.Face, job.Caller.Address, job.Request.Name, string.Join(' ', job.Subjects), $"error: {Over.Code}", job.Id, job.Reason[0].Text));
        }
    }
}
