namespace WebManager.Agent.Hypervisor.Qmp;

/// <summary>Connects to sockets of a process that is just being started.</summary>
public static class QmpSockets
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(3);

    /// <summary>Tries until it works, the limit is over (TimeoutException) or <paramref name="ended"/> says that nobody will ever answer (null).</summary>
    public static async Task<QmpClient?> ConnectAsync(string path, TimeSpan limit, Func<bool> ended, Action<QmpEvent>? onEvent, TimeProvider clock, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(limit, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, ct);
        try
        {
            while (true)
            {
                if (ended()) return null;
                if (File.Exists(path) && await TryAsync(path, onEvent, clock, both.Token) is { } client) return client;
                await Task.Delay(Step, clock, both.Token);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new TimeoutException($"No answer on {path} within {limit.TotalSeconds:0.#} s.");
        }
    }

    private static async Task<QmpClient?> TryAsync(string path, Action<QmpEvent>? onEvent, TimeProvider clock, CancellationToken ct)
    {
        try { return await QmpClient.ConnectAsync(path, clock, onEvent, ct); }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException) { return null; }
    }
}
