// The moves of a maintenance, away from the node or back to it: one after another, the most important first, until nothing is left that can move.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Operations;

/// <summary>Begun anew after a crash it looks again at what there is to move; a move that was under way is a job of its own and is waited for.</summary>
internal sealed class MaintenanceMoves(JobContext job, MaintainNode request)
{
    /// <summary>How long something that should come right by itself may have no job that works on it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Blink = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private readonly Dictionary<Guid, PlannedMove> _stay = [];
    private int _returned;

    private string Node => request.Node;

    public async Task<Outcome<Done>> AwayAsync(CancellationToken ct)
    {
        var stopped = await MoveAllAsync(ct);
        var left = Plan().Where(m => m.Wanted).Select(Known).ToList();
        await ListAsync(ct);
        if (stopped is not null) { return stopped; }
        return left.Count == 0 ? Done.Value
            : new Refusal("maintenance.incomplete", $"{Node} is in maintenance, but {Names(left)} still {(left.Count == 1 ? "has" : "have")} to run there: {Reasons(left)}", "What is not moved or stopped ends with the node. Ask again (wm node maintenance ... on) when the reason is gone.");
    }

    public async Task<Outcome<Done>> BackAsync(CancellationToken ct)
    {
        var stopped = await MoveAllAsync(ct);
        var left = Plan().Select(Known).ToList();
        await ListAsync(ct);
        await ForgetAsync(ct);
        if (stopped is not null) { return stopped; }
        return left.Count == 0 ? Done.Value
            : new Refusal("maintenance.not-returned", $"{Node} is a node like any other again, but {Names(left)} did not come back: {Reasons(left)}", "Migrate these by hand when the reason is gone.");
    }

    private IReadOnlyList<PlannedMove> Plan() =>
        request.On ? MaintenancePlanner.Leaving(Node, job.Now, job.Parts) : MaintenancePlanner.Returning(Node, job.Now, job.Parts);

    /// <summary>Null: there is nothing left that can move.</summary>
    private async Task<Refusal?> MoveAllAsync(CancellationToken ct)
    {
        while (true)
        {
            if (await StopsAsync(ct) is { } stop) { return stop; }
            if (UnderWay() is { } busy) { await job.Door!.WaitAsync(busy.Id, ct); continue; }
            var open = Plan().Where(m => m.Kind != MoveKind.Stays && !_stay.ContainsKey(m.Id)).ToList();
            if (open.Count == 0) { return null; }
            if (open.FirstOrDefault(m => m.Kind != MoveKind.Later) is { } next) { await MoveAsync(next, open.Count, ct); }
            else { await AwaitAsync(open, ct); }
        }
    }

    /// <summary>A move to or from the node, also one that somebody else asked for, or a recovery: how it ends is waited for.</summary>
    private Job? UnderWay() => job.Now.On(Node).Select(i => job.Now.WorkOn(i.Name)).FirstOrDefault(j => j is { Request: MigrateInstance or FailoverInstance or RecoverInstance });

    private async Task MoveAsync(PlannedMove move, int open, CancellationToken ct)
    {
        var done = _stay.Count + (request.On ? Left() : _returned);
        await job.StepAsync("move", $"{done + 1} of {done + open}: {move.Instance} {(move.Kind == MoveKind.Migrate ? "moves" : "is failed over")} from {move.From} to {move.To}.", ct);
        var moved = await job.OthersAsync(MaintenancePlanner.Request(move.Instance, move.To), request.On ? $"{Node} goes into maintenance" : $"{Node} is back from maintenance", ct);
        if (moved.Ok) { _returned++; return; }
        _stay[move.Id] = move with { Kind = MoveKind.Stays, Why = moved.Refusal };
        await job.LogAsync($"{move.Instance} was not moved: {moved.Refusal.Message}", ct);
    }

    /// <summary>Those that were here and are not any more, also by an earlier run of this job.</summary>
    private int Left() => job.Now.Nodes.GetValueOrDefault(Node)?.Maintenance?.Homes.Count(id => job.Now.Instances.TryGetValue(id, out var i) && i.Primary != Node) ?? 0;

