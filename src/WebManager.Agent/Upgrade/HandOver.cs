using WebManager.Agent.Keeper;
using WebManager.Agent.Node;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Upgrade;

/// <summary>
/// The agent leaves its place to the program that is installed by now. Everything that can go wrong is tried while it still serves; then it
/// lets go of all, tells the successor, and stays until that answers. If it does not, the agent takes its place again.
/// </summary>
internal sealed class HandOver(NodeFolder folder, AgentStart start, OrderDesk desk, InstanceTable table, KeeperClient keeper, NodeIdentity identity, IHostApplicationLifetime life,
    NodeConfig config, TimeProvider clock, ILogger<HandOver> log) : IAsyncDisposable
{
    private static readonly TimeSpan OrdersLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeaseLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan KeeperLimit = TimeSpan.FromSeconds(5);

    private Successor? _successor;
    private HandOverReport? _report;
    private int? _keeperToEnd;
    private int _taking;

    /// <summary>There is a successor that waits for us to end.</summary>
    public bool Begun => _successor is not null;

    public async Task<Outcome<RestartAgentReply>> TakeAsync(RestartAgentOrder order, CancellationToken ct)
    {
        if (Interlocked.Exchange(ref _taking, 1) == 1) return new Refusal("agent.leaving", "The agent is being restarted.", "Try again in a few seconds.");
        var taken = await TryAsync(order, ct);
        if (!taken.Ok) _taking = 0;
        return taken;
    }

    private async Task<Outcome<RestartAgentReply>> TryAsync(RestartAgentOrder order, CancellationToken ct)
    {
        if (Busy() is { } busy) return busy;
        if (await keeper.StatusAsync(ct) is not { } status) return new Refusal("keeper.unreachable", "The keeper does not answer.", "Look at keeper/keeper.log on the node.");
        var facts = await Candidate.LookAsync(start.Program, status.Live.Count == 0 ? null : status.Speaks ?? KeeperSpeech.BeforeVersions, clock);
        if (!facts.Ok) return Said(facts.Refusal);
        var next = await Successor.StartAsync(start.Program, folder.Root, clock);
        if (!next.Ok) return Said(next.Refusal);
        if (await CloseAsync(order, ct) is { } no)
        {
            desk.Reopen();
            await next.Value.EndAsync();
            await next.Value.DisposeAsync();
            return Said(no);
        }

        // Nothing is started any more, so what holds nothing now will hold nothing.
        status = await keeper.StatusAsync(ct) ?? status;
        if (status.Live.Count == 0 && status.Build != facts.Value.Build) _keeperToEnd = status.Pid;
        (_report, _successor) = (new HandOverReport(order.Operation, NodeIdentity.Version, null), next.Value);
        log.HandsOver(NodeIdentity.Version, facts.Value.Version, next.Value.Pid);
        life.StopApplication();      // the server lets this answer out first
        return new RestartAgentReply(NodeIdentity.Version, facts.Value.Version, identity.Run, _keeperToEnd is not null);
    }

    private Refusal Said(Refusal refusal)
    {
        log.StaysHere(refusal.Message);
        return refusal;
    }

    private Refusal? Busy() => table.All.FirstOrDefault(u => u.Guest is { Mirror: MirrorPhase.Copying } or { Migration: not null } || u.Incoming is not null) is { } unit
        ? new Refusal("agent.busy", $"A copy or a migration of {unit.Start?.Guest.Name ?? unit.Id.ToString()} is under way.", "Wait until it has ended.") : null;

    /// <summary>No order runs, and each guest's lease lasts for the time in which nobody can renew it.</summary>
    private async Task<Refusal?> CloseAsync(RestartAgentOrder order, CancellationToken ct)
    {
        if (!await desk.CloseAsync(order.Operation, OrdersLimit)) return new Refusal("agent.busy", $"An order is not carried out within {OrdersLimit.TotalSeconds:0} s.", "Look at agent.log on the node, and try again later.");
        if (Busy() is { } busy) return busy;
        var began = clock.GetTimestamp();
        var (wanted, least) = (config.Isolation * 0.75, config.Isolation * 0.5);
        while (true)
        {
            var left = (await keeper.StatusAsync(ct))?.Live.Min(l => l.LeaseLeftMs) is { } ms ? TimeSpan.FromMilliseconds(ms) : config.Isolation;
            if (left >= wanted) return null;
            if (clock.GetElapsedTime(began) > LeaseLimit)
                return left >= least ? null : new Refusal("agent.lease-stale", $"A guest's lease lasts for {left.TotalSeconds:0.0} s only: nobody renews it.", "Look at the network between the portal and the node.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, ct);
        }
    }

    /// <summary>The server has ended, nobody is answered any more: lets go of what only one can hold. What follows needs nothing of the services.</summary>
    public async Task<Departure> LeaveAsync()
    {
        await table.LetGoAsync();
        await keeper.DisposeAsync();       // before the keeper is ended, for it would start one
        var departure = new Departure(_successor!, _report!, _keeperToEnd);
        _successor = null;
        return departure;
    }

    public async ValueTask DisposeAsync()
    {
        if (_successor is null) return;    // ended in another way, while the successor waits
        await _successor.EndAsync();
        await _successor.DisposeAsync();
    }

    /// <summary>What is left to do once all services have ended and the node's lock is free.</summary>
    internal sealed class Departure(Successor successor, HandOverReport report, int? keeper)
    {
        /// <summary>Null: the successor serves, this process may end. Otherwise the report with which this one takes its place again.</summary>
        public async Task<HandOverReport?> GoAsync(TimeProvider clock)
        {
            if (keeper is { } pid) await EndKeeperAsync(pid, clock);
            var failed = await successor.GoAsync(report);
            if (failed is null) ServiceManager.Tell($"MAINPID={successor.Pid}");
            await successor.DisposeAsync();
            return failed is null ? null : report with { Failed = failed };
        }

        /// <summary>SIGTERM: its orderly end, which also tells a hardware watchdog to stop.</summary>
        private static async Task EndKeeperAsync(int pid, TimeProvider clock)
        {
            if (ProcFacts.StartTime(pid) is not { } begun) return;
            _ = Native.kill(pid, Native.SigTerm);
            var since = clock.GetTimestamp();
            while (ProcFacts.StartTime(pid) == begun && clock.GetElapsedTime(since) < KeeperLimit) await Task.Delay(TimeSpan.FromMilliseconds(5), clock);
        }
    }
}
