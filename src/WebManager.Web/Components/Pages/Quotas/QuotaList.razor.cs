using Microsoft.AspNetCore.Components;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components.Pages.Quotas;

public sealed partial class QuotaList
{
    private const string Everybody = "everybody";
    private readonly Dictionary<string, OwnerRow> _all = [];
    private List<OwnerRow> _shown = [];
    private QuotaLimits _default = QuotaLimits.None;
    private (string Owner, string Name, QuotaLimits Limits)? _editing;
    private string _text = "";
    private long? _recount;
    private bool _admin, _choosing, _busy;
    private List<OwnerRow> _mine = [];

    [Inject] public IClusterEngine Engine { get; set; } = default!;
    [Inject] public NavigationManager Nav { get; set; } = default!;
    [Inject] public Toasts Toasts { get; set; } = default!;

    /// <summary>Only this owner: "user:ada" or "usergroup:ops".</summary>
    [SupplyParameterFromQuery] public string? Of { get; set; }

    private string Mine => Keys.User(Viewer?.UserId ?? "");

    protected override void OnInitialized()
    {
        Follow(Engine.Feeds.Owners, Take);
        Follow(Engine.Feeds.Grants, _ => { Look(); });
        Follow(Engine.Feeds.UserGroups, _ => { Look(); });
    }

    protected override void OnParametersSet() => Look();

    /// <summary>The address says which one is shown: it can be bookmarked and gone back to.</summary>
    private void Show(string? of) => Nav.NavigateTo(Nav.GetUriWithQueryParameter("of", string.IsNullOrEmpty(of) ? null : of), replace: true);

    private void Take(IReadOnlyDictionary<string, OwnerRow?> batch)
    {
        foreach (var (owner, row) in batch)
        {
            if (owner == OwnerLimits.DefaultOwner) { _default = row?.Limits ?? QuotaLimits.None; }
            else if (row is null) { _all.Remove(owner); }
            else { _all[owner] = row; }
        }
        Look();
    }

    /// <summary>One's own place and those of one's groups are there also while nothing is held.</summary>
    private void Look()
    {
        _admin = Engine.May(new SetQuota(OwnerLimits.DefaultOwner, QuotaLimits.None), Viewer);
        var mine = Viewer is null ? [] : Engine.Now.Access.SubjectsOf(Viewer.UserId).ToList();
        var rows = _all.Values.Concat(mine.Where(o => !_all.ContainsKey(o)).Select(o => Engine.OwnerRow(o)).OfType<OwnerRow>()).ToList();
        _mine = [.. mine.Select(o => rows.FirstOrDefault(r => r.Owner == o)).OfType<OwnerRow>()];
        _shown = [.. rows.Where(r => (string.IsNullOrEmpty(Of) || OwnerWords(r) == Of) && (_text.Length == 0 || r.Name.Contains(_text, StringComparison.OrdinalIgnoreCase)))
            .OrderBy(r => mine.Contains(r.Owner) ? 0 : 1).ThenBy(r => r.Name, NameOrder.By)];
    }

    private void Filter(string? text)
    {
        _text = text?.Trim() ?? "";
        Look();
    }

    private void Edit(string owner, string name, QuotaLimits limits) => _editing = (owner, name, limits);

    private void Chosen(OwnerRow row)
    {
        _choosing = false;
        Edit(row.Owner, row.Name, row.Limits);
    }

    private static string OwnerWords(OwnerRow row) => (Keys.GroupOf(row.Owner) is null ? "user:" : "usergroup:") + row.Name;

    private static string OwnerPath(OwnerRow row) => (Keys.GroupOf(row.Owner) is null ? "user:" : "usergroup:") + Uri.EscapeDataString(row.Name);

    private async Task RecountAsync(bool repair)
    {
        _busy = true;
        try
        {
            var outcome = await Engine.SubmitAsync(new RecountQuota { Repair = repair }, Viewer!, repair ? "Recount with repair on the portal" : "Recount on the portal", CancellationToken.None);
            if (outcome.Refusal is { } refused) { Toasts.Refused(refused); } else { _recount = outcome.Value; }
        }
        finally { _busy = false; }
    }
}
