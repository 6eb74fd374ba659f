// A scenario as text: start state and faults, then the events that must follow and the state at the end.
using System.Globalization;
using WebManager.Contracts;

namespace WebManager.Testing.Simulator;

public sealed record ScenarioInstance(string Name, DiskTemplate Template, string Primary, string? Secondary, bool Quiet);
public sealed record ScenarioFault(double At, string Word, IReadOnlyList<string> Args);
public sealed record ScenarioEvent(double? Latest, string Kind, string Subject, string From, string To, int Line);
public sealed record ScenarioEnd(string Instance, string Status, string? Node, string? Mirror, int Line);

/// <summary>
/// <code>
/// # what it shows
/// nodes n1 n2 n3
/// i1 mirror n1/n2 [quiet]         or: i1 diskless n1, i1 file n1
/// rate n1 0.95                    optional: its clock's rate; also portal
/// seed 7                          optional
/// 0  power-off n1                 seconds after everything ran, then a word of Faults
/// ---
/// 2.5  node.health node:n1 online -> suspect      latest time, kind, subject, from, to (- none, * any), in this order
/// never  guest.started i1 * -> n3
/// end 60
/// i1 running n2 inSync            status, where, mirror (* any)
/// </code>
/// </summary>
public sealed class Scenario
{
    public required string Name { get; init; }
    public int Seed { get; private set; } = 1;
    public List<string> Nodes { get; } = [];
    public List<ScenarioInstance> Instances { get; } = [];
    public Dictionary<string, double> Rates { get; } = [];
    public List<ScenarioFault> Given { get; } = [];
    public List<ScenarioEvent> Expected { get; } = [];
    public double EndAt { get; private set; } = -1;
    public List<ScenarioEnd> End { get; } = [];

    public static Scenario Parse(string name, string text)
    {
        var scenario = new Scenario { Name = name };
        var part = 0;
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Split('#')[0].Trim();
            if (line.Length == 0) continue;
            try
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (line == "---") part = 1;
                else if (part == 1 && words is ["end", var at]) (part, scenario.EndAt) = (2, Number(at));
                else if (part == 0) scenario.ReadStart(words);
                else if (part == 1) scenario.Expected.Add(ReadEvent(words, i + 1));
                else scenario.End.Add(ReadEnd(words, i + 1));
            }
            catch (FormatException wrong)
            {
                throw new FormatException($"{name}, line {i + 1}: {wrong.Message}\n    {lines[i]}");
            }
        }

        if (part < 2) throw new FormatException($"{name}: it has no \"{(part == 0 ? "---" : "end SECONDS")}\" line.");
        return scenario;
    }

    private void ReadStart(string[] words)
    {
        switch (words)
        {
            case ["nodes", .. var names] when names.Length > 0: Nodes.AddRange(names); break;
            case ["seed", var seed]: Seed = (int)Number(seed); break;
            case ["rate", var who, var rate]: Rates[who] = Number(rate); break;
            case [var name, "mirror" or "file" or "diskless", var where, .. var more]: Instances.Add(ReadInstance(name, words[1], where, more)); break;
            case [var at, var word, .. var args] when char.IsDigit(at[0]):
                if (!Faults.Fits(word, args)) throw new FormatException(Faults.Words.TryGetValue(word, out var form)
                    ? $"\"{word}\" is followed by: {form}."
                    : $"\"{word}\" is no fault. There are: {string.Join(", ", Faults.Words.Keys)}.");
                Given.Add(new ScenarioFault(Number(at), word, args));
                break;
            default: throw new FormatException("Expected \"nodes …\", \"NAME mirror P/S\", \"NAME file|diskless P\", \"seed N\", \"rate WHO R\" or \"SECONDS FAULT …\".");
        }
    }

    private static ScenarioInstance ReadInstance(string name, string template, string where, string[] more)
    {
        var nodes = where.Split('/');
        var mirrored = template == "mirror";
        if (nodes.Length != (mirrored ? 2 : 1)) throw new FormatException(mirrored ? "A mirrored instance needs PRIMARY/SECONDARY." : "This template has one node only.");
        if (more is not ([] or ["quiet"])) throw new FormatException("After the nodes only \"quiet\" may follow.");
        return new ScenarioInstance(name, Enum.Parse<DiskTemplate>(template, ignoreCase: true), nodes[0], mirrored ? nodes[1] : null, more.Length > 0);
    }

    private static ScenarioEvent ReadEvent(string[] words, int line) => words switch
    {
        [var at, var kind, var subject, var from, "->", var to] => new ScenarioEvent(at == "never" ? null : Number(at), kind, subject, from, to, line),
        _ => throw new FormatException("Expected \"SECONDS KIND SUBJECT FROM -> TO\", \"never KIND SUBJECT FROM -> TO\" or \"end SECONDS\"."),
    };

    private static ScenarioEnd ReadEnd(string[] words, int line) => words switch
    {
        [var name, var status] => new ScenarioEnd(name, status, null, null, line),
        [var name, var status, var node] => new ScenarioEnd(name, status, node, null, line),
        [var name, var status, var node, var mirror] => new ScenarioEnd(name, status, node, mirror, line),
        _ => throw new FormatException("Expected \"INSTANCE STATUS [NODE [MIRROR]]\"."),
    };

    private static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new FormatException($"\"{text}\" is no number.");
}
