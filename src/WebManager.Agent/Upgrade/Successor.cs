using System.Net.Sockets;
using WebManager.Agent.Keeper;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Upgrade;

/// <summary>The process that is to follow, as the agent that leaves sees it.</summary>
internal sealed class Successor : IAsyncDisposable
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ServesLimit = TimeSpan.FromSeconds(12);
    private readonly Succession _line;
    private readonly Task<int> _ended;
    private readonly TimeProvider _clock;

    private Successor(int pid, Task<int> ended, Succession line, TimeProvider clock) => (Pid, _ended, _line, _clock) = (pid, ended, line, clock);

    public int Pid { get; }

    /// <summary>Starts it with our output and waits until it is ready; refused, with nothing of it left, when it is not.</summary>
    public static async Task<Outcome<Successor>> StartAsync(IReadOnlyList<string> program, string nodeFolder, TimeProvider clock)
    {
        var path = Succession.SocketOf(nodeFolder);
        File.Delete(path);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(1);
        try
        {
            var pid = Spawner.Spawn([.. program, "run", "--dir", nodeFolder, "--after", $"{Environment.ProcessId}"], outputFile: null);
            if (pid < 0) return Candidate.Bad(program, $"it could not be started: error {-pid}");
            return await ReadyAsync(program, pid, listener, clock);
        }
        finally { File.Delete(path); }
    }

    private static async Task<Outcome<Successor>> ReadyAsync(IReadOnlyList<string> program, int pid, Socket listener, TimeProvider clock)
    {
        var ended = Children.EndAsync(pid);
        using var limit = new CancellationTokenSource(ReadyLimit, clock);
        try
        {
            var connecting = listener.AcceptAsync(limit.Token).AsTask();
            if (await Task.WhenAny(connecting, ended) == ended) return Candidate.Bad(program, $"it ended at once, {Words(await ended)}");
            var successor = new Successor(pid, ended, new Succession(await connecting), clock);
            if (await successor._line.HearAsync(Succession.Ready, limit.Token) is not null) return successor;
            await successor.EndAsync();
            return Candidate.Bad(program, $"it did not become ready, {Words(await ended)}");
        }
        catch (OperationCanceledException)
        {
            _ = Native.kill(pid, Native.SigKill);
            return Candidate.Bad(program, $"it was not ready within {ReadyLimit.TotalSeconds:0} s");
        }
    }

    /// <summary>Everything was let go of: it takes over. Null: it serves. Otherwise why not, and it is gone.</summary>
    public async Task<string?> GoAsync(HandOverReport report)
    {
        await _line.SayAsync(new SuccessionLine(Succession.Go) { HandOver = report });
        using var limit = new CancellationTokenSource(ServesLimit, _clock);
        try
        {
            if (await _line.HearAsync(Succession.Serves, limit.Token) is not null) return null;
            await EndAsync();
            return $"The new program ended before it answered, {Words(await _ended)}.";
        }
        catch (OperationCanceledException)
        {
            await EndAsync();
            return $"The new program did not answer within {ServesLimit.TotalSeconds:0} s.";
        }
    }

    /// <summary>It is not to follow after all.</summary>
    public async Task EndAsync()
    {
        // Until it is reaped its pid is nobody else's.
        if (!_ended.IsCompleted) _ = Native.kill(Pid, Native.SigKill);
        await _ended;
    }

    private static string Words(int end) => end < 0 ? $"by signal {-end}" : $"with code {end}";

    public ValueTask DisposeAsync() => _line.DisposeAsync();
}
