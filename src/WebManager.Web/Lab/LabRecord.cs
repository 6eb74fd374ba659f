// Who pulled which plug: the log, an event for all pages, a line in the audit.
using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Lab;

internal sealed class LabRecord(ClusterEngine engine, IClusterStore store, TimeProvider time, ILogger<LabRecord> log)
{
    public async Task AddAsync(Caller caller, string action, string subject, Refusal? refusal)
    {
        var result = refusal?.Message ?? "done";
        log.LabAction(action, subject, caller.Name, result);
        if (refusal is null) engine.RecordEvent($"lab.{action}", Severity.Info, subject == "lab" ? "lab" : $"node:{subject}", $"Lab: {action} {subject}, asked by {caller.Name}");
        var changes = new Changes();
        changes.Audit.Add(new AuditEntry(time.GetUtcNow(), caller.Name, caller.Face, caller.Address, $"lab.{action}", subject, refusal?.Code ?? "success", null, null));
        await store.CommitAsync(changes, CancellationToken.None);
    }
}