    /// <summary>Until one of them can move. What nothing works on for too long is given up on.</summary>
    private async Task AwaitAsync(List<PlannedMove> later, CancellationToken ct)
    {
        await job.LogAsync($"Waiting for {Names(later)}: {Reasons(later)}", ct);
        var idleSince = job.Parts.Clock.GetTimestamp();
        bool Changed()
        {
            if (later.Any(m => job.Now.WorkOn(m.Instance) is not null)) { idleSince = job.Parts.Clock.GetTimestamp(); }
            if (job.CancelAsked || Superseded() || !IsThere()) { return true; }
            var still = Plan().Where(m => later.Any(l => l.Id == m.Id)).ToList();
            return still.Count < later.Count || still.Any(m => m.Kind != MoveKind.Later);
        }
        while (job.Parts.Clock.GetElapsedTime(idleSince) < Patience)
        {
            if (await job.Nodes.UntilAsync(Changed, Look, ct)) { return; }
        }
        foreach (var m in later) { _stay[m.Id] = m with { Kind = MoveKind.Stays }; }
    }

    private async Task<Refusal?> StopsAsync(CancellationToken ct)
    {
        if (!IsThere()) { await job.Nodes.UntilAsync(() => job.Nodes.HealthOf(Node) is not (NodeHealth.Suspect or NodeHealth.Joining), Blink, ct); }
        return job.CancelAsked ? job.Canceled()
            : Superseded() ? new Refusal("maintenance.superseded", $"Maintenance of {Node} was asked to {(request.On ? "end" : "begin")} meanwhile; what had not moved was left where it was.")
            : !job.Now.Nodes.ContainsKey(Node) ? new Refusal("node.unknown", $"Node {Node} was removed.")
            : IsThere() ? null
            : new Refusal("node.not-online", request.On ? $"{Node} does not answer any more; what still ran there is recovered as for any other node." : $"{Node} does not answer, so nothing can come back to it.", "Look at the node.");
    }

    private bool IsThere() => job.Nodes.HealthOf(Node) == NodeHealth.Online;

    /// <summary>A job that was asked for later, for the opposite, waits for this one to end.</summary>
    private bool Superseded() => job.Now.Jobs.Values.Any(j => !j.Ended && j.Id > job.Job.Id && j.Request is MaintainNode other && other.Node == Node
        && j.Depends.All(d => job.Now.Jobs.GetValueOrDefault(d.Job) is null or { Ended: true }));

    private Task<Outcome<Done>> ForgetAsync(CancellationToken ct) => job.StepAsync<Done>("left", (now, changes) =>
    {
        changes.Text = "";
        if (now.Nodes.TryGetValue(Node, out var n) && n.Maintenance is { Ending: true }) { changes.Raw.Nodes.Add(n with { Maintenance = null, Revision = n.Revision + 1 }); }
        return Done.Value;
    }, ct);

    /// <summary>What was tried and refused knows its reason better than the plan.</summary>
    private PlannedMove Known(PlannedMove m) => _stay.GetValueOrDefault(m.Id) ?? m;

    private async Task ListAsync(CancellationToken ct)
    {
        foreach (var m in Plan().Select(Known))
        {
            var why = m.Why is { } w ? $"{w.Message} {w.Remedy}".TrimEnd() : "It was not its turn yet.";
            await job.LogAsync($"{m.Instance} stays on {m.From}: {why}", ct);
        }
    }

    private static string Names(IReadOnlyList<PlannedMove> moves) => $"{string.Join(", ", moves.Take(10).Select(m => m.Instance))}{(moves.Count > 10 ? $" and {moves.Count - 10} more" : "")}";

    private static string Reasons(IReadOnlyList<PlannedMove> moves) => string.Join(" ", moves.Select(m => m.Why?.Message).OfType<string>().Distinct(StringComparer.Ordinal).Take(5));
}
