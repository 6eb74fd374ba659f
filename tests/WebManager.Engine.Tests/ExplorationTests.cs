// Random histories by seed, a part of what tests/Simulation explores.
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Fact]
    public void Random_faults_break_no_invariant_and_all_comes_to_rest() => Explore(1, seeds: 20);

    /// <summary>With RuleSwitchTests about two minutes of one core.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public void More_random_faults_break_no_invariant_and_all_comes_to_rest() => Explore(1001, seeds: 300);

    private void Explore(int first, int seeds)
    {
        var (faults, wrong) = (0, new List<string>());
        for (var seed = first; seed < first + seeds && wrong.Count < 3; seed++)
        {
            var scenario = Drawing.Draw(seed);
            var result = new Exploration(scenario).Run();
            faults += result.Faults;
            if (result.Violation is not null) wrong.Add(Explain(scenario, result));
        }

        output.WriteLine($"{seeds} seeds, {faults} faults");
        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong));
        Assert.True(faults > seeds * 10, $"Only {faults} faults were done.");
    }

    private static string Explain(Scenario scenario, ExplorationResult result)
    {
        var short_ = Shrinking.Shrink(scenario, result, most: 60).Smallest;
        var again = new Exploration(short_, keepHistory: true);
        var broken = again.Run();
        return $"Seed {scenario.Seed}: {result.Violation}\nShrunk: {broken.Violation}\n{ScenarioText.Of(short_)}\n{again.World.History}";
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Same_seed_gives_the_same_history(int seed)
    {
        var scenario = Drawing.Draw(seed);
        string History()
        {
            var run = new Exploration(scenario, keepHistory: true);
            run.Run();
            return run.World.History + run.World.Scheduler.Steps;
        }

        var history = History();
        Assert.Equal(history, History());
        var quick = new Exploration(Drawing.Draw(seed));
        quick.Run();
        Assert.EndsWith(quick.World.Scheduler.Steps.ToString(System.Globalization.CultureInfo.InvariantCulture), history, StringComparison.Ordinal);
    }
}
