// Draws a scenario from a seed: uniform faults, or patterns around the interesting moments mixed with uniform ones.
using WebManager.Agent.Rules;

namespace WebManager.Testing.Simulator;

public static class Drawing
{
    public static IReadOnlyList<string> BiasIds => [.. Biases.All.Keys];
    public static IReadOnlyList<string> RuleNames => [.. typeof(RuleSwitches).GetProperties().Where(p => p.PropertyType == typeof(bool)).Select(p => p.Name)];

    /// <summary>All rules but one.</summary>
    public static RuleSwitches Without(string rule)
    {
        var switches = RuleSwitches.All with { };
        typeof(RuleSwitches).GetProperty(rule)!.SetValue(switches, false);
        return switches;
    }

    /// <summary>The same seed (and bias) gives the same scenario.</summary>
    /// <param name="bias">An id of <see cref="Biases"/>: every pattern is that one. Null: any, or none.</param>
    public static Scenario Draw(int seed, string? bias = null)
    {
        var draft = new Draft(new Random(seed), forks: (bias is not null && Biases.Forks(bias)) || (bias is null && seed % 6 == 5),
            quiet: bias is "H1" or "H4" or "H5" or "H13" or "H20" or "R4" ? 0.6 : 0.25);
        var random = draft.Random;
        var rates = Rates(draft, bias);
        var biased = bias is not null || random.Next(3) > 0;
        var scenario = new Scenario
        {
            Name = $"seed {seed}", Seed = seed, Nodes = draft.Nodes, Instances = draft.Instances, Rates = rates,
            SlowPart = random.Next(3) switch { 0 => 0, 1 => 0.005, _ => 0.05 },
            SlowSeconds = random.Next(2) == 0 ? 0.8 : 4,
            LatePart = Math.Round(random.NextDouble(), 3),
            Pace = random.Next(10) switch { 0 => 1, 1 or 2 or 3 => 3, _ => 10 },
            StuckPart = random.Next(3) switch { 0 => 0, 1 => 0.1, _ => 0.5 },
            RestartLimit = 1000, RestartSeconds = 0.05,
            Freezes = seed % 4 == 0,   // a freeze keeps promotions from being explored, so few histories know it
        };
        var target = random.Next(2) == 0 ? random.Next(5, 40) : random.Next(40, 160);
        while (draft.Count < target)
        {
            if (!biased) draft.Uniform(random.Next(5, 20));
            else Biased(draft, bias);
            if (draft.Forks && random.Next(3) == 0) Biased(draft, Biases.Forking);
            if (random.Next(3) == 0) draft.Mend();
        }

        draft.Wait(0, 5);
        return scenario with { Given = draft.Given, EndAt = Math.Round(Math.Max(draft.Now, draft.Given.Max(g => g.At)), 3) };
    }

    private static void Biased(Draft draft, string? bias)
    {
        if (draft.Random.Next(10) > 0) draft.Mend();
        Biases.All[bias ?? draft.Pick([.. Biases.All.Keys.Where(k => draft.Forks || !Biases.Forks(k))])].Do(draft, draft.Pick([.. draft.Instances.Where(i => i.Secondary is not null)]).Name);
        if (draft.Random.Next(3) == 0) draft.Uniform(draft.Random.Next(1, 6), longest: 4);
        else draft.Wait(0, 5);
    }

    private static Dictionary<string, double> Rates(Draft draft, string? bias)
    {
        var rates = new Dictionary<string, double>();
        // H20: the widest that R4's margin is made for.
        if (bias == "H20" || draft.Chance(0.1)) return draft.Nodes.ToDictionary(n => n, _ => 0.95).Append(new(SimNetwork.Portal, 1.05)).ToDictionary();
        if (draft.Chance(0.7)) return rates;
        foreach (var who in draft.Nodes.Append(SimNetwork.Portal)) rates[who] = Math.Round(draft.Between(0.95, 1.05), 4);
        return rates;
    }
}
