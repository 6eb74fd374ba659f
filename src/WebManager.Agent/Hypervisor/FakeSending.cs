using System.Net.Sockets;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>The source's end of a pretended migration: connected from the sending to the switch.</summary>
public sealed class FakeSending(MigrationAddress to, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);
    private readonly TcpClient _target = new() { NoDelay = true };
    private readonly long _pausedAt = clock.GetTimestamp();

    public async Task<Outcome<Done>> ConnectAsync(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Limit, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await _target.ConnectAsync(to.Host, to.Port, both.Token);
            return Done.Value;
        }
        catch (Exception e) when (e is SocketException or ArgumentException or OperationCanceledException)
        {
            return new Refusal("migration.failed", $"{to.Host}:{to.Port} does not take the guest: {e.Message}", "The guest goes on where it was; try again when the cause is gone.");
        }
    }

    public async Task<SourceEnd> SwitchAsync(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Limit, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            var word = new byte[] { 1 };
            await _target.GetStream().WriteAsync(word, both.Token);
            var got = await _target.GetStream().ReadAsync(word, both.Token) == 1;
            return new SourceEnd(new SourceFacts(got, RanSince: false), got, 1, _pausedAt) { Why = got ? null : "The target ended." };
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            return new SourceEnd(new SourceFacts(Sent: false, RanSince: true), Left: false, 0, _pausedAt) { Why = e.Message };
        }
    }

    public void Dispose() => _target.Dispose();
}
