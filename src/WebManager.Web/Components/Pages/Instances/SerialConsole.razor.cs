// The guest's serial line in the page: a ticket from the portal, then a WebSocket; after a failover it connects again by itself.
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Components.Shared;
using WebManager.Web.Nodes;

namespace WebManager.Web.Components.Pages.Instances;

public sealed partial class SerialConsole
{
    private ElementReference _screen;
    private DotNetObjectReference<SerialConsole>? _self;
    private string _state = "Not connected", _tone = "idle";
    private bool _wanted, _live, _ready;

    [Inject] public IJSRuntime Js { get; set; } = default!;
    [Inject] public IClusterEngine Engine { get; set; } = default!;
    [Inject] public IConsoleTickets Tickets { get; set; } = default!;
    [CascadingParameter] public Caller Caller { get; set; } = default!;
    [Parameter, EditorRequired] public InstanceRow Row { get; set; } = default!;

    /// <summary>Guests that have a serial line to talk to.</summary>
    private bool Reachable => Row.Status is InstanceStatus.Running or InstanceStatus.Starting or InstanceStatus.Paused or InstanceStatus.ErrorUp or InstanceStatus.Migrating;

    private bool Mine => Engine.SightOf(Caller).RightsOn(Row.Id, Row.OwnerKey).HasFlag(InstanceRights.Console);

    private string? Hint => !Mine ? "Only those who have the right console on it may use its console." : Row.Status switch
    {
        InstanceStatus.AdminDown or InstanceStatus.ErrorDown => "The instance is off. Start it: the console connects by itself.",
        InstanceStatus.Creating => "The instance is being created. The console connects when it starts.",
        InstanceStatus.Recovering or InstanceStatus.NodeDown => $"Its node was lost. The console connects again when it runs on {Row.Secondary ?? "another node"}.",
        InstanceStatus.NodeOffline => "Its node is offline; there is no console until it is back.",
        InstanceStatus.Removing or InstanceStatus.Failed => "There is no guest to talk to.",
        InstanceStatus.Paused => "The guest is paused: what you type is answered when it goes on.",
        InstanceStatus.Running or InstanceStatus.Starting or InstanceStatus.ErrorUp or InstanceStatus.Migrating => null,
    };

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!firstRender) { return; }
        _self = DotNetObjectReference.Create(this);
        await Js.InvokeVoidAsync("wm.consoleMount", _screen, _self, Row.Name);
        _ready = true;
        if (Reachable && Mine) { await OpenAsync(); StateHasChanged(); }
    }

    protected override async Task OnParametersSetAsync()
    {
        if (!_ready || !_wanted) { return; }
        if (Reachable && !_live) { await Js.InvokeVoidAsync("wm.consoleOpen", _screen); }
    }

    private async Task OpenAsync()
    {
        (_wanted, _state, _tone) = (true, Reachable ? "Connecting…" : "Waiting for the guest", "busy");
        if (Reachable) { await Js.InvokeVoidAsync("wm.consoleOpen", _screen); }
    }

    private async Task CloseAsync()
    {
        (_wanted, _live, _state, _tone) = (false, false, "Not connected", "idle");
        await Js.InvokeVoidAsync("wm.consoleClose", _screen);
    }

    /// <summary>A ticket opens the socket once, for this person and this instance; null while there is nothing to connect to.</summary>
    [JSInvokable]
    public string? Ticket() => _wanted && Reachable && Mine ? Tickets.Create(Caller.UserId, Row.Id) : null;

    [JSInvokable]
    public void Linked(bool live)
    {
        _live = live;
        (_state, _tone) = (live, _wanted, Reachable) switch
        {
            (true, _, _) => ("Connected", "ok"),
            (_, false, _) => ("Not connected", "idle"),
            (_, _, true) => ("Connecting…", "busy"),
            (_, _, false) => ("Waiting for the guest", "busy"),
        };
        StateHasChanged();
    }

    public async ValueTask DisposeAsync()
    {
        try { if (_ready) { await Js.InvokeVoidAsync("wm.consoleUnmount", _screen); } }
        catch (JSDisconnectedException) { }
        _self?.Dispose();
        GC.SuppressFinalize(this);
    }
}
