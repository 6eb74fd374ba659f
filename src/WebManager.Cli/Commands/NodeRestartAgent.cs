// wm node restart-agent: a node's agent, or all of them one after the other, as the program that is installed by now.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class NodeRestartAgent
{
    public static Command Command(Surroundings around)
    {
        var (reason, noWait) = (Parts.Reason(), Parts.NoWait());
        var name = new Argument<string?>("NAME") { Description = "The node; left out with --all.", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => null };
        var all = new Option<bool>("--all") { Description = "Every node that was not set offline, one after the other; ends at the first that fails." };
        var timeout = new Option<int?>("--timeout") { Description = "How many seconds the node may be silent before it counts as lost, 5 to 120; 20 if left out.", HelpName = "SECONDS" };
        return new Command("restart-agent", "Restart a node's agent as the program that is installed there by now; its guests run on.").Does(around, async run =>
        {
            var body = new RestartAgentRequest { TimeoutSeconds = run.Get(timeout), Reason = run.Get(reason) };
            if (run.Get(all) == (run.Get(name) is not null)) { throw new WmException(ExitCode.Usage, "Name one node, or give --all."); }
            if (run.Get(all) && run.Get(noWait)) { throw new WmException(ExitCode.Usage, "--all waits for each node before the next; leave --no-wait out."); }
            foreach (var node in run.Get(name) is { } one ? [one] : await NamesAsync(run))
            {
                if (run.Get(all) && !run.Json) { run.Say($"{node}:"); }
                var job = await run.Portal.PostAsync($"nodes/{Parts.Path(node)}/restart-agent", body, CliJson.Default.RestartAgentRequest, CliJson.Default.JobAccepted, run.Ct);
                await JobFollower.FollowAsync(run, job, run.Get(noWait));
            }
        }, name, all, timeout, reason, noWait);
    }

    private static async Task<IReadOnlyList<string>> NamesAsync(Invocation run) =>
        [.. (await run.Portal.GetAsync("nodes", CliJson.Default.NodeViewArray, run.Ct)).Value.Where(n => n.Health != "offline").Select(n => n.Name)];

    public static bool Differs(NodeView n) => n.KeeperOlder || (n.Version is { } version && n.PortalVersion is { } portal && version != portal);

    public static string Health(NodeView n) => n.AgentRestart is not null ? $"{n.Health}, agent restarts" : n.Maintenance is { Ending: false } ? $"{n.Health}, maintenance" : n.Health;

    public static string? Agent(NodeView n) => n.Version is { } version && n.PortalVersion is { } portal && version != portal ? $"version {version}; the portal is {portal}" : n.Version;

    public static string? Restarting(NodeView n) => n.AgentRestart is { } r ? $"is being restarted for {r.By} (job {r.Job}); the node may be silent for {r.TimeoutSeconds} s" : null;

    public static string? Keeper(NodeView n) => n.KeeperOlder ? $"runs version {n.KeeperVersion} until its guests have left (maintenance); then it is replaced with the agent" : n.KeeperVersion;
}
