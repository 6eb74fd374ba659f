// Connecting to an NBD server: fixed newstyle, TLS if wished, structured replies, one metadata context.
using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace WebManager.Agent.Storage.Nbd;

public sealed class NbdHandshake
{
    private const ulong Greeting = 0x4e42444d41474943, OptionMagic = 0x49484156454f5054, ReplyMagic = 0x3e889045565a9;
    private const uint StartTls = 5, Go = 7, StructuredReply = 8, SetContext = 10;
    private const uint Acknowledged = 1, ContextReply = 4, ErrorBit = 0x80000000;
    private const uint FixedNewstyle = 1, NoZeroes = 2;
    private const uint LongestReply = 64 * 1024;
    private readonly NbdTarget _target;
    private Stream _stream;
    private long _size = -1;
    private uint _context;

    private NbdHandshake(NbdTarget target, Stream stream) => (_target, _stream) = (target, stream);

    public static async Task<NbdClient> ConnectAsync(NbdTarget target, CancellationToken ct)
    {
        var hands = new NbdHandshake(target, new NetworkStream(await DialAsync(target, ct), ownsSocket: true));
        try
        {
            await hands.ShakeAsync(ct);
            return new NbdClient(hands._stream, hands._size, hands._context, target.Disk);
        }
        catch
        {
            await hands._stream.DisposeAsync();
            throw;
        }
    }

    private static async Task<Socket> DialAsync(NbdTarget target, CancellationToken ct)
    {
        var socket = target.Socket is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (target.Socket is { } path) await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
            else await socket.ConnectAsync(target.Host, target.Port, ct);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new NbdException(e.Message);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task ShakeAsync(CancellationToken ct)
    {
        var greeting = await TakeAsync(18, ct);
        if (BinaryPrimitives.ReadUInt64BigEndian(greeting) != Greeting || BinaryPrimitives.ReadUInt64BigEndian(greeting.AsSpan(8)) != OptionMagic)
            throw new NbdException("No NBD greeting.");
        if ((greeting[17] & FixedNewstyle) == 0) throw new NbdException("The server is too old.");
        await _stream.WriteAsync(Number(FixedNewstyle | (greeting[17] & NoZeroes)), ct);
        if (_target.Tls is { } tls) await SecureAsync(tls, ct);
        await AskAsync(StructuredReply, [], ct);
        if (_target.Context is { } context) await AskAsync(SetContext, [.. Text(_target.Export), .. Number(1), .. Text(context)], ct);
        if (_target.Context is not null && _context == 0) throw new NbdException($"The export has no {_target.Context}.");
        await AskAsync(Go, [.. Text(_target.Export), 0, 0], ct);
        if (_size < 0) throw new NbdException("The server did not tell the export's size.");
    }

    private async Task SecureAsync(NodeTls tls, CancellationToken ct)
    {
        await AskAsync(StartTls, [], ct);
        var secure = new SslStream(_stream, leaveInnerStreamOpen: false);
        _stream = secure;
        try { await secure.AuthenticateAsClientAsync(tls.Client(_target.Peer), ct); }
        catch (System.Security.Authentication.AuthenticationException e) { throw new NbdException($"{_target.Peer} could not prove itself: {e.Message}"); }
    }

    /// <summary>Sends an option and reads its replies up to the one that ends it.</summary>
    private async Task AskAsync(uint option, byte[] data, CancellationToken ct)
    {
        var head = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(head, OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(8), option);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(12), (uint)data.Length);
        await _stream.WriteAsync((byte[])[.. head, .. data], ct);
        while (true)
        {
            var reply = await TakeAsync(20, ct);
            if (BinaryPrimitives.ReadUInt64BigEndian(reply) != ReplyMagic) throw new NbdException("Not an NBD reply.");
            var (type, length) = (BinaryPrimitives.ReadUInt32BigEndian(reply.AsSpan(12)), BinaryPrimitives.ReadUInt32BigEndian(reply.AsSpan(16)));
            if (length > LongestReply) throw new NbdException("An NBD reply is too long.");
            var text = await TakeAsync((int)length, ct);
            if ((type & ErrorBit) != 0) throw new NbdException($"The export is refused: {Encoding.UTF8.GetString(text)}");
            if (type == Acknowledged) return;
            if (option == Go && text.Length >= 12 && text[0] == 0 && text[1] == 0) _size = BinaryPrimitives.ReadInt64BigEndian(text.AsSpan(2));
            // Context ids of QEMU start at zero; ours is kept one higher, so that zero means none.
            if (option == SetContext && type == ContextReply) _context = BinaryPrimitives.ReadUInt32BigEndian(text) + 1;
        }
    }

    private async Task<byte[]> TakeAsync(int length, CancellationToken ct)
    {
        var bytes = new byte[length];
        await _stream.ReadExactlyAsync(bytes, ct);
        return bytes;
    }

    private static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [.. Number((uint)bytes.Length), .. bytes];
    }
}
