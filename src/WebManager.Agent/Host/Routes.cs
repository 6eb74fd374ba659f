using System.Net.WebSockets;
using Microsoft.AspNetCore.Http.Features;
using WebManager.Agent.Node;
using WebManager.Agent.Upgrade;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Host;

/// <summary>Every route of an agent.</summary>
internal static class Routes
{
    public static void MapAgent(this WebApplication app)
    {
        var s = app.Services;
        var ready = s.GetRequiredService<Recovery>().Known;
        app.MapCall<HelloRequest, AgentHello>((_, _) => Task.FromResult<Outcome<AgentHello>>(s.GetRequiredService<NodeIdentity>().Hello()));
        app.MapCall<BeatRequest, BeatReply>((beat, http) => s.GetRequiredService<BeatDesk>().AnswerAsync(beat, http.RequestAborted), ready);
        app.MapCall<PeerChallenge, PeerAnswer>((challenge, http) => Task.FromResult(Challenged(challenge, http)));
        app.MapCall<PeerHashesRequest, PeerHashesReply>(HashesAsync, ready);
        app.MapCall<PeerSilenceRequest, StandDownReply>((asked, _) => Task.FromResult<Outcome<StandDownReply>>(s.GetRequiredService<PeerDesk>().Silence(asked)), ready);
        app.MapCall<SerialTailRequest, SerialTailReply>((tail, _) => Task.FromResult<Outcome<SerialTailReply>>(
            new SerialTailReply(SerialLog.Tail(s.GetRequiredService<State.NodeFolder>().Instance(tail.Instance), Math.Clamp(tail.Lines, 0, 2000)))));
        app.MapCall<NotesRequest, NotesReply>((asked, _) => Task.FromResult<Outcome<NotesReply>>(s.GetRequiredService<DiskOrders>().Notes(asked)), ready);
        MapOrders(app, ready);
        app.MapGet("/v1/events", (HttpContext http) => TypedResults
            .ServerSentEvents(s.GetRequiredService<EventHub>().ListenAsync(http.RequestAborted)).ExecuteAsync(http));
        app.MapPut("/v1/images/{name}/{version}/{file}", (HttpContext http) => Calls.GuardAsync(http, null, () => UploadAsync(http)));
        app.MapGet("/v1/guests/{instance:guid}/serial", (HttpContext http) => Calls.GuardAsync(http, ready, () => SerialAsync(http)));
    }

    private static void MapOrders(WebApplication app, Task ready)
    {
        var (s, desk) = (app.Services, app.Services.GetRequiredService<OrderDesk>());
        var generation = s.GetRequiredService<GenerationOrders>();
        app.MapOrder<StoreGenerationOrder, Done>(desk, ready, o => o.Record.Instance, generation.StoreAsync);
        app.MapOrder<OpenReplicaOrder, OpenReplicaReply>(desk, ready, o => o.Record.Instance, generation.OpenAsync);
        app.MapOrder<StandDownOrder, StandDownReply>(desk, ready, o => o.Record.Instance, generation.StandDownAsync);
        app.MapOrder<StandUpOrder, Done>(desk, ready, o => o.Record.Instance, generation.StandUpAsync);
        var guest = s.GetRequiredService<GuestOrders>();
        app.MapOrder<StartGuestOrder, StartGuestReply>(desk, ready, o => o.Guest.Instance, guest.StartAsync);
        app.MapOrder<StopGuestOrder, StopGuestReply>(desk, ready, o => o.Instance, guest.StopAsync);
        var copy = s.GetRequiredService<CopyOrders>();
        app.MapOrder<DegradeOrder, Done>(desk, ready, o => o.Record.Instance, copy.DegradeAsync);
        app.MapOrder<ResyncOrder, Done>(desk, ready, o => o.Record.Instance, copy.ResyncAsync);
        app.MapOrder<CancelResyncOrder, Done>(desk, ready, o => o.Instance, copy.CancelAsync);
        app.MapOrder<AddCopyOrder, Done>(desk, ready, o => o.Record.Instance, copy.AddAsync);
        app.MapOrder<DropCopyOrder, Done>(desk, ready, o => o.Candidate.Instance, copy.DropAsync);
        var migration = s.GetRequiredService<MigrationOrders>();
        app.MapOrder<ReceiveGuestOrder, ReceiveGuestReply>(desk, ready, o => o.Record.Instance, migration.ReceiveAsync);
        app.MapOrder<SendGuestOrder, Done>(desk, ready, o => o.Record.Instance, migration.SendAsync);
        app.MapOrder<ReleaseReplicaOrder, Done>(desk, ready, o => o.Record.Instance, migration.ReleaseAsync);
        app.MapOrder<SwitchGuestOrder, SwitchGuestReply>(desk, ready, o => o.Record.Instance, migration.SwitchAsync);
        app.MapOrder<TakeOverOrder, StartGuestReply>(desk, ready, o => o.Record.Instance, migration.TakeOverAsync);
        app.MapOrder<CancelMigrationOrder, Done>(desk, ready, o => o.Instance, migration.CancelAsync);
        var disk = s.GetRequiredService<DiskOrders>();
        app.MapOrder<CreateDisksOrder, Done>(desk, ready, o => o.Guest.Instance, disk.CreateAsync);
        app.MapOrder<NoteInstanceOrder, Done>(desk, ready, o => o.Kept.Note.Guest.Instance, disk.NoteAsync);
        app.MapOrder<RemoveInstanceOrder, Done>(desk, ready, o => o.Instance, disk.RemoveAsync);
        app.MapOrder<RestartAgentOrder, RestartAgentReply>(desk, ready, _ => null, s.GetRequiredService<HandOver>().TakeAsync);
        app.MapOrder<PublishImageOrder, Done>(desk, ready, _ => null, s.GetRequiredService<ImageStore>().PublishAsync);
    }

