// Carries faults out on the running lab, measures what a dead node's instances need to come back, and repairs everything afterwards.
using System.Globalization;
using System.Text;
using WebManager.Contracts.Api;
using WebManager.Testing.E2E;

namespace WebManager.Soak;

internal sealed class Faults(PortalProcess portal, Random random)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);
    private readonly StringBuilder _said = new();
    private bool _others;

    /// <summary>What is worth a line.</summary>
    public string Said => _said.ToString();

    /// <summary>The times from a node's death to the first line of each of its instances elsewhere; only where nothing else was broken.</summary>
    public async Task<IReadOnlyList<TimeSpan>> DoAsync(Fault fault)
    {
        var alone = !_others;
        _others = true;
        switch (fault.Kind)
        {
            case Kind.KillNode when alone && portal.Pid is not null: return await KillMeasuredAsync(fault.Node);
            case Kind.KillNode: KillAll(fault.Node, _ => true); break;
            case Kind.KillAgent: KillAll(fault.Node, p => p.IsAgent); break;
            case Kind.KillKeeper: KillAll(fault.Node, p => p.IsKeeper); break;
            case Kind.KillGuest: KillOneGuest(fault.Node); break;
            case Kind.KillPortal: await portal.KillAsync(); break;
            case Kind.FreezeNode: await LabAsync(fault, () => portal.Api.LabAsync(fault.Node, "freeze")); break;
            case Kind.CutNode: await LabAsync(fault, () => portal.Api.CutAsync(fault.Node)); break;
            case Kind.CutPair: await LabAsync(fault, () => portal.Api.CutAsync(fault.Node, fault.Other)); break;
        }
        return [];
    }

    /// <summary>The lab's verbs go through the portal; one that was killed before is started for that.</summary>
    private async Task LabAsync(Fault fault, Func<Task<LabView>> act)
    {
        if (portal.Pid is null) await portal.BeginAsync(healthy: false);
        // An earlier fault may have left nothing to freeze.
        try { await act(); }
        catch (ApiException e) when (fault.Kind == Kind.FreezeNode && e.Message.Contains("lab.down", StringComparison.Ordinal)) { _said.Append(CultureInfo.InvariantCulture, $"({fault.Node} was down) "); }
    }

    /// <summary>Without the portal: what it pulls, it pulls the same way.</summary>
    private void KillAll(string node, Func<NodeProcess, bool> which)
    {
        while (portal.Nodes.All(node).Where(which).OrderBy(p => p.IsGuest || p.IsExport).ToList() is { Count: > 0 } left)
        {
            foreach (var process in left) NodeProcesses.Kill(process.Pid);
            // Agents start keepers anew at once; one death of each is the fault.
            if (left.All(p => p.IsKeeper)) return;
        }
    }

    private void KillOneGuest(string node)
    {
        var guests = portal.Nodes.All(node).Where(p => p.IsGuest).OrderBy(p => p.Pid).ToList();
        if (guests.Count == 0) { _said.Append("(no guest there) "); return; }
        NodeProcesses.Kill(guests[random.Next(guests.Count)].Pid);
    }

    private async Task<IReadOnlyList<TimeSpan>> KillMeasuredAsync(string node)
    {
        var there = (await portal.Api.InstancesAsync()).Where(i => i.Primary == node)
            .Select(i => (Instance: i, Next: portal.Serial(i.Secondary!, i.Id), From: portal.Serial(i.Secondary!, i.Id).End, Guest: portal.Nodes.Guest(i.Id))).ToList();
        var gone = there.Where(t => t.Guest is not null).ToDictionary(t => t.Instance.Id, t => NodeProcesses.GoneAsync(t.Guest!.Pid, s_limit));
        await portal.Api.LabAsync(node, "kill");
        var times = new List<TimeSpan>();
        var back = await Task.WhenAll(there.Where(t => t.Guest is not null).Select(async t => await t.Next.BootedAsync(t.From, s_limit) - await gone[t.Instance.Id]));
        times.AddRange(back);
        if (times.Count > 0) _said.Append(CultureInfo.InvariantCulture, $"back after {string.Join(" ", times.Order().Select(t => t.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)))} s, ");
        return times;
    }

    public async Task RepairAsync()
    {
        if (portal.Pid is null) await portal.BeginAsync(healthy: false);
        await portal.Api.HealAsync();
        foreach (var node in SoakRun.Nodes) await portal.Api.LabAsync(node, "thaw");
        foreach (var node in SoakRun.Nodes)
            await Until.TrueAsync(async () => (await portal.Api.LabAsync(node, "start")).Nodes.Any(n => n.Name == node && n.State == "running"), s_limit, $"{node} runs", TimeSpan.FromMilliseconds(200));
        await ReleaseAsync();
    }

    /// <summary>Several nodes lost at once freeze recovery until an administrator says go: that is us here.</summary>
    private async Task ReleaseAsync()
    {
        if ((await portal.Api.GetAsync<ClusterView>("cluster")).FrozenAt is null) return;
        _said.Append("(was frozen) ");
        await portal.Api.SucceedsAsync(UnfreezeAsync());
    }

    private async Task<long> UnfreezeAsync() => (await portal.Api.PostAsync<JobAccepted>("cluster/unfreeze")).Job;
}
