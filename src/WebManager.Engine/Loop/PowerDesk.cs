// Powers nodes off out of band, once an outage, and says when that counts as confirmed: the command succeeded and the node stays silent since.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Loop;

/// <summary>Kept in memory only: an engine that starts anew waits the full time of R4.</summary>
/// <param name="watched">Longer than the time between two beats or challenges: a node that lives is heard within it.</param>
public sealed class PowerDesk(IPowerControl power, NodeBook nodes, EventBook events, TimeProvider clock, TimeSpan watched)
{
    private readonly Dictionary<string, Attempt> _attempts = new(StringComparer.Ordinal);

    private sealed record Attempt(long Began, Task<Outcome<Done>> Ends)
    {
        public long? Succeeded { get; set; }
    }

    public bool Can(string node) => power.Can(node);

    /// <summary>Runs the command unless it ran in this outage already. Nobody waits for it: what it confirms is asked for.</summary>
    public void BeginOnce(string node, long job, CancellationToken ct)
    {
        if (!power.Can(node) || nodes.Find(node) is not { } watch) { return; }
        lock (_attempts)
        {
            if (_attempts.TryGetValue(node, out var before) && watch.Silence >= clock.GetElapsedTime(before.Began)) { return; }
        }
        _ = OffAsync(node, job, ct);
    }

    /// <summary>Runs the command and tells people how it went.</summary>
    public Task<Outcome<Done>> OffAsync(string node, long job, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var attempt = new Attempt(began, power.PowerOffAsync(node, ct));
        lock (_attempts) { _attempts[node] = attempt; }
        return FollowAsync(node, attempt, job);
    }

    private async Task<Outcome<Done>> FollowAsync(string node, Attempt attempt, long job)
    {
        Outcome<Done> outcome;
        try { outcome = await attempt.Ends; }
        catch (OperationCanceledException) { return new Refusal("power.cancelled", $"The power command of {node} was cut short."); }
        if (outcome.Ok) { lock (_attempts) { attempt.Succeeded = clock.GetTimestamp(); } }
        events.Add("node.power", outcome.Ok ? Severity.Info : Severity.Error, $"node:{node}",
            outcome.Ok ? $"The power command of {node} says it is off." : $"{node} could not be powered off: {outcome.Refusal.Message}", null, outcome.Ok ? "off" : "failed", job);
        return outcome;
    }

    /// <summary>Time since the command succeeded; null: it did not, or the engine heard the node since, or it was not watched for long enough to be heard if it lived.</summary>
    public TimeSpan? OffFor(string node)
    {
        lock (_attempts)
        {
            if (!_attempts.TryGetValue(node, out var attempt) || attempt.Succeeded is not { } at || nodes.Find(node) is not { } watch) { return null; }
            var since = clock.GetElapsedTime(at);
            return since >= watched && watch.Silence >= since ? since : null;
        }
    }
}

/// <summary>Where no power commands are set up.</summary>
public sealed class NoPowerControl : IPowerControl
{
    public bool Can(string node) => false;
    public Task<Outcome<Done>> PowerOffAsync(string node, CancellationToken ct) => Task.FromResult<Outcome<Done>>(new Refusal("power.no-command", $"No power command is set up for {node}."));
}
