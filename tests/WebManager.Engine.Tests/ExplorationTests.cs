// Random histories by seed. More of them: WEBMANAGER_SIM_SEEDS=1000-3000.
using System.Globalization;
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class ExplorationTests(ITestOutputHelper output)
{
    private static (int From, int To) Seeds()
    {
        var given = Environment.GetEnvironmentVariable("WEBMANAGER_SIM_SEEDS")?.Split('-');
        return given is [var from, var to] ? (int.Parse(from, CultureInfo.InvariantCulture), int.Parse(to, CultureInfo.InvariantCulture)) : (1, 60);
    }

    [Fact]
    public void Random_faults_break_no_invariant_and_all_comes_to_rest()
    {
        var (from, to) = Seeds();
        var wrong = new List<string>();
        for (var seed = from; seed <= to && wrong.Count < 10; seed++)
        {
            if (Problem(seed) is { } problem) wrong.Add(problem);
        }

        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong));
    }

    private string? Problem(int seed)
    {
        var run = new Exploration(seed);
        try
        {
            var faults = run.Run();
            if (faults.Count == 0) return null;
            Keep(seed, run);
            return $"Seed {seed}: {string.Join(' ', faults)}";
        }
        catch (Exception broken)
        {
            Keep(seed, run);
            return $"Seed {seed}: {broken.GetType().Name} {broken.Message.Split('\n')[0]}";
        }
    }

    private void Keep(int seed, Exploration run)
    {
        var file = Path.Combine(Path.GetTempPath(), $"webmanager-sim-{seed}.txt");
        File.WriteAllText(file, run.World.History);
        output.WriteLine($"History of seed {seed}: {file}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Same_seed_gives_the_same_history(int seed)
    {
        string History()
        {
            var run = new Exploration(seed);
            try { run.Run(); }
            catch (InvariantBrokenException) { }
            return run.World.History + run.World.Scheduler.Steps;
        }

        Assert.Equal(History(), History());
    }
}
