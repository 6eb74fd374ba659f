// Each rule of the nodes is switched off alone: the simulator must notice, or it would not notice an agent that breaks the rule.
using System.Reflection;
using WebManager.Agent.Rules;
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class RuleSwitchTests(ITestOutputHelper output)
{
    [Fact(Explicit = true)]
    public void Search_the_seeds_that_notice_each_rule()
    {
        foreach (var rule in typeof(RuleSwitches).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.PropertyType == typeof(bool)))
        {
            var noticed = Enumerable.Range(1, 60).Select(seed => (Seed: seed, What: Notice(rule.Name, seed))).FirstOrDefault(n => n.What is not null);
            output.WriteLine($"{rule.Name}: {(noticed.What is null ? "not noticed" : $"seed {noticed.Seed}: {noticed.What}")}");
        }
    }

    internal static RuleSwitches Without(string rule)
    {
        var switches = RuleSwitches.All with { };
        typeof(RuleSwitches).GetProperty(rule)!.SetValue(switches, false);
        return switches;
    }

    private static string? Notice(string rule, int seed)
    {
        try
        {
            var faults = new Exploration(seed, Without(rule)).Run();
            return faults.Count == 0 ? null : string.Join(' ', faults);
        }
        catch (Exception broken)
        {
            return broken.Message.Split('\n')[0];
        }
    }
}
