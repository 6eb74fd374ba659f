using Microsoft.AspNetCore.Components;
using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;
using WebManager.Web.Components.Shared;
using WebManager.Web.Data;

namespace WebManager.Web.Components.Pages.Instances;

public sealed partial class InstanceNew
{
    private static readonly (DiskTemplate Template, string Title, string Text)[] Templates =
    [
        (DiskTemplate.Mirror, "On two nodes", "Every write is on both before it counts. If a node dies, the instance runs again on the other within seconds."),
        (DiskTemplate.File, "On one node", "Half the space. If that node dies, the instance waits until it is back."),
        (DiskTemplate.Diskless, "No disk", "Runs from the image in memory and forgets everything when it stops."),
    ];

    private readonly CreateForm _form = new();
    private Dictionary<string, string> _errors = [];
    private List<NodeRow> _nodes = [];
    private IReadOnlyList<string> _clusterTags = [];
    private string? _remedy;
    private bool _busy, _toSummary;
    private IReadOnlyList<string> _owners = [];
    private string _ownerName = "";
    private bool _any, _over;
    private ElementReference _summary;

    [Inject] public IClusterEngine Engine { get; set; } = default!;
    [Inject] public IImageCatalog Catalog { get; set; } = default!;
    [Inject] public NavigationManager Nav { get; set; } = default!;
    [Inject] public People People { get; set; } = default!;
    [CascadingParameter] public Caller Caller { get; set; } = default!;

    /// <summary>Of the two nodes that were chosen, or of all.</summary>
    private string? LocationHint
    {
        get
        {
            NodeRow[] chosen = [.. _nodes.Where(n => n.Name == _form.Primary || n.Name == _form.Secondary)];
            return LocationTexts.Unknown(chosen.Length == 2 ? chosen : _nodes, _clusterTags);
        }
    }

    private IReadOnlyList<ImageInfo> Images => Catalog.Images;
    private ImageInfo? Chosen => Images.FirstOrDefault(i => i.Name == _form.Image);
    private string? ImageHint => Chosen is { } image ? $"{image.Description.TrimEnd('.')}. Version {image.Version}; needs {Sizes.Text(image.MinMemoryMiB)} of memory." : null;

    protected override void OnInitialized()
    {
        _nodes = [.. Engine.Feeds.Nodes.Current(Engine.SightOf(Caller).Node).Where(n => n.Health != NodeHealth.Offline).OrderBy(n => n.Name, NameOrder.By)];
        _clusterTags = Engine.Feeds.Cluster.Current().Values.FirstOrDefault()?.Tags ?? [];
        _form.Image = Images is [var first, ..] ? first.Name : "";
        _ownerName = Caller.Name;
        // A right that is given while one waits for it opens the form.
        Follow(Engine.Feeds.Grants, _ => Owners());
        Follow(Engine.Feeds.UserGroups, _ => Owners());
        if (_nodes.Count == 1) { _form.Template = DiskTemplate.File; }   // nowhere to mirror to
    }

    private bool Owners()
    {
        var (before, any) = (_owners, _any);
        (_owners, _any) = (Engine.OwnersFor(Caller), Engine.SightOf(Caller).ClusterAdmin);
        if (!_any && (_form.Owner is null || !_owners.Contains(_form.Owner))) { _form.Owner = _owners.Count > 0 ? _owners[0] : null; }
        else { _form.Owner ??= _owners.Count > 0 ? _owners[0] : null; }
        return any != _any || !before.SequenceEqual(_owners);
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!_toSummary) { return; }
        _toSummary = false;
        await _summary.FocusAsync();
    }

    private async Task SubmitAsync()
    {
        var (request, errors) = _form.Read(Chosen?.OsParams.Contains("beat") == true);
        if (request is null) { Show(errors, null); return; }
        _busy = true;
        try
        {
            var outcome = await Engine.SubmitAsync(request, Caller, "Created on the portal", CancellationToken.None);
            _over = outcome.Refusal?.Code == "quota.exceeded" || (_over && _form.Force);
            if (outcome.Refusal is { } refusal) { Show(new() { [refusal.Field ?? ""] = refusal.Message }, refusal.Remedy); return; }
            Nav.NavigateTo($"/instances/{Uri.EscapeDataString(request.Instance)}?job={outcome.Value}");
        }
        finally { _busy = false; }
    }

    private void Show(Dictionary<string, string> errors, string? remedy) => (_errors, _remedy, _toSummary) = (errors, remedy, true);

    private string? Error(string field) => _errors.FirstOrDefault(e => e.Key.Split('[')[0] == field).Value;

    /// <summary>For administrators: any user or group, as typed.</summary>
    private void ChooseOwner(string typed)
    {
        _ownerName = typed;
        SetOwner(SubjectNames.KeyOf(typed, Engine, People));
    }

    private void SetOwner(string? owner) => (_form.Owner, _form.Force, _over) = (owner, false, false);

    /// <summary>What the door would say of the quota to what is typed so far.</summary>
    private Refusal? Ahead => _errors.Count == 0 && _form.Read(Chosen?.OsParams.Contains("beat") == true).Request is { } typed && Engine.WouldRefuse(typed, Caller) is { Code: "quota.exceeded" } full ? full : null;

    private string NameOf(string owner) => Subjects.Name(owner, Engine.Now, People);
    private string OwnerText(string owner) => owner == Keys.User(Caller.UserId) ? $"{Caller.Name} (you)" : $"{NameOf(owner)} (group)";
    private bool MemberLimited(string owner) => Engine.Now.FindUserGroup(owner) is { Project: true } project && project.Find(Caller.UserId)?.Limits is not null;

    private static string SizeHint(string typed) => Sizes.Parse(typed) is { } mib ? $"{Sizes.Text(mib)}. Units: M, G, T." : "Units: M, G, T.";

    private static string NodeText(NodeRow node) =>
        $"{node.Name} – {Sizes.Text(Math.Max(0, node.MemoryMiB - node.CommittedMemoryMiB))} memory free{(node.Health == NodeHealth.Online ? "" : ", " + Words.Of(node.Health).Text.ToLowerInvariant())}";
}
