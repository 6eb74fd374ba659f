using System.Net.WebSockets;
using WebManager.Agent.Hypervisor;

namespace WebManager.Agent.Host;

/// <summary>A WebSocket and a guest's serial line, both ways, until either ends.</summary>
internal static class SerialPipe
{
    private const int Backlog = 16 * 1024;

    public static async Task RunAsync(WebSocket socket, IGuest guest, CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var (from, to) = (FromGuestAsync(socket, guest, ended.Token), ToGuestAsync(socket, guest, ended.Token));
        await Task.WhenAny(from, to);
        await ended.CancelAsync();
        try
        {
            await Task.WhenAll(from, to);
        }
        catch (Exception ex) when (ex is OperationCanceledException or WebSocketException or IOException)
        {
            // One side went away; the other is told below, if it still listens.
        }

        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "The guest's console ended.", CancellationToken.None);
    }

    private static async Task FromGuestAsync(WebSocket socket, IGuest guest, CancellationToken ct)
    {
        await foreach (var bytes in guest.SerialAsync(Backlog, ct)) await socket.SendAsync(bytes, WebSocketMessageType.Binary, true, ct);
    }

    private static async Task ToGuestAsync(WebSocket socket, IGuest guest, CancellationToken ct)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var got = await socket.ReceiveAsync(buffer.AsMemory(), ct);
            if (got.MessageType == WebSocketMessageType.Close) return;
            await guest.WriteSerialAsync(buffer.AsMemory(0, got.Count), ct);
        }
    }
}
