// wm node maintenance: on, off, plan.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class NodeMaintenance
{
    public static Command Command(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The node."), Parts.Reason(), Parts.NoWait());
        var what = Parts.Choice("WHAT", "on: its instances move away live and nothing new is placed there; off: it is a node like any other again; plan: show what would happen.", "on", "off", "plan");
        var back = new Option<bool>("--return") { Description = "With on: what moves away comes back by itself after off." };
        var rebuild = new Option<bool>("--rebuild") { Description = "With on: copies on it are made on other nodes as soon as it is silent, rather than after the cluster's time." };
        return new Command("maintenance", "Set a node aside while it is worked on, or take that back.").Does(around, async run =>
        {
            var path = $"nodes/{Parts.Path(run.Get(name))}/maintenance";
            if (run.Get(what) == "plan") { await run.ShowAsync(path, CliJson.Default.MaintenancePlanView, plan => Write(run, plan)); return; }
            var body = new MaintenanceRequest(run.Get(what) == "on") { Return = run.Get(back), Rebuild = run.Get(rebuild), Reason = run.Get(reason) };
            var job = await run.Portal.PostAsync(path, body, CliJson.Default.MaintenanceRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, what, back, rebuild, reason, noWait);
    }

    public static string? Text(NodeMaintenanceView? m, TimeProvider clock) => m is null ? null
        : m.Ending ? "ends; instances are coming back"
        : $"since {Cli.Text.Time(m.Since, clock)} by {m.By} ({m.Why}){(m.Return ? "; instances come back afterwards" : "")}{(m.Rebuild ? "; copies are made elsewhere when it is silent" : "")}";

    private static void Write(Invocation run, MaintenancePlanView plan)
    {
        var table = new Table("INSTANCE", "FROM", "TO", "HOW", "WHY");
        foreach (var m in plan.Leave.Concat(plan.Return)) { table.Row(m.Instance, m.From, m.To ?? "-", m.How, $"{m.Why} {m.Remedy}".Trim()); }
        table.Write(run.Around, $"No instance runs on {plan.Node}.");
        if (plan.Copies.Count > 0) { run.Say($"With one copy only while {plan.Node} is away: {string.Join(", ", plan.Copies)}"); }
        if (plan.Refused is { } refused) { run.Say($"{refused} {plan.Remedy}".Trim()); }
    }
}
