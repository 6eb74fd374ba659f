using Microsoft.AspNetCore.Components;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components.Pages.Instances;

public sealed partial class InstanceList
{
    private sealed record Column(string Key, string Text, bool Sorts, string Css = "");

    private static readonly Column[] Columns =
    [
        new("name", "Name", true), new("status", "State", true), new("mirror", "Disks", false, "c-mirror"), new("ip", "Address", false, "c-ip"),
        new("primary", "Primary", true, "c-node"), new("secondary", "Secondary", true, "c-node"), new("vcpus", "vCPU", false, "c-num"),
        new("memory", "Memory", true, "c-num"), new("disk", "Disk", true, "c-num"), new("owner", "Owner", true, "c-owner"),
    ];

    private readonly Dictionary<Guid, InstanceRow> _all = [];
    private List<InstanceRow> _shown = [];
    private bool _mayCreate;

    /// <summary>Names of those that are to get an owner.</summary>
    private IReadOnlyList<string>? _giving;
    private InstanceQuery _query = new("", "", "name", false);

    [Inject] public IClusterEngine Engine { get; set; } = default!;
    [Inject] public NavigationManager Nav { get; set; } = default!;

    [SupplyParameterFromQuery] public string? Q { get; set; }
    [SupplyParameterFromQuery] public string? Status { get; set; }
    [SupplyParameterFromQuery] public string? Sort { get; set; }
    [SupplyParameterFromQuery] public bool Desc { get; set; }

    protected override void OnInitialized()
    {
        Follow(Engine.Feeds.Instances, batch =>
        {
            foreach (var (id, row) in batch)
            {
                if (row is null) { _all.Remove(id); } else { _all[id] = row; }
            }
            _shown = _query.Pick(_all.Values);
        });
        Follow(Engine.Feeds.Grants, _ => MayCreate());
        Follow(Engine.Feeds.UserGroups, _ => MayCreate());
        Follow(Engine.Feeds.Templates, _ => MayCreate());
    }

    private bool MayCreate()
    {
        var before = _mayCreate;
        _mayCreate = Engine.OwnersFor(Viewer).Count > 0 || Engine.Feeds.Templates.Current(Sight.For<TemplateRow>()).Any(t => Engine.OwnersFor(Viewer, t.Template).Count > 0);
        return before != _mayCreate;
    }

    protected override void OnParametersSet()
    {
        var asked = new InstanceQuery(Q?.Trim() ?? "", Status ?? "", Columns.Any(c => c.Sorts && c.Key == Sort) ? Sort! : "name", Desc);
        if (asked != _query) { (_query, _shown) = (asked, asked.Pick(_all.Values)); }
    }

    /// <summary>The address is the page's only memory: it can be bookmarked, shared and gone back to.</summary>
    private void Go(InstanceQuery query) => Nav.NavigateTo(Nav.GetUriWithQueryParameters(new Dictionary<string, object?>
    {
        ["q"] = query.Text.Length == 0 ? null : query.Text,
        ["status"] = query.Status.Length == 0 ? null : query.Status,
        ["sort"] = query.Sort == "name" ? null : query.Sort,
        ["desc"] = query.Descending ? true : null,
    }), replace: true);

    private static string Value(ChangeEventArgs e) => e.Value as string ?? "";

    private string? Sorted(Column column) => !column.Sorts ? null : column.Key != _query.Sort ? "none" : _query.Descending ? "descending" : "ascending";
}
