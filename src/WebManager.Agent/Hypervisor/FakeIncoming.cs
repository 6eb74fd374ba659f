// A pretended migration goes over a real connection, so that a wrong address or a dead target shows.
using System.Net;
using System.Net.Sockets;
using WebManager.Agent.Keeper;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>Waits for a pretended guest: it is here whole when its source has said so.</summary>
public sealed class FakeIncoming : IIncomingGuest
{
    private readonly GuestStart _start;
    private readonly IGuestProcesses _processes;
    private readonly TimeProvider _clock;
    private readonly TcpListener _listener;
    private readonly TaskCompletionSource _whole = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeIncoming(GuestStart start, int pid, string host, IGuestProcesses processes, TimeProvider clock)
    {
        (_start, Pid, _processes, _clock) = (start, pid, processes, clock);
        _listener = new TcpListener(IPAddress.TryParse(host, out var ip) ? ip : IPAddress.Loopback, 0);
        _listener.Start(1);
        Address = new MigrationAddress(host, ((IPEndPoint)_listener.LocalEndpoint).Port);
        _ = ListenAsync();
    }

    public Guid Instance => _start.Guest.Instance;
    public int Pid { get; }
    public long Generation => _start.Record!.Number;
    public MigrationAddress Address { get; }
    public Task Whole => _whole.Task;
    public long Progress => _whole.Task.IsCompletedSuccessfully ? 1 : 0;
    public MigrationReport Report => new(MigrationPhase.Receiving, Generation, Progress * 100, 0);

    private async Task ListenAsync()
    {
        try
        {
            using var source = await _listener.AcceptTcpClientAsync();
            var word = new byte[1];
            // One byte says that everything was sent; the same one goes back. An end without it: the source goes on.
            if (await source.GetStream().ReadAsync(word) == 0) return;
            _whole.TrySetResult();
            await source.GetStream().WriteAsync(word);
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            // Nobody comes any more.
        }
    }

    public async Task<Outcome<IGuest>> TakeOverAsync(GuestStart start, CancellationToken ct)
    {
        var became = await _processes.BecomeAsync(QemuHypervisor.IncomingId(Instance), QemuHypervisor.ProcessId(Instance), start.Record!, ct);
        await DisposeAsync();
        if (became.Ok) return FakeGuest.Moved(start, Pid, _clock);
        await _processes.KillAsync(QemuHypervisor.IncomingId(Instance), CancellationToken.None);
        return became.Refusal;
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }
}
