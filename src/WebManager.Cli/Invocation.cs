// One run of one command: what was typed, the portal, and where answers go.
using System.CommandLine;
using System.Text.Json.Serialization.Metadata;
using WebManager.Cli.Api;

namespace WebManager.Cli;

public sealed class Invocation(Surroundings around, ParseResult typed, CancellationToken ct) : IDisposable
{
    public static readonly Option<string?> UrlOption = new("--url") { Description = "The portal's address.", Recursive = true, HelpName = "URL" };
    public static readonly Option<bool> JsonOption = new("--json") { Description = "Print the API's JSON.", Recursive = true };

    // Only before the command: instances have a priority of their own.
    public static readonly Option<string?> PriorityOption = Commands.Parts.OneOf("--priority", "Before the command: the priority of the job it files (high is for administrators).", "high", "normal", "low");
    public static readonly Option<string?> DependsOption = new("--depends") { Description = "File the job, and begin it when these have ended (in any way but cancelled, or as named).", Recursive = true, HelpName = "12,13:success+error" };

    private PortalClient? _portal;

    public Surroundings Around { get; } = around;
    public CancellationToken Ct { get; } = ct;
    public bool Json { get; } = typed.GetValue(JsonOption);
    public string? Url { get; } = typed.GetValue(UrlOption);
    public PortalClient Portal => _portal ??= new PortalClient(Access.Find(Around, Url), Terms);

    /// <summary>On which terms jobs are filed, as a query.</summary>
    private string Terms { get; } = string.Join('&', new[] { Term("priority", typed.GetValue(PriorityOption)), Term("depends", typed.GetValue(DependsOption)) }.OfType<string>());

    private static string? Term(string name, string? value) => value is null ? null : $"{name}={Commands.Parts.Path(value)}";

    public T? Get<T>(Option<T> option) => typed.GetValue(option);
    public T Get<T>(Argument<T> argument) => typed.GetRequiredValue(argument);

    /// <summary>Reads and prints: the JSON as it came, or what show makes of it.</summary>
    public async Task ShowAsync<T>(string path, JsonTypeInfo<T> reply, Action<T> show)
    {
        var answer = await Portal.GetAsync(path, reply, Ct);
        if (Json) WriteJson(answer.Json);
        else show(answer.Value);
    }

    public void WriteJson(string json) => Around.Out.WriteLine(json);
    public void Say(string line) => Around.Out.WriteLine(Text.Plain(line));

    /// <summary>Destroying something takes a yes: typed, or given with --yes.</summary>
    public void Confirm(string question, bool yes)
    {
        if (yes) return;
        if (!Around.CanAsk) throw new WmException(ExitCode.Refused, $"{question} Nobody can be asked here, so nothing was done.", remedy: "Give --yes to say yes.");
        Around.Error.Write($"{question} [y/N] ");
        if (Around.In.ReadLine()?.Trim().ToUpperInvariant() is not ("Y" or "YES")) throw new WmException(ExitCode.Refused, "Nothing was done.");
    }

    /// <summary>What cannot be taken back takes the thing's name, typed or given.</summary>
    public void ConfirmTyped(string warning, string name, string? given)
    {
        if (given is null && !Around.CanAsk) throw new WmException(ExitCode.Refused, $"{warning} Nobody can be asked here, so nothing was done.", remedy: $"Give --typed {name} to say so.");
        if (given is null) Around.Error.Write($"{warning} Type {name} to go on: ");
        if ((given ?? Around.In.ReadLine()?.Trim()) != name) throw new WmException(ExitCode.Refused, $"That was not {name}. Nothing was done.");
    }

    /// <summary>A word that a person has to type; where nobody can be asked, the option gives it.</summary>
    public string AskFor(string question, string option)
    {
        if (!Around.CanAsk) throw new WmException(ExitCode.Refused, $"{question.TrimEnd(' ', ':')}: nobody can be asked here, so nothing was done.", remedy: $"Give {option}.");
        Around.Error.Write(question);
        return Around.In.ReadLine()?.Trim() ?? "";
    }

    public void Dispose() => _portal?.Dispose();
}

public static class CommandExtensions
{
    /// <summary>A command with its parts and what it does.</summary>
    public static Command Does(this Command command, Surroundings around, Func<Invocation, Task> action, params Symbol[] parts)
    {
        foreach (var part in parts)
        {
            if (part is Option option) command.Options.Add(option);
            else command.Arguments.Add((Argument)part);
        }
        command.SetAction(async (typed, ct) =>
        {
            using var run = new Invocation(around, typed, ct);
            await action(run);
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command With(this Command parent, params Command[] children)
    {
        foreach (var child in children) parent.Subcommands.Add(child);
        return parent;
    }
}
