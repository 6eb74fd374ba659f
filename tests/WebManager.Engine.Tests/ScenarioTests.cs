// Every file in Scenarios is a test; see Scenario for the form.
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class ScenarioTests
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Scenarios");

    public static TheoryData<string> Files() => new(Directory.GetFiles(Folder, "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Files))]
    public void Scenario_comes_to_its_end(string name)
    {
        var run = new ScenarioRun(Scenario.Parse(name, File.ReadAllText(Path.Combine(Folder, name + ".txt"))));
        var faults = run.Play();
        Assert.True(faults.Count == 0, $"{string.Join('\n', faults)}\n\n{run.World.History}");
    }

    [Theory]
    [InlineData("nodes n1\n0 explode n1\n---\nend 1", "line 2: \"explode\" is no fault")]
    [InlineData("nodes n1\n0 power-off\n---\nend 1", "line 2: \"power-off\" is followed by: node")]
    [InlineData("nodes n1\ni1 mirror n1\n---\nend 1", "line 2: A mirrored instance needs PRIMARY/SECONDARY")]
    [InlineData("nodes n1\n---\nsoon node.health n1 a -> b\nend 1", "line 3: \"soon\" is no number")]
    [InlineData("nodes n1\n---\n", "no \"end SECONDS\" line")]
    [InlineData("whatever", "line 1: Expected \"nodes …\"")]
    public void Mistakes_in_a_scenario_are_named(string text, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => Scenario.Parse("x.txt", text)).Message, StringComparison.Ordinal);
}
