// Plays a scenario and compares what happened with what was expected.
using System.Globalization;

namespace WebManager.Testing.Simulator;

public sealed class ScenarioRun(Scenario scenario)
{
    private readonly Stage _stage = new(scenario);

    public SimWorld World => _stage.World;

    /// <summary>Sentences about what was not as expected.</summary>
    public IReadOnlyList<string> Play()
    {
        var faults = new List<string>();
        World.Scheduler.Run(() => PlayAsync(faults), TimeSpan.FromHours(2));
        return faults;
    }

    private async Task PlayAsync(List<string> faults)
    {
        await _stage.SetAsync();
        await _stage.FaultsAsync();
        await _stage.UntilAsync(scenario.EndAt);
        CheckEvents(faults);
        foreach (var end in scenario.End) CheckEnd(end, faults);
        faults.AddRange(scenario.AllAsWanted ? AtRest.Wishes(World) : []);
        faults.AddRange(AtRest.Faults(World));
        if (World.Portal is { Dead: false } portal) await portal.StopAsync();
    }

    private void CheckEvents(List<string> faults)
    {
        var happened = World.Events.Where(e => e.At >= _stage.Zero).ToList();
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
            else if ((happened[found].At - _stage.Zero).TotalSeconds > latest) faults.Add($"Line {expected.Line}: happened at {Seconds(happened[found].At)}, latest is {latest}: {Show(expected)}");
            if (found >= 0) next = found + 1;
        }
    }

    private void CheckEnd(ScenarioEnd end, List<string> faults)
    {
        var stored = (World.InCharge?.Store.Database ?? World.Database).Find(end.Instance);
        if (stored is null)
        {
            if (end.Status != "gone") faults.Add($"Line {end.Line}: {end.Instance} does not exist.");
            return;
        }

        var row = World.InCharge is { Dead: false } portal ? portal.Engine.Feeds.Instances.Find(stored.Id) : null;
        var runs = World.Truth.Executing(stored.Id)?.Node.Name;
        var status = Camel(row?.Status.ToString() ?? "(no portal)");
        if (end.Status != "*" && status != end.Status) faults.Add($"Line {end.Line}: {end.Instance} is {status}, expected {end.Status}. {row?.Text}");
        if (end.Status == "running" && runs is null) faults.Add($"Line {end.Line}: {end.Instance} does not really run.");
        if (end.Node is { } node and not "*" && (node == "-" ? runs is not null : runs != node)) faults.Add($"Line {end.Line}: {end.Instance} runs on {runs ?? "no node"}, expected {node}.");
        if (end.Mirror is { } mirror and not "*" && Camel(stored.Mirror.ToString()) != mirror) faults.Add($"Line {end.Line}: the mirror of {end.Instance} is {Camel(stored.Mirror.ToString())}, expected {mirror}.");
    }

    private string Seconds(TimeSpan at) => (at - _stage.Zero).TotalSeconds.ToString("F3", CultureInfo.InvariantCulture);

    private static bool Is(SimEvent e, ScenarioEvent x) => e.Kind == x.Kind && e.Subject == x.Subject && Matches(e.From, x.From) && Matches(e.To, x.To);

    private static bool Matches(string? value, string pattern) => pattern == "*" || (pattern == "-" ? value is null : string.Equals(value, pattern, StringComparison.OrdinalIgnoreCase));

    private static string Show(ScenarioEvent e) => $"{e.Kind} {e.Subject} {e.From} -> {e.To}";

    private static string Camel(string word) => char.ToLowerInvariant(word[0]) + word[1..];
}
