using System.Net.Sockets;

namespace WebManager.Agent.Hypervisor;

/// <summary>
/// The one reader of a guest's serial socket. It always reads, whoever listens: a full socket would stop the guest's console.
/// QEMU itself writes the log, also while no agent runs.
/// </summary>
public sealed class SerialPort : IAsyncDisposable
{
    private const int LogLimit = 8 * 1024 * 1024;
    private const int LogKept = 256 * 1024;
    private readonly Socket _socket;
    private readonly string _log;
    private Task _loop = Task.CompletedTask;
    private long _sinceCheck;

    private SerialPort(Socket socket, string log, SerialFan fan) => (_socket, _log, Fan) = (socket, log, fan);

    public SerialFan Fan { get; }

    public static async Task<SerialPort> ConnectAsync(string path, string log, SerialFan fan, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try { await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct); }
        catch
        {
            socket.Dispose();
            throw;
        }
        fan.Recall(Tail(log, 64 * 1024));
        var port = new SerialPort(socket, log, fan);
        port._loop = port.ReadAsync();
        return port;
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> input, CancellationToken ct)
    {
        while (input.Length > 0) input = input[await _socket.SendAsync(input, ct)..];
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await _socket.ReceiveAsync(buffer) is var count and > 0)
            {
                Fan.Append(buffer[..count]);
                LimitLog(count);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The guest ended or the agent lets go; listeners are told below.
        }
        Fan.End();
    }

    // QEMU appends (O_APPEND), so the log may be cut under its hands: a guest that floods its console must not fill the node's disk.
    private void LimitLog(int count)
    {
        if ((_sinceCheck += count) < LogLimit / 8) return;
        _sinceCheck = 0;
        try
        {
            if (new FileInfo(_log) is not { Exists: true, Length: > LogLimit }) return;
            File.WriteAllBytes(_log + ".1", Tail(_log, LogKept));
            using var file = new FileStream(_log, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            file.SetLength(0);
        }
        catch (IOException)
        {
            // Tried again with the next megabyte.
        }
    }

    /// <summary>The last bytes of a log that may be written to meanwhile; empty when there is none.</summary>
    public static byte[] Tail(string log, int bytes)
    {
        if (!File.Exists(log)) return [];
        using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(-Math.Min(bytes, file.Length), SeekOrigin.End);
        var tail = new byte[Math.Min(bytes, file.Length)];
        return tail[..file.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false)];
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _loop;
    }
}
