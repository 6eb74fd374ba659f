// Plays a scenario and compares what happened with what was expected.
using System.Globalization;
using WebManager.Engine.Model;

namespace WebManager.Testing.Simulator;

public sealed class ScenarioRun(Scenario scenario)
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);
    private readonly SimWorld _world = new(new SimOptions
    {
        Seed = scenario.Seed,
        NodeClockRate = n => scenario.Rates.GetValueOrDefault(n, 1),
        PortalClockRate = scenario.Rates.GetValueOrDefault(SimNetwork.Portal, 1),
    });

    private TimeSpan _zero;

    public SimWorld World => _world;

    /// <summary>Sentences about what was not as expected.</summary>
    public IReadOnlyList<string> Play()
    {
        var faults = new List<string>();
        _world.Network.SlowPart = 0;
        _world.Scheduler.Run(() => PlayAsync(faults), TimeSpan.FromHours(2));
        return faults;
    }

    private async Task PlayAsync(List<string> faults)
    {
        await _world.BeginAsync([.. scenario.Nodes]);
        foreach (var i in scenario.Instances) await MakeAsync(_world, i);
        await _world.DelayAsync(Settle);
        _zero = _world.Now;
        foreach (var fault in scenario.Given.OrderBy(f => f.At))
        {
            await UntilAsync(fault.At);
            Faults.Do(_world, fault.Word, fault.Args);
        }

        await UntilAsync(scenario.EndAt);
        CheckEvents(faults);
        foreach (var end in scenario.End) CheckEnd(end, faults);
        faults.AddRange(AtRest.Faults(_world));
        if (_world.Portal is { Dead: false } portal) await portal.StopAsync();
    }

    private static async Task MakeAsync(SimWorld world, ScenarioInstance i)
    {
        var job = await CreateAsync(world, i);
        if (job.Status != JobStatus.Success) throw new InvalidOperationException($"{i.Name} was not created: {job.Error?.Message}");
    }

    public static async Task<Job> CreateAsync(SimWorld world, ScenarioInstance i) =>
        await world.Portal!.DoAsync(new CreateInstance(i.Name, "alpine", 1, 256, i.Template, i.Template == Contracts.DiskTemplate.Diskless ? [] : [1024])
        {
            Primary = i.Primary, Secondary = i.Secondary, OsParams = i.Quiet ? new Dictionary<string, string> { ["quiet"] = "on" } : [],
        });

    private Task UntilAsync(double at)
    {
        var left = _zero + TimeSpan.FromSeconds(at) - _world.Now;
        return left > TimeSpan.Zero ? _world.DelayAsync(left) : Task.CompletedTask;
    }

    private void CheckEvents(List<string> faults)
    {
        var happened = _world.Events.Where(e => e.At >= _zero).ToList();
        var next = 0;
        foreach (var expected in scenario.Expected)
        {
            if (expected.Latest is not { } latest)
            {
                if (happened.FirstOrDefault(e => Is(e, expected)) is { } was) faults.Add($"Line {expected.Line}: this must never happen, but did at {Seconds(was.At)}: {Show(expected)}");
                continue;
            }

            var found = happened.FindIndex(next, e => Is(e, expected));
            if (found < 0) faults.Add($"Line {expected.Line}: did not happen{(happened.Exists(e => Is(e, expected)) ? " in this order" : "")}: {Show(expected)}");
            else if ((happened[found].At - _zero).TotalSeconds > latest) faults.Add($"Line {expected.Line}: happened at {Seconds(happened[found].At)}, latest is {latest}: {Show(expected)}");
            if (found >= 0) next = found + 1;
        }
    }

    private void CheckEnd(ScenarioEnd end, List<string> faults)
    {
        var stored = (_world.InCharge?.Store.Database ?? _world.Database).Find(end.Instance);
        if (stored is null)
        {
            if (end.Status != "gone") faults.Add($"Line {end.Line}: {end.Instance} does not exist.");
            return;
        }

        var row = _world.InCharge is { Dead: false } portal ? portal.Engine.Feeds.Instances.Find(stored.Id) : null;
        var runs = _world.Truth.Executing(stored.Id)?.Node.Name;
        var status = Camel(row?.Status.ToString() ?? "(no portal)");
        if (end.Status != "*" && status != end.Status) faults.Add($"Line {end.Line}: {end.Instance} is {status}, expected {end.Status}. {row?.Text}");
        if (end.Status == "running" && runs is null) faults.Add($"Line {end.Line}: {end.Instance} does not really run.");
        if (end.Node is { } node and not "*" && (node == "-" ? runs is not null : runs != node)) faults.Add($"Line {end.Line}: {end.Instance} runs on {runs ?? "no node"}, expected {node}.");
        if (end.Mirror is { } mirror and not "*" && Camel(stored.Mirror.ToString()) != mirror) faults.Add($"Line {end.Line}: the mirror of {end.Instance} is {Camel(stored.Mirror.ToString())}, expected {mirror}.");
    }

    private string Seconds(TimeSpan at) => (at - _zero).TotalSeconds.ToString("F3", CultureInfo.InvariantCulture);

    private static bool Is(SimEvent e, ScenarioEvent x) => e.Kind == x.Kind && e.Subject == x.Subject && Matches(e.From, x.From) && Matches(e.To, x.To);

    private static bool Matches(string? value, string pattern) => pattern == "*" || (pattern == "-" ? value is null : string.Equals(value, pattern, StringComparison.OrdinalIgnoreCase));

    private static string Show(ScenarioEvent e) => $"{e.Kind} {e.Subject} {e.From} -> {e.To}";

    private static string Camel(string word) => char.ToLowerInvariant(word[0]) + word[1..];
}
