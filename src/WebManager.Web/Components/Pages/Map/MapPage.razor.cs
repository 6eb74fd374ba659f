using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using WebManager.Engine;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components.Pages.Map;

public sealed partial class MapPage
{
    private readonly MapPicture _map = new();
    private ElementReference? _element;
    private bool _watched, _elsewhere;
    private Guid? _picked;
    private bool _autoRecover;
    private int _replaceAfter;

    [Inject] public IClusterEngine Engine { get; set; } = default!;
    [Inject] public NavigationManager Nav { get; set; } = default!;
    [Inject] public IJSRuntime Js { get; set; } = default!;

    protected override void OnInitialized()
    {
        if (!Sight.Nodes)
        {
            // Without nodes there is no map: their first page is the list of what they have.
            _elsewhere = true;
            Nav.NavigateTo("/instances", replace: true);
            return;
        }
        Follow(Engine.Feeds.Nodes, _map.Apply);
        Follow(Engine.Feeds.Instances, _map.Apply);
        Follow(Engine.Feeds.Cluster, batch => { (_autoRecover, _replaceAfter) = batch.Values.FirstOrDefault() is { } row ? (row.AutoRecover, row.ReplaceAfterSeconds) : (false, 0); });
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (_watched || _map.Boxes.Count == 0 || _element is not { } element) { return; }
        _watched = true;
        await Js.InvokeVoidAsync("wm.mapWatch", element);   // chips that change their box glide there
    }

    private static Question StopRecovery => new("Switch automatic recovery off?", "While it is off, instances of a lost node are not started on their secondaries; a banner says so on every page. Crashed guests are still started again in place.", "Switch it off");

    private void Pick(Guid id) => _picked = _picked == id ? null : id;

    private static string Plural(int n, string what) => n == 1 ? $"1 {what}" : $"{n} {what}s";
}
