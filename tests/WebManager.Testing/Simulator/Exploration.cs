// One random history: a drawn scenario, then everything is repaired and must come to rest.
using System.Text.RegularExpressions;
using WebManager.Agent.Rules;

namespace WebManager.Testing.Simulator;

/// <param name="Violation">What was wrong: a broken invariant or what was not as it should be at the end; null: nothing.</param>
/// <param name="BrokenAt">Seconds on the scenario's clock when it was noticed.</param>
public sealed record ExplorationResult(int Faults, string? Violation, double BrokenAt)
{
    /// <summary>The violation without names, numbers and places: equal for two runs that break the same thing.</summary>
    public string? Kind => Violation is null ? null : Regex.Replace(Violation.Split(" | ")[0], @"g\d+/[0-9a-f]{16}( \w+(/\w+)? (in sync|alone))?|\b[a-z]+\d+\b|\d+", "_");
}

public sealed class Exploration(Scenario scenario, RuleSwitches? rules = null, bool keepHistory = false)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RestLimit = TimeSpan.FromSeconds(240);
    private readonly Stage _stage = new(scenario, rules, keepHistory);

    public SimWorld World => _stage.World;

    public ExplorationResult Run()
    {
        var wrong = new List<string>();
        try
        {
            World.Scheduler.Run(async () => wrong.AddRange(await RunAsync()), TimeSpan.FromHours(3));
        }
        catch (Exception broken)
        {
            World.Log(broken is InvariantBrokenException ? "the run ends here" : broken.ToString());
            wrong.Add(broken is InvariantBrokenException { Invariant: var invariant } ? invariant : $"{broken.GetType().Name}: {broken.Message.Split('\n')[0]}");
        }

        return new ExplorationResult(World.Faults, wrong.Count == 0 ? null : string.Join(" | ", wrong), (World.Now - _stage.Zero).TotalSeconds);
    }

    private async Task<IReadOnlyList<string>> RunAsync()
    {
        await _stage.SetAsync();
        await _stage.FaultsAsync();
        await _stage.UntilAsync(scenario.EndAt);
        World.Moments.Clear();
        World.Twin?.Crash();
        Faults.Do(World, "repair", []);
        // Twice at rest: what was under way before the repair has arrived.
        var calm = 0;
        for (var until = World.Now + RestLimit; World.Now < until && calm < 2; calm = NotAtRest().Count > 0 ? 0 : calm + 1)
        {
            await World.DelayAsync(Look);
            if (World.Database.Cluster?.FrozenAt is not null) Faults.Do(World, "unfreeze", []);
            // It stands still because it met traces of the other portal: a person starts it again.
            if (World.Portal is { Dead: false, Engine.Halted: not null }) World.CrashPortal();
            if (World.Portal is null or { Dead: true }) Faults.Do(World, "portal-start", []);
            // What a lost history had made: a person takes it up.
            foreach (var found in World.Portal is { Dead: false, Listens: true, Engine: var engine } ? engine.Now.Found.Values.ToList() : []) Faults.Do(World, "adopt", [found.Name]);
        }

        if (NotAtRest() is { Count: > 0 } wrong) return wrong;
        return World.Options.Seed % 4 == 0 ? await WithoutPortalAsync() : [];
    }

    private List<string> NotAtRest() => [.. AtRest.Faults(World), .. AtRest.Wishes(World)];

    /// <summary>What is in sync keeps itself alive while nobody beats.</summary>
    private async Task<IReadOnlyList<string>> WithoutPortalAsync()
    {
        var ran = World.Database.Instances.Where(i => World.Truth.Executing(i.Id) is not null).ToList();
        World.CrashPortal();
        await World.DelayAsync(TimeSpan.FromSeconds(20));
        return [.. ran.Where(i => World.Truth.Executing(i.Id) is null).Select(i => $"{i.Name} stopped because the portal was away ({i.Generation}).")];
    }
}
