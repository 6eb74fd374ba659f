// The whole command: parse, run, say what went wrong, choose the exit code.
using System.CommandLine;
using WebManager.Cli.Commands;

namespace WebManager.Cli;

public static class WmApp
{
    /// <summary>The tree of all commands.</summary>
    public static Command Root(Surroundings around)
    {
        var root = new RootCommand("WebManager's command line: talks to the portal's REST API.").With(
            SessionCommands.Login(around), SessionCommands.Logout(around), ClusterCommands.Cluster(around), NodeCommands.Node(around), GroupCommands.Group(around), InstanceCommands.Instance(around),
            UserGroupCommands.UserGroup(around), GrantCommands.Grant(around), GrantCommands.Rights(around), QuotaCommands.Quota(around), RequestCommands.Request(around), RequestCommands.SshKey(around),
            TemplateCommands.Template(around), SearchCommands.Search(around), JobCommands.Job(around), ClusterCommands.Event(around), ClusterCommands.Image(around), LabCommands.Lab(around),
            UserCommands.User(around), TokenCommands.Token(around), BackupCommands.Backup(around), BackupCommands.Restore(around), AuditCommands.Audit(around), DebugCommands.Debug(around));
        root.Options.Add(Invocation.UrlOption);
        root.Options.Add(Invocation.JsonOption);
        root.Options.Add(Invocation.PriorityOption);
        root.Options.Add(Invocation.DependsOption);
        return root;
    }

    public static async Task<int> RunAsync(string[] args, Surroundings around, CancellationToken ct = default)
    {
        var typed = Root(around).Parse(args.Length == 0 ? ["--help"] : args);
        if (typed.Errors.Count > 0) return SayUsage(typed, around.Error);
        try
        {
            return await typed.InvokeAsync(new InvocationConfiguration { Output = around.Out, Error = around.Error, EnableDefaultExceptionHandler = false }, ct);
        }
        catch (WmException failure)
        {
            failure.Print(around.Error);
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            around.Error.WriteLine("wm: interrupted.");
            return ExitCode.Interrupted;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            new WmException(ExitCode.Refused, e.Message).Print(around.Error);
            return ExitCode.Refused;
        }
    }

    private static int SayUsage(ParseResult typed, TextWriter error)
    {
        foreach (var message in typed.Errors.Select(e => e.Message).Distinct()) error.WriteLine($"wm: {Text.Plain(message)}");
        var path = new Stack<string>();
        for (var at = typed.CommandResult; at is not null; at = at.Parent as System.CommandLine.Parsing.CommandResult)
            path.Push(at.Command is RootCommand ? "wm" : at.Command.Name);
        error.WriteLine($"  What is allowed: {string.Join(' ', path)} --help");
        return ExitCode.Usage;
    }
}
