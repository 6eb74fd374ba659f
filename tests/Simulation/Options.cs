// The program's arguments.
using System.Globalization;
using WebManager.Testing.Simulator;

namespace WebManager.Simulation;

public sealed record Options
{
    public const string Usage = """
        Usage: --seeds N [--first S] [--bias ID] [--jobs K] [--without RULE] [--keep FOLDER]
               --replay FILE
          --seeds N       how many random histories
          --first S       the first seed (1)
          --bias ID       only patterns around this schedule (H1 ... H20, S20 ...); otherwise any, and uniform ones
          --jobs K        histories at a time (1)
          --without RULE  with this rule of RuleSwitches off: shows what it is there for
          --keep FOLDER   where the histories of failing seeds go (the temporary folder)
          --replay FILE   plays a scenario file and prints its history
        """;

    public int Seeds { get; private init; }
    public int First { get; private init; } = 1;
    public string? Bias { get; private init; }
    public int Jobs { get; private init; } = 1;
    public string? Without { get; private init; }
    public string Keep { get; private init; } = Path.GetTempPath();
    public string? Replay { get; private init; }

    public static (Options?, string Mistake) Read(string[] args)
    {
        var options = new Options();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length) return (null, $"{args[i]} is followed by a value.");
            var (next, mistake) = options.With(args[i], args[i + 1]);
            if (next is null) return (null, mistake);
            options = next;
        }

        return options.Seeds > 0 || options.Replay is not null ? (options, "") : (null, "--seeds is missing.");
    }

    private (Options?, string) With(string name, string value)
    {
        var number = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1;
        return name switch
        {
            "--seeds" when number > 0 => (this with { Seeds = number }, ""),
            "--first" when number >= 0 => (this with { First = number }, ""),
            "--jobs" when number > 0 => (this with { Jobs = number }, ""),
            "--seeds" or "--first" or "--jobs" => (null, $"{name}: \"{value}\" is no such number."),
            "--bias" when Drawing.BiasIds.Contains(value) => (this with { Bias = value }, ""),
            "--bias" => (null, $"--bias: there are {string.Join(", ", Drawing.BiasIds)}."),
            "--without" when Drawing.RuleNames.Contains(value) => (this with { Without = value }, ""),
            "--without" => (null, $"--without: there are {string.Join(", ", Drawing.RuleNames)}."),
            "--keep" => (this with { Keep = value }, ""),
            "--replay" => (this with { Replay = value }, ""),
            _ => (null, $"{name} is no option."),
        };
    }
}
