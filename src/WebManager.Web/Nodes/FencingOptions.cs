// Section Engine:Fencing: which program powers a node off out of band, and how long it may take.
using Microsoft.Extensions.Options;

namespace WebManager.Web.Nodes;

/// <summary>A program by its full path and its arguments; {node} in an argument stands for the node's name, nothing else is replaced.</summary>
public class PowerCommand
{
    public string Program { get; set; } = "";
    public IList<string> Arguments { get; set; } = [];
}

/// <summary>The command for every node (Program empty: none) and, under Nodes, those that differ by node name.</summary>
public sealed class FencingOptions : PowerCommand
{
    public TimeSpan Limit { get; set; } = TimeSpan.FromSeconds(10);
    public IDictionary<string, PowerCommand> Nodes { get; set; } = new Dictionary<string, PowerCommand>(StringComparer.Ordinal);

    /// <summary>Null: no command is set up for this node.</summary>
    public PowerCommand? Of(string node) => Nodes.TryGetValue(node, out var own) ? (own.Program.Length > 0 ? own : null) : Program.Length > 0 ? this : null;
}

/// <summary>A wrong setting ends the portal's start with its name, rather than the one night the command is needed.</summary>
internal sealed class FencingCheck : IValidateOptions<FencingOptions>
{
    public ValidateOptionsResult Validate(string? name, FencingOptions options)
    {
        var wrong = new List<string>();
        if (options.Limit < TimeSpan.FromSeconds(0.1) || options.Limit > TimeSpan.FromMinutes(10)) { wrong.Add("Engine:Fencing:Limit is to be between 0.1 seconds and 10 minutes."); }
        wrong.AddRange(Of("Engine:Fencing", options));
        foreach (var (node, command) in options.Nodes) { wrong.AddRange(Of($"Engine:Fencing:Nodes:{node}", command)); }
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static IEnumerable<string> Of(string where, PowerCommand command)
    {
        if (command.Program.Length == 0)
        {
            if (command.Arguments.Count > 0) { yield return $"{where}:Arguments are given without a Program."; }
            yield break;
        }
        if (!Path.IsPathFullyQualified(command.Program)) { yield return $"{where}:Program is to be a full path, like /usr/sbin/ipmitool."; }
        else if (!File.Exists(command.Program)) { yield return $"{where}:Program {command.Program} does not exist."; }
        foreach (var argument in command.Arguments)
        {
            if (argument.Any(char.IsControl)) { yield return $"{where}:Arguments must not have control characters."; }
            var rest = argument.Replace("{node}", "", StringComparison.Ordinal);
            if (rest.Contains('{') || rest.Contains('}')) { yield return $"{where}:Arguments: only {{node}} may stand in braces, not as in {argument}."; }
        }
    }
}
