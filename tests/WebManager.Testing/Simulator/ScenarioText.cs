// Reads a scenario's text, with a clear word for each mistake, and writes one.
using System.Globalization;
using System.Text;
using WebManager.Contracts;

namespace WebManager.Testing.Simulator;

internal sealed class ScenarioReader(string name)
{
    private readonly List<string> _nodes = [];
    private readonly List<ScenarioPlace> _places = [];
    private readonly List<ScenarioInstance> _instances = [];
    private readonly Dictionary<string, double> _rates = [];
    private readonly List<ScenarioFault> _given = [];
    private readonly List<ScenarioEvent> _expected = [];
    private readonly List<ScenarioEnd> _end = [];
    private Scenario _scenario = new() { Name = name };

    public Scenario Read(string text)
    {
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
                else if (part == 1 && words is ["end", var at]) (part, _scenario) = (2, _scenario with { EndAt = Number(at) });
                else if (part == 0) ReadStart(words);
                else if (part == 1) _expected.Add(ReadEvent(words, i + 1));
                else if (line == "all as wanted") _scenario = _scenario with { AllAsWanted = true };
                else _end.Add(ReadEnd(words, i + 1));
            }
            catch (FormatException wrong)
            {
                throw new FormatException($"{name}, line {i + 1}: {wrong.Message}\n    {lines[i]}");
            }
        }

        if (part < 2) throw new FormatException($"{name}: it has no \"{(part == 0 ? "---" : "end SECONDS")}\" line.");
        return _scenario with { Nodes = _nodes, Places = _places, Instances = _instances, Rates = _rates, Given = _given, Expected = _expected, End = _end };
    }

    private void ReadStart(string[] words)
    {
        switch (words)
        {
            case ["nodes", .. var names] when names.Length > 0: _nodes.AddRange(names); break;
            case ["group" or "location", var value, .. var there] when there.Length > 0: _places.Add(new ScenarioPlace(words[0], value, there)); break;
            case ["seed", var seed]: _scenario = _scenario with { Seed = (int)Number(seed) }; break;
            case ["rate", var who, var rate]: _rates[who] = Number(rate); break;
            case ["slow", var part, var seconds]: _scenario = _scenario with { SlowPart = Number(part), SlowSeconds = Number(seconds) }; break;
            case ["late", var part]: _scenario = _scenario with { LatePart = Number(part) }; break;
            case ["pace", var pace]: _scenario = _scenario with { Pace = Number(pace) }; break;
            case ["stuck", var part]: _scenario = _scenario with { StuckPart = Number(part) }; break;
            case ["no", "freeze"]: _scenario = _scenario with { Freezes = false }; break;
            case ["restarts", var limit, var seconds]: _scenario = _scenario with { RestartLimit = (int)Number(limit), RestartSeconds = Number(seconds) }; break;
            case [var instance, "mirror" or "file" or "diskless", var where, .. var more]: _instances.Add(ReadInstance(instance, words[1], where, more)); break;
            case [var at, "when", var kind, var subject, var delay, var word, .. var args]:
                _given.Add(new ScenarioFault(Number(at), Known(word, args), args, new ScenarioMoment(kind, subject, Number(delay))));
                break;
            case [var at, var word, .. var args] when char.IsDigit(at[0]): _given.Add(new ScenarioFault(Number(at), Known(word, args), args)); break;
            default: throw new FormatException("Expected \"nodes …\", \"group NAME NODES …\", \"location TAG NODES …\", \"NAME mirror P/S\", \"NAME file|diskless P\", \"seed N\", \"rate WHO R\", \"slow PART SECONDS\", \"late PART\", \"pace N\", \"stuck PART\", \"no freeze\", \"restarts LIMIT SECONDS\", \"SECONDS FAULT …\" or \"SECONDS when KIND SUBJECT DELAY FAULT …\".");
        }
    }

    private static string Known(string word, string[] args) => Faults.Fits(word, args) ? word : throw new FormatException(Faults.Words.TryGetValue(word, out var form)
        ? $"\"{word}\" is followed by: {form.Args}."
        : $"\"{word}\" is no fault. There are: {string.Join(", ", Faults.Words.Keys)}.");

    internal static ScenarioInstance ReadInstance(string name, string template, string where, string[] more)
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
        [var instance, var status] => new ScenarioEnd(instance, status, null, null, line),
        [var instance, var status, var node] => new ScenarioEnd(instance, status, node, null, line),
        [var instance, var status, var node, var mirror] => new ScenarioEnd(instance, status, node, mirror, line),
        _ => throw new FormatException("Expected \"INSTANCE STATUS [NODE [MIRROR]]\" or \"all as wanted\"."),
    };

    private static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new FormatException($"\"{text}\" is no number.");
}

/// <summary>The text that gives the same scenario when it is read.</summary>
public static class ScenarioText
{
    public static string Of(Scenario scenario)
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"nodes {string.Join(' ', scenario.Nodes)}");
        foreach (var p in scenario.Places) Line($"{p.Word} {p.Value} {string.Join(' ', p.Nodes)}");
        foreach (var i in scenario.Instances) Line($"{i.Name} {Camel(i.Template)} {i.Primary}{(i.Secondary is null ? "" : "/" + i.Secondary)}{(i.Quiet ? " quiet" : "")}");
        foreach (var (who, rate) in scenario.Rates) Line($"rate {who} {rate}");
        Line($"seed {scenario.Seed}");
        if (scenario.SlowPart > 0) Line($"slow {scenario.SlowPart} {scenario.SlowSeconds}");
        Line($"late {scenario.LatePart}");
        if (scenario.Pace is not 1) Line($"pace {scenario.Pace}");
        if (scenario.StuckPart > 0) Line($"stuck {scenario.StuckPart}");
        if (!scenario.Freezes) Line($"no freeze");
        if (scenario.RestartLimit is { } limit) Line($"restarts {limit} {scenario.RestartSeconds}");
        foreach (var f in scenario.Given) Line($"{f.At,6} {(f.When is { } w ? string.Create(CultureInfo.InvariantCulture, $"when {w.Kind} {w.Subject} {w.Delay} ") : "")}{string.Join(' ', [f.Word, .. f.Args])}");
        Line($"---");
        foreach (var e in scenario.Expected) Line($"{(e.Latest is { } at ? string.Create(CultureInfo.InvariantCulture, $"{at}") : "never")} {e.Kind} {e.Subject} {e.From} -> {e.To}");
        Line($"end {scenario.EndAt}");
        foreach (var e in scenario.End) Line($"{string.Join(' ', new[] { e.Instance, e.Status, e.Node, e.Mirror }.OfType<string>())}");
        if (scenario.AllAsWanted) Line($"all as wanted");
        return text.ToString();
    }

    private static string Camel(DiskTemplate template) => template.ToString().ToLowerInvariant();
}