    /// <summary>A node speaks for itself only; the engine may ask as anyone, which changes nothing.</summary>
    private static Outcome<PeerAnswer> Challenged(PeerChallenge challenge, HttpContext http)
    {
        var caller = http.Features.Get<Caller>();
        if (caller?.Unit == "agent" && caller.Name != challenge.Node)
            return new Refusal("peer.wrong-node", $"The certificate is {caller.Name}'s, not {challenge.Node}'s.") { Field = "node" };
        return http.RequestServices.GetRequiredService<PeerDesk>().Answer(challenge);
    }

    /// <summary>A copy's hashes are for the primary it belongs to.</summary>
    private static async Task<Outcome<PeerHashesReply>> HashesAsync(PeerHashesRequest asked, HttpContext http)
    {
        var caller = http.Features.Get<Caller>();
        var known = http.RequestServices.GetRequiredService<InstanceTable>().Find(asked.Record.Instance)?.Stored;
        var stored = new[] { known?.Record, known?.Candidate }.FirstOrDefault(r => asked.Record.SameAs(r));
        if (stored is null) return new Refusal("replica.not-open", $"The copy is not open here under {asked.Record}.") { Field = "record" };
        if (caller?.Unit == "agent" && caller.Name != stored.Primary)
            return new Refusal("peer.wrong-node", $"The certificate is {caller.Name}'s; the copy is {stored.Primary}'s.") { Field = "record" };
        var hashes = await http.RequestServices.GetRequiredService<IReplicas>().HashAsync(asked, http.RequestAborted);
        return hashes.Ok ? new PeerHashesReply(hashes.Value) : hashes.Refusal;
    }

    private static async Task UploadAsync(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        string Part(string name) => (string)http.Request.RouteValues[name]!;
        var taken = await http.RequestServices.GetRequiredService<ImageStore>().TakeAsync(Part("name"), Part("version"), Part("file"), http.Request.Body, http.RequestAborted);
        if (taken.Ok) await Calls.WriteAsync(http, 200, new { sha256 = taken.Value });
        else await Calls.WriteAsync(http, 409, taken.Refusal);
    }

    private static async Task SerialAsync(HttpContext http)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            await Calls.WriteAsync(http, 400, new Refusal("serial.not-websocket", "The serial console is a WebSocket."));
            return;
        }

        var id = Guid.Parse((string)http.Request.RouteValues["instance"]!);
        if (http.RequestServices.GetRequiredService<InstanceTable>().Find(id)?.Guest is not { } guest)
        {
            await Calls.WriteAsync(http, 409, new Refusal("guest.absent", "The guest does not run on this node."));
            return;
        }

        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        // An agent that ends lets go of consoles; waiting for browsers would hold its successor up.
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, http.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);
        await SerialPipe.RunAsync(socket, guest, ends.Token);
    }
}
