// A guest's serial console: browser <-> portal <-> agent, by WebSockets.
using System.Net.WebSockets;
using WebManager.Engine;

namespace WebManager.Web.Nodes;

public sealed class NodeSerial(ClusterAuthority authority, IClusterEngine engine, ILogger<NodeSerial> log)
{
    /// <summary>The agent's end; null when the instance or its node is not there or does not answer.</summary>
    internal async Task<WebSocket?> OpenAsync(string instance, CancellationToken ct)
    {
        if (engine.FindInstance(instance) is not { } found || engine.Feeds.Nodes.Find(found.Primary) is not { } node) { return null; }
        var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(10);
        socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(10);
        var invoker = new HttpMessageInvoker(NodeHandlers.Make(node.Name, authority, log));
        try
        {
            await socket.ConnectAsync(new Uri($"wss://{node.Address}/v1/guests/{found.Id}/serial"), invoker, ct);
            return new Owned(socket, invoker);
        }
        catch (WebSocketException)
        {
            socket.Dispose();
            invoker.Dispose();
            return null;
        }
    }

    /// <summary>Carries bytes both ways until one side ends.</summary>
    internal static async Task JoinAsync(WebSocket browser, WebSocket agent, CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var directions = new[] { CopyAsync(browser, agent, ended.Token), CopyAsync(agent, browser, ended.Token) };
        await Task.WhenAny(directions);
        // The other side gets a moment for its close frame.
        ended.CancelAfter(TimeSpan.FromSeconds(1));
        await Task.WhenAll(directions);
    }

    private static async Task CopyAsync(WebSocket from, WebSocket to, CancellationToken ct)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var got = await from.ReceiveAsync(buffer.AsMemory(), ct);
                if (got.MessageType == WebSocketMessageType.Close) { break; }
                await to.SendAsync(buffer.AsMemory(0, got.Count), WebSocketMessageType.Binary, got.EndOfMessage, ct);
            }
            await to.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, ct);
        }
        catch (Exception ex) when (ex is WebSocketException or OperationCanceledException or IOException) { }
    }

    // A client socket that takes its connection with it.
    private sealed class Owned(ClientWebSocket inner, HttpMessageInvoker invoker) : WebSocket
    {
        public override WebSocketCloseStatus? CloseStatus => inner.CloseStatus;
        public override string? CloseStatusDescription => inner.CloseStatusDescription;
        public override WebSocketState State => inner.State;
        public override string? SubProtocol => inner.SubProtocol;
        public override void Abort() => inner.Abort();
        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => inner.CloseAsync(closeStatus, statusDescription, cancellationToken);
        public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => inner.CloseOutputAsync(closeStatus, statusDescription, cancellationToken);
        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => inner.ReceiveAsync(buffer, cancellationToken);
        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) => inner.SendAsync(buffer, messageType, endOfMessage, cancellationToken);

        public override void Dispose()
        {
            inner.Dispose();
            invoker.Dispose();
        }
    }
}
