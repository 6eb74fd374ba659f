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
    private readonly CreateForm _form = new();
    private readonly Dictionary<Guid, TemplateRow> _seen = [];
    private Dictionary<string, string> _errors = [];
    private List<NodeRow> _nodes = [];
    private List<TemplateRow> _templates = [];
    private IReadOnlyList<string> _clusterTags = [], _owners = [];
    private TemplateRow? _chosen;
    private string? _remedy, _lost;
    private bool _busy, _any, _over;

    [Inject] public IClusterEngine Engine { get; set; } = default!;
    [Inject] public IImageCatalog Catalog { get; set; } = default!;
    [Inject] public NavigationManager Nav { get; set; } = default!;
    [Inject] public People People { get; set; } = default!;
    [CascadingParameter] public Caller Caller { get; set; } = default!;

    /// <summary>An instance template's name.</summary>
    [SupplyParameterFromQuery] public string? Template { get; set; }

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
    private bool BeatKnown => Chosen?.OsParams.Contains("beat") == true;
    private string? ImageHint => Chosen is { } image ? $"{image.Description.TrimEnd('.')}. Version {image.Version}; needs {Sizes.Text(image.MinMemoryMiB)} of memory." : null;

    protected override void OnInitialized()
    {
        _nodes = [.. Engine.Feeds.Nodes.Current(Engine.SightOf(Caller).Node).Where(n => n.Health != NodeHealth.Offline).OrderBy(n => n.Name, NameOrder.By)];
        _clusterTags = Engine.Feeds.Cluster.Current().Values.FirstOrDefault()?.Tags ?? [];
        _form.Image = Images is [var first, ..] ? first.Name : "";
        if (_nodes.Count == 1) { _form.Template = DiskTemplate.File; }   // nowhere to mirror to
        Follow(Engine.Feeds.Templates, batch =>
        {
            foreach (var (id, row) in batch) { if (row is null) { _seen.Remove(id); } else { _seen[id] = row; } }
            Look();
        });
        Follow(Engine.Feeds.Grants, _ => Look());
        Follow(Engine.Feeds.UserGroups, _ => Look());
    }

    /// <summary>A right that is given while one waits for it opens the form.</summary>
    private void Owners()
    {
        (_owners, _any) = (Engine.OwnersFor(Caller), Engine.SightOf(Caller).ClusterAdmin);
        if (!_any && (_form.Owner is null || !_owners.Contains(_form.Owner))) { _form.Owner = _owners.Count > 0 ? _owners[0] : null; }
        else { _form.Owner ??= _owners.Count > 0 ? _owners[0] : null; }
    }

    protected override void OnParametersSet() => Look();

    /// <summary>Who may create nothing else is offered a template at once. One that is chosen and goes says so.</summary>
    private void Look()
    {
        Owners();
        var before = _chosen;
        _templates = [.. _seen.Values.Where(t => _any || Engine.OwnersFor(Caller, t.Template).Count > 0).OrderBy(t => t.Name, NameOrder.By)];
        var wanted = _templates.FirstOrDefault(t => t.Name == Template || t.Id.ToString() == Template) ?? (before is null ? null : _templates.FirstOrDefault(t => t.Id == before.Id && Template == before.Name));
        _lost = wanted is null && Template is { Length: > 0 } ? Template : null;
        _chosen = wanted ?? (_owners.Count == 0 ? _templates.FirstOrDefault() : null);
    }

    private void Choose(string? name) => Nav.NavigateTo(Nav.GetUriWithQueryParameter("template", string.IsNullOrEmpty(name) ? null : name), replace: true);

    private async Task SubmitAsync()
    {
        var (request, errors) = _form.Read(BeatKnown);
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

    private void Show(Dictionary<string, string> errors, string? remedy) => (_errors, _remedy) = (errors, remedy);

    private string? Error(string field) => _errors.FirstOrDefault(e => e.Key.Split('[')[0] == field).Value;

    private void SetOwner(string? owner) => (_form.Owner, _form.Force, _over) = (owner, false, false);

    /// <summary>What the door would say of the quota to what is typed so far.</summary>
    private Refusal? Ahead => _errors.Count == 0 && _form.Read(BeatKnown).Request is { } typed && Engine.WouldRefuse(typed, Caller) is { Code: "quota.exceeded" } full ? full : null;

    /// <summary>What would be made.</summary>
    private string? Summary => _form.Read(BeatKnown).Request is not { } r ? null
        : $"{r.Instance} from {r.Image}: {SizeTexts.Of(r.Vcpus, r.MemoryMiB, r.Template, r.DisksMiB)}, {SizeTexts.Nics(r.Nics)}{(r.Owner is { Length: > 0 } owner ? $"; owned by {Subjects.Name(owner, Engine.Now, People)}" : "")}; {(r.Start ? "started when it is ready" : "not started")}.";

    private static string NodeText(NodeRow node) =>
        $"{node.Name} – {Sizes.Text(Math.Max(0, node.MemoryMiB - node.CommittedMemoryMiB))} memory free{(node.Health == NodeHealth.Online ? "" : ", " + Words.Of(node.Health).Text.ToLowerInvariant())}";
}
