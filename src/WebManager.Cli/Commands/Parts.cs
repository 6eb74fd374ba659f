// Arguments and options that several commands share, and the checks that name the option and what is allowed.
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace WebManager.Cli.Commands;

internal static class Parts
{
    public static Argument<string> Name(string what) => new("NAME") { Description = what };

    public static Argument<long> JobId() => new("ID") { Description = "The job's number.", CustomParser = r => Number(r, "ID", 1, long.MaxValue) };

    public static Option<bool> NoWait() => new("--no-wait") { Description = "Do not wait for the job; print its number." };

    public static Option<bool> Yes() => new("--yes", "-y") { Description = "Do not ask." };

    public static Option<string?> Reason() => new("--reason") { Description = "Why, for the job's history and the audit.", HelpName = "TEXT" };

    public static Option<int?> Int(string name, string help, string unit, int least, int most) =>
        new(name) { Description = help, HelpName = unit, CustomParser = r => (int)Number(r, name, least, most) };

    public static Option<long> Size(string name, string help, bool required) =>
        new(name) { Description = help, HelpName = "SIZE", Required = required, CustomParser = r => SizeOf(r, name, r.Tokens[0].Value) };

    /// <summary>A size, or 0 for none at all.</summary>
    public static Option<long?> SizeOrNone(string name, string help) =>
        new(name) { Description = help, HelpName = "SIZE", CustomParser = r => r.Tokens[0].Value == "0" ? 0 : SizeOf(r, name, r.Tokens[0].Value) };

    public static Option<long[]> Sizes(string name, string help) =>
        new(name) { Description = help, HelpName = "SIZE", CustomParser = r => [.. r.Tokens.Select(t => SizeOf(r, name, t.Value))] };

    public static Option<string?> OneOf(string name, string help, params string[] allowed)
    {
        var option = new Option<string?>(name) { Description = help, HelpName = string.Join('|', allowed) };
        option.Validators.Add(r => Among(r, name, r.Tokens, allowed));
        option.CompletionSources.Add(allowed);
        return option;
    }

    public static Argument<string> Choice(string name, string help, params string[] allowed)
    {
        var argument = new Argument<string>(name) { Description = help, HelpName = string.Join('|', allowed) };
        argument.Validators.Add(r => Among(r, name, r.Tokens, allowed));
        argument.CompletionSources.Add(allowed);
        return argument;
    }

    private static void Among(SymbolResult result, string name, IEnumerable<Token> tokens, string[] allowed)
    {
        foreach (var bad in tokens.Select(t => t.Value).Except(allowed)) result.AddError($"{name}: \"{bad}\" is none of {string.Join(", ", allowed)}.");
    }

    public static Option<string?> Switch(string name, string help) => OneOf(name, help, "on", "off");
    public static Option<string?> YesNo(string name, string help) => OneOf(name, help, "yes", "no");

    /// <summary>0: off.</summary>
    public static Option<int?> OffOrMinutes(string name, string help, int most) => new(name)
    {
        Description = help, HelpName = "off|MINUTES",
        CustomParser = r => r.Tokens is [{ Value: "off" }] ? 0 : (int)Number(r, name, 1, most, "off or "),
    };

    /// <summary>Null: not given.</summary>
    public static bool? IsOn(string? word) => word is null ? null : word is "on" or "yes";

    private static long SizeOf(SymbolResult result, string name, string text)
    {
        if (!Cli.Sizes.TryParse(text, out var mib)) result.AddError($"{name}: \"{text}\" is not allowed; give {Cli.Sizes.Allowed}.");
        return mib;
    }

    private static long Number(ArgumentResult result, string name, long least, long most, string or = "")
    {
        var text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
        var range = most == long.MaxValue ? $"from {least} up" : $"from {least} to {most}";
        result.AddError($"{name}: \"{text}\" is not allowed; give {or}a whole number {range}.");
        return 0;
    }

    /// <summary>The reason as a query, for requests without a body.</summary>
    public static string Why(string? reason) => reason is null ? "" : $"?reason={Path(reason)}";

    public static string Path(string text) => Uri.EscapeDataString(text);
}
