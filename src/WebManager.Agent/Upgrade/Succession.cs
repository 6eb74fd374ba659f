using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Upgrade;

/// <summary>One line between an agent that leaves and the one that follows: ready, go, serves.</summary>
public sealed record SuccessionLine(string Word)
{
    /// <summary>go: what the successor tells of itself.</summary>
    public HandOverReport? HandOver { get; init; }
}

/// <summary>
/// The successor's side. It is started beside the agent that it follows, makes everything ready that needs nothing of the node's state, says
/// so, and waits until the other one has let go. If that dies without a word the successor goes on: somebody must.
/// </summary>
internal sealed class Succession(Socket socket) : IAsyncDisposable
{
    public static readonly SpeaksRange Speaks = new(1, 1);

    public const string Ready = "ready", Go = "go", Serves = "serves";

    private readonly NetworkStream _stream = new(socket, ownsSocket: true);

    public static string SocketOf(string nodeFolder) => Path.Combine(nodeFolder, "keeper", "next");

    public static async Task<Succession> ToAsync(string nodeFolder, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketOf(nodeFolder)), ct);
        return new Succession(socket);
    }

    public async Task SayAsync(SuccessionLine line)
    {
        // Who does not listen any more has nothing to decide.
        try { await _stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(line, UpgradeJson.Default.SuccessionLine), (byte)'\n']); }
        catch (IOException) { }
    }

    /// <summary>Null: the other one is gone, or says something else.</summary>
    public async Task<SuccessionLine?> HearAsync(string word, CancellationToken ct)
    {
        var (line, one) = (new List<byte>(), new byte[1]);
        try
        {
            while (await _stream.ReadAsync(one, ct) == 1 && one[0] != '\n') line.Add(one[0]);
            return line.Count > 0 && JsonSerializer.Deserialize([.. line], UpgradeJson.Default.SuccessionLine) is { } said && said.Word == word ? said : null;
        }
        catch (Exception e) when (e is IOException or JsonException) { return null; }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();
}
