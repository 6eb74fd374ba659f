using WebManager.Contracts;

namespace WebManager.Agent.Host;

/// <summary>A command line taken apart: verb, words, --name value. Small on purpose: a returning agent has two seconds, a parser library takes some of them.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _options = [];

    public string Verb { get; private init; } = "";
    public IReadOnlyList<string> Words { get; private set; } = [];

    public string? this[string option] => _options.GetValueOrDefault(option);

    public static Outcome<Arguments> Parse(string[] args, IReadOnlyDictionary<string, (int Words, string[] Options)> verbs)
    {
        if (args.Length == 0) return Wrong("A verb is missing: " + string.Join(", ", verbs.Keys) + ".");
        if (!verbs.TryGetValue(args[0], out var verb)) return Wrong($"'{args[0]}' is no verb; there are {string.Join(", ", verbs.Keys)}.");
        var parsed = new Arguments { Verb = args[0] };
        var words = new List<string>();
        for (var i = 1; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal)) words.Add(args[i]);
            else if (!verb.Options.Contains(args[i][2..])) return Wrong($"'{args[0]}' has no option {args[i]}; it has {string.Join(", ", verb.Options.Select(o => "--" + o))}.");
            else if (i + 1 == args.Length) return Wrong($"{args[i]} needs a value.");
            else parsed._options[args[i][2..]] = args[++i];
        }

        if (words.Count != verb.Words) return Wrong($"'{args[0]}' takes {verb.Words} words besides its options, not {words.Count}.");
        parsed.Words = words;
        return parsed;
    }

    private static Refusal Wrong(string text) => new("arguments", text);
}
