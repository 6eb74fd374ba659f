using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using WebManager.Contracts;

namespace WebManager.Agent.Keeper;

/// <summary>The keeper's unix socket. Any number of connections; the folder (0700) and the socket (0600) keep other users out.</summary>
internal sealed class KeeperServer(GuestTable table, SpawnThread spawner, Reaper reaper, Action changed)
{
    public async Task ListenAsync(string path, CancellationToken ct)
    {
        File.Delete(path);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(16);
        while (!ct.IsCancellationRequested) _ = ServeAsync(await listener.AcceptAsync(ct), ct);
    }

    private async Task ServeAsync(Socket socket, CancellationToken ct)
    {
        // Replies leave through one queue: ended notices and late answers of kill come from other threads.
        var replies = Channel.CreateUnbounded<KeeperReply>();
        void Tell(ProcessEnd end) => replies.Writer.TryWrite(new KeeperReply(0) { Ended = end });
        void TellPause(ProcessPause pause) => replies.Writer.TryWrite(new KeeperReply(0) { Pause = pause });
        table.Ended += Tell;
        table.PauseChanged += TellPause;
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            var writing = WriteAsync(stream, replies.Reader, ct);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            while (await reader.ReadLineAsync(ct) is { } line)
            {
                if (JsonSerializer.Deserialize(line, KeeperJson.Default.KeeperRequest) is not { } request) continue;
                if (request.Verb is KeeperVerb.Spawn or KeeperVerb.Kill) _ = SlowAsync(request, replies.Writer);
                else replies.Writer.TryWrite(Answer(request));
            }

            replies.Writer.TryComplete();
            await writing;
        }
        catch (Exception ex) when (ex is IOException or SocketException or JsonException or OperationCanceledException)
        {
            socket.Dispose();     // the agent went away in the middle of a line; it will connect again
        }
        finally
        {
            table.Ended -= Tell;
            table.PauseChanged -= TellPause;
            replies.Writer.TryComplete();
        }
    }

    private static async Task WriteAsync(NetworkStream stream, ChannelReader<KeeperReply> replies, CancellationToken ct)
    {
        await foreach (var reply in replies.ReadAllAsync(ct))
        {
            var line = JsonSerializer.SerializeToUtf8Bytes(reply, KeeperJson.Default.KeeperReply);
            Array.Resize(ref line, line.Length + 1);
            line[^1] = (byte)'\n';
            await stream.WriteAsync(line, ct);
        }
    }

    private async Task SlowAsync(KeeperRequest request, ChannelWriter<KeeperReply> replies)
    {
        try
        {
            replies.TryWrite(request.Verb == KeeperVerb.Kill ? await KillAsync(request) : await SpawnAsync(request));
        }
        catch (Exception ex)
        {
            replies.TryWrite(new KeeperReply(request.Id) { Refusal = new Refusal("keeper.failed", ex.Message) });
        }
    }

    private async Task<KeeperReply> KillAsync(KeeperRequest request)
    {
        await table.KillAsync(request.Process ?? "");
        return new KeeperReply(request.Id);
    }

    private async Task<KeeperReply> SpawnAsync(KeeperRequest request)
    {
        if (request.Spawn is not { } spawn) return Malformed(request, "spawn");
        var pid = await spawner.InvokeAsync(() =>
        {
            var started = table.Spawn(spawn);
            if (started.Ok) reaper.ChildStarted();
            return started;
        });
        changed();
        return pid.Ok ? new KeeperReply(request.Id) { Pid = pid.Value } : new KeeperReply(request.Id) { Refusal = pid.Refusal };
    }

    private KeeperReply Answer(KeeperRequest request)
    {
        var reply = new KeeperReply(request.Id);
        switch (request.Verb)
        {
            case KeeperVerb.Status: return reply with { Status = table.Status() };
            case KeeperVerb.Challenge: return reply with { Nonce = table.Challenge() };
            case KeeperVerb.Answer:
                table.Answer(request.Nonce, request.Records ?? []);
                changed();
                return reply;
            case KeeperVerb.Adopt or KeeperVerb.Promise when request.Records is [var record]:
                var outcome = request.Verb == KeeperVerb.Adopt ? table.Adopt(record) : table.Promise(record);
                changed();
                return reply with { Refusal = outcome.Refusal };
            case KeeperVerb.Lease when request.Records is [var wanted]: return reply with { Refusal = table.Lease(wanted) };
            case KeeperVerb.Become when request is { Process: { } from, As: { } to, Records: [var next] }:
                var became = table.Become(from, to, next);
                changed();
                return became.Ok ? reply with { Pid = became.Value } : reply with { Refusal = became.Refusal };
            case KeeperVerb.Forget:
                table.Forget(request.Process ?? "");
                return reply;
            default: return Malformed(request, "records");
        }
    }

    private static KeeperReply Malformed(KeeperRequest request, string field) =>
        new(request.Id) { Refusal = new Refusal("keeper.malformed", $"{request.Verb} came without {field}.") { Field = field } };
}
