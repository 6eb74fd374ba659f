// Who pulled which plug: the log, an event for all pages, a line in the audit.
using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Lab;

internal sealed class LabRecord(ClusterEngine engine, IClusterStore store, TimeProvider time, ILogger<LabRecord> log)
{
    /// <param name="from">The node on the other end of a cut.</param>
    public async Task AddAsync(Caller caller, string action, string subject, string? from, Refusal? refusal)
    {
        var (result, what) = (refusal?.Message ?? "done", from is null ? subject : $"{subject} from {from}");
        log.LabAction(action, what, caller.Name, result);
        if (refusal is null) engine.RecordEvent($"lab.{action}", Severity.Info, subject == "lab" ? "lab" : $"node:{subject}", $"Lab: {action} {what}, asked by {caller.Name}");
        var changes = new Changes();
        changes.Audit.Add(new AuditEntry(time.GetUtcNow(), caller.Name, caller.Face, caller.Address, $"lab.{action}", what, refusal?.Code ?? "success", null, null));
        await store.CommitAsync(changes, CancellationToken.None);
    }
}
