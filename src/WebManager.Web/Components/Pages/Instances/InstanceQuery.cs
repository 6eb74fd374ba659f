// Filter and order of the instance list, as the address of the page says them.
using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components.Pages.Instances;

public sealed record InstanceQuery(string Text, string Status, string Sort, bool Descending)
{
    public static readonly (string Value, string Text)[] Statuses =
        [("", "All states"), ("running", "Running"), ("stopped", "Stopped"), ("busy", "Under way"), ("problem", "Problems"), ("unprotected", "Not protected"), ("orphan", "Nobody's"), ("missing", "Missing on their nodes")];

    public List<InstanceRow> Pick(IEnumerable<InstanceRow> rows)
    {
        var picked = rows.Where(r => HasStatus(r) && HasText(r)).ToList();
        picked.Sort(Order());
        return picked;
    }

    private bool HasStatus(InstanceRow r) => Status switch
    {
        "running" => r.Status is InstanceStatus.Running or InstanceStatus.Migrating,
        "stopped" => r.Status == InstanceStatus.AdminDown,
        "busy" => Words.Of(r.Status).Tone == Tone.Busy || r.Mirror == MirrorState.Resynchronising,
        "problem" => Words.IsProblem(r),
        "unprotected" => r.Template != DiskTemplate.Diskless && r.Mirror != MirrorState.InSync,
        "orphan" => r.OwnerKey.Length == 0,
        "missing" => r.Missing,
        _ => true,
    };

    private bool HasText(InstanceRow r) => Text.Length == 0 || Has(r.Name) || Has(r.Primary) || Has(r.Secondary) || Has(r.Owner) || Has(r.Ip) || Has(r.Image) || r.Tags.Any(Has);

    private bool Has(string? value) => value is not null && value.Contains(Text, StringComparison.OrdinalIgnoreCase);

    private Comparison<InstanceRow> Order()
    {
        Comparison<InstanceRow> by = Sort switch
        {
            "status" => (a, b) => Words.Of(b.Status).Tone.CompareTo(Words.Of(a.Status).Tone) is var o and not 0 ? o : a.Status.CompareTo(b.Status),
            "primary" => (a, b) => NameOrder.By.Compare(a.Primary, b.Primary),
            "secondary" => (a, b) => NameOrder.By.Compare(a.Secondary, b.Secondary),
            "memory" => (a, b) => a.MemoryMiB.CompareTo(b.MemoryMiB),
            "disk" => (a, b) => a.DiskMiB.CompareTo(b.DiskMiB),
            "owner" => (a, b) => NameOrder.By.Compare(a.Owner, b.Owner),
            _ => (_, _) => 0,
        };
        var sign = Descending ? -1 : 1;
        return (a, b) => by(a, b) is var o and not 0 ? sign * o : (Sort == "name" ? sign : 1) * NameOrder.By.Compare(a.Name, b.Name);
    }
}
