// Makes a failing scenario short: parts of it are left out as long as the same kind of thing still breaks (delta debugging).
using WebManager.Agent.Rules;

namespace WebManager.Testing.Simulator;

/// <param name="Smallest">The shortest scenario found, and what breaks in it.</param>
/// <param name="Runs">How many runs it took.</param>
public sealed record Shrunk(Scenario Smallest, ExplorationResult Result, int Runs);

public sealed class Shrinking
{
    private readonly RuleSwitches? _rules;
    private readonly string _kind;
    private readonly int _most;
    private readonly Func<bool> _enough;
    private Scenario _best;
    private ExplorationResult _result;
    private int _runs;

    private Shrinking(Scenario failing, ExplorationResult result, RuleSwitches? rules, int most, Func<bool>? enough) =>
        (_best, _result, _kind, _rules, _most, _enough) = (failing, result, result.Kind!, rules, most, enough ?? (() => false));

    /// <param name="most">Runs at most.</param>
    /// <param name="enough">Asked before each run: whether to stop here.</param>
    public static Shrunk Shrink(Scenario failing, ExplorationResult result, RuleSwitches? rules = null, int most = 400, Func<bool>? enough = null)
    {
        var shrinking = new Shrinking(failing, result, rules, most, enough);
        shrinking.Cut();
        shrinking.Calm();
        shrinking.Halve();
        shrinking.Calm();
        shrinking.Halve();
        return new Shrunk(shrinking._best, shrinking._result, shrinking._runs);
    }

    /// <summary>What was yet to come when it broke is no part of it.</summary>
    private void Cut()
    {
        var before = _best.Given.Where(g => g.At <= _result.BrokenAt).ToList();
        if (before.Count < _best.Given.Count) Try(_best with { Given = before, EndAt = Math.Min(_best.EndAt, Math.Round(_result.BrokenAt + 5, 3)) });
    }

    /// <summary>Without the noise, the drift and the other instances.</summary>
    private void Calm()
    {
        if (_best.SlowPart > 0) Try(_best with { SlowPart = 0 });
        if (_best.Rates.Count > 0) Try(_best with { Rates = new Dictionary<string, double>() });
        if (_best.LatePart > 0) Try(_best with { LatePart = 0 });
        foreach (var other in _best.Instances.Skip(1).ToList())
        {
            var left = _best.Given.Where(g => !g.Args.Any(a => Names(a, other.Name)) && (g.When is null || !Names(g.When.Subject, other.Name))).ToList();
            Try(_best with { Instances = [.. _best.Instances.Where(i => i != other)], Given = left });
        }

        foreach (var node in _best.Nodes.ToList())
        {
            if (_best.Instances.Any(i => i.Primary == node || i.Secondary == node) || _best.Given.Any(g => g.Args.Any(a => a == node || a.Split('/').Contains(node)))) continue;
            Try(_best with { Nodes = [.. _best.Nodes.Where(n => n != node)] });
        }
    }

    private static bool Names(string argument, string instance) => argument == instance || argument.StartsWith(instance + ".", StringComparison.Ordinal);

    /// <summary>ddmin on the faults: larger parts first, down to single ones.</summary>
    private void Halve()
    {
        for (var size = Math.Max(1, _best.Given.Count / 2); size >= 1; size /= 2)
        {
            for (var from = 0; from < _best.Given.Count;)
            {
                var left = _best.Given.Where((_, i) => i < from || i >= from + size).ToList();
                if (!Try(_best with { Given = left })) from += size;
            }
        }
    }

    /// <summary>Another order of events gives other random numbers, so a few seeds are tried for each.</summary>
    private bool Try(Scenario smaller)
    {
        for (var turn = 0; turn < 3 && _runs < _most && !_enough(); turn++)
        {
            var candidate = smaller with { Seed = smaller.Seed + turn * 4 };
            _runs++;
            var result = new Exploration(candidate, _rules).Run();
            if (result.Kind != _kind) continue;
            (_best, _result) = (candidate, result);
            return true;
        }

        return false;
    }
}
