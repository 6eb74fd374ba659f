using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using WebManager.Engine;

namespace WebManager.Web.Components.Pages.Map;

public sealed partial class MapPage
{
    private readonly MapPicture _map = new();
    private ElementReference? _element;
    private bool _watched;
    private Guid? _picked;

    [Inject] public IClusterEngine Engine { get; set; } = default!;
    [Inject] public IJSRuntime Js { get; set; } = default!;

    protected override void OnInitialized()
    {
        Follow(Engine.Feeds.Nodes, _map.Apply);
        Follow(Engine.Feeds.Instances, _map.Apply);
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (_watched || _map.Boxes.Count == 0 || _element is not { } element) { return; }
        _watched = true;
        await Js.InvokeVoidAsync("wm.mapWatch", element);   // chips that change their box glide there
    }

    private void Pick(Guid id) => _picked = _picked == id ? null : id;

    private static string Plural(int n, string what) => n == 1 ? $"1 {what}" : $"{n} {what}s";
}
