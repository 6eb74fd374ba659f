// Runs the seeds, tells how far it is, and of each failing one a short schedule and where its history is.
using System.Diagnostics;
using System.Globalization;
using WebManager.Agent.Rules;
using WebManager.Testing.Simulator;

namespace WebManager.Simulation;

internal sealed class Run(Options options)
{
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShrinkFor = TimeSpan.FromMinutes(5);
    private readonly RuleSwitches? _rules = options.Without is { } rule ? Drawing.Without(rule) : null;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _gate = new();
    private TimeSpan _told;
    private int _next;
    private int _seeds;
    private long _faults;
    private int _violations;

    /// <summary>The number of seeds with a violation.</summary>
    public int Go()
    {
        var threads = Enumerable.Range(0, options.Jobs).Select(_ => new Thread(Work)).ToList();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Console.WriteLine(Line());
        return _violations;
    }

    private string Line() => string.Create(CultureInfo.InvariantCulture, $"seeds={_seeds} faults={_faults} violations={_violations}");

    private void Work()
    {
        while (Interlocked.Increment(ref _next) - 1 is var k && k < options.Seeds)
        {
            var scenario = Drawing.Draw(options.First + k, options.Bias);
            var result = new Exploration(scenario, _rules).Run();
            lock (_gate)
            {
                _seeds++;
                _faults += result.Faults;
                if (result.Violation is not null) _violations++;
                Tell();
            }

            if (result.Violation is null) continue;
            if (_rules is null) Explain(scenario, result);
            else lock (_gate) { Console.WriteLine($"SEED {scenario.Seed}: {result.Violation}"); }
        }
    }

    private void Tell()
    {
        if (_clock.Elapsed - _told < TellEvery) return;
        _told = _clock.Elapsed;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {_clock.Elapsed.TotalSeconds,6:0} s  {Line()}  ({_faults / _clock.Elapsed.TotalSeconds:0} faults/s)"));
    }

    private void Explain(Scenario scenario, ExplorationResult result)
    {
        var history = Keep(scenario, $"{scenario.Seed}", _rules);
        var began = Stopwatch.StartNew();
        var shrunk = Shrinking.Shrink(scenario, result, _rules, enough: () => began.Elapsed > ShrinkFor);
        var smallest = Keep(shrunk.Smallest, $"{scenario.Seed}-short", _rules);
        lock (_gate)
        {
            Console.WriteLine($"""

                SEED {scenario.Seed}: {result.Violation}
                Its history: {history.File}
                {history.Tail}
                Shrunk in {shrunk.Runs} runs from {scenario.Given.Count} to {shrunk.Smallest.Given.Count} lines ({smallest.File}): {shrunk.Result.Violation}
                {TextOf(shrunk.Smallest)}
                """);
        }
    }

    private static string TextOf(Scenario shrunk) => ScenarioText.Of(shrunk with
    {
        Given = [.. shrunk.Given, new ScenarioFault(shrunk.EndAt, "repair", [])],
        EndAt = Math.Round(shrunk.EndAt + 240, 3),
        AllAsWanted = true,
    });

    private (string File, string Tail) Keep(Scenario scenario, string name, RuleSwitches? rules)
    {
        var again = new Exploration(scenario, rules, keepHistory: true);
        again.Run();
        Directory.CreateDirectory(options.Keep);
        var file = Path.Combine(options.Keep, $"webmanager-sim-{name}.txt");
        File.WriteAllText(file, $"{TextOf(scenario)}\n{again.World.History}");
        return (file, string.Join('\n', again.World.History.TrimEnd().Split('\n').TakeLast(40)));
    }
}

internal static class Replay
{
    public static int Run(string file)
    {
        var run = new ScenarioRun(Scenario.Parse(Path.GetFileName(file), File.ReadAllText(file)));
        try
        {
            var faults = run.Play();
            Console.WriteLine(run.World.History);
            foreach (var fault in faults) Console.WriteLine(fault);
            return faults.Count == 0 ? 0 : 1;
        }
        catch (InvariantBrokenException broken)
        {
            Console.WriteLine(run.World.History);
            Console.WriteLine(broken.Invariant);
            return 1;
        }
    }
}
