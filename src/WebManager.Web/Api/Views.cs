// The engine's rows as the API's records.
using System.Text.Json;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Api;

internal static class Views
{
    public static NodeView View(this NodeRow n) => new(n.Name, n.Address, Word(n.Health), n.Drained, n.Hypervisor is { } kind ? Word(kind) : null, n.HypervisorNote,
        n.Version, n.Cpus, n.MemoryMiB, n.DiskMiB, n.MemoryMiB - n.CommittedMemoryMiB, n.DiskMiB - n.CommittedDiskMiB, n.Primaries, n.Secondaries, n.LastContact, n.Note)
    {
        DrainedWhy = n.DrainedWhy, CanPowerOff = n.CanPowerOff, DiskFault = n.DiskFault, Group = n.Group, Tags = n.Tags,
        PortalVersion = Hosting.PortalVersion.Own, KeeperVersion = n.Keeper?.Version, KeeperOlder = n.Keeper?.Older ?? false,
        AgentRestart = n.AgentRestart is { } r ? new AgentRestartView(r.Since, r.By, (int)r.Limit.TotalSeconds, r.Job) : null,
        Maintenance = n.Maintenance is { } m ? new NodeMaintenanceView(m.By, m.Since, m.Why, m.Return, m.Rebuild, m.Ending) : null,
    };

    public static MaintenancePlanView View(this MaintenancePlan p, Contracts.Refusal? refused) => new(p.Node, refused?.Message, refused?.Remedy, [.. p.Leave.Select(View)], [.. p.Return.Select(View)], p.Copies);

    private static PlannedMoveView View(PlannedMove m) => new(m.Instance, m.From, m.Kind == MoveKind.Stays ? null : m.To, Word(m.Kind), m.Why?.Message, m.Why?.Remedy);

    public static InstanceView View(this InstanceRow i, IClusterEngine engine) => new(i.Id, i.Name, i.Owner, i.Image, i.Vcpus, i.MemoryMiB,
        engine.FindInstance(i.Name)?.Disks.Select(d => d.SizeMiB).ToList() ?? (i.DiskMiB > 0 ? [i.DiskMiB] : []), Word(i.Template),
        i.Primary, i.Secondary, Word(i.Wanted), Word(i.Status), Word(i.Mirror), i.MirrorPercent, i.Ip, i.Mac, i.StartedAt, i.CreatedAt, i.Job, i.Text, i.Generation)
    {
        AutoRecover = i.AutoRecover, Priority = Word(i.Priority), HeldBack = i.HeldBack, GaveUpAt = i.GaveUpAt, DiskFault = i.DiskFault, LastRecovery = i.LastRecovery?.View(), OldCopies = i.OldCopies, PairText = i.PairText,
        MigrationPercent = i.MigrationPercent, Tags = i.Tags, Missing = i.Missing,
    };

    public static RecoveryView View(this RecoveryTimeline t) => new(t.Job, t.From, t.To, t.Generation, t.LastSignAt)
    {
        DetectedSeconds = Seconds(t.Detected), PromotedSeconds = Seconds(t.Promoted), FencedSeconds = Seconds(t.Fenced), FencedBy = t.FencedBy, StartedSeconds = Seconds(t.Started),
        FirstSignSeconds = Seconds(t.FirstSign), RequiredSeconds = Seconds(t.Required), WaitedSeconds = Seconds(t.Waited), SlackSeconds = Seconds(t.Slack),
    };

    private static double? Seconds(TimeSpan? t) => t is { } time ? Math.Round(time.TotalSeconds, 3) : null;

    public static JobView View(this Job j) => new(j.Id, j.Request.Name, Summary(j), Word(j.Status), j.Caller.Name, [.. j.Reason.Select(r => r.Text)],
        j.ReceivedAt, j.StartedAt, j.EndedAt, j.Step, j.Error?.Code, j.Error?.Message, j.Error?.Remedy)
    {
        Recovery = j.Recovery?.View(), Priority = Word(j.Priority), CanceledBy = j.CanceledBy, ArchivedAt = j.ArchivedAt, Depends = [.. j.Depends.Select(d => new JobDependencyView(d.Job, [.. d.Statuses.Select(Word)]))],
    };

    /// <summary>With what is known only while it runs.</summary>
    public static JobView View(this Job j, IClusterEngine engine) => engine.Feeds.Jobs.Find(j.Id)?.Progress is { } p ? j.View() with { Percent = p.Percent, PercentOf = p.Text } : j.View();

    public static JobView View(this JobRow j) => new(j.Id, j.Operation, j.Summary, Word(j.Status), j.By, [j.Why], j.ReceivedAt, null, j.EndedAt, j.Step, null, j.Error, j.Remedy) { Recovery = j.Recovery?.View(), Priority = Word(j.Priority), CanceledBy = j.CanceledBy, Percent = j.Progress?.Percent, PercentOf = j.Progress?.Text };

    public static JobLogLineView View(this JobLogLine l) => new(l.Serial, l.At, l.Text);

    public static EventView View(this ClusterEvent e) => new(e.Id, e.At, e.Kind, Word(e.Severity), e.Subject, e.From, e.To, e.Text, e.Job);

    public static ImageView View(this ImageInfo i) => new(i.Name, i.Version, i.Description, i.MinMemoryMiB, i.OsParams);

    private static string Word<T>(T state) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(state.ToString());

    // "instance.create web1"
    private static string Summary(Job job) => string.Join(' ', job.Subjects.Select(s => s[(s.IndexOf(':', StringComparison.Ordinal) + 1)..]).Prepend(job.Request.Name));
}
