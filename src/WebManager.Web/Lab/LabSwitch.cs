// Cuts and heals the lab's cables in the host's bridge. The kernel remembers; a portal that starts anew reads the cuts from there.
using System.ComponentModel;
using WebManager.Contracts;

namespace WebManager.Web.Lab;

internal sealed class LabSwitch(LabIdentity lab) : IDisposable
{
    /// <summary>Nodes that come up at the same time each heal their own cuts.</summary>
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private volatile LabCuts _cuts = LabCuts.None;

    public LabCuts Cuts => _cuts;

    public async Task ReadAsync(CancellationToken ct)
    {
        if (lab.Wires != LabWires.Namespaces) return;
        var listed = await NftAsync(["-j", "list", "table", "bridge", lab.Bridge], ct);
        _cuts = listed is { Ok: true } ? LabCuts.Parse(listed.Output) : LabCuts.None;
    }

    public async Task<Outcome<Done>> ChangeAsync(Func<LabCuts, Outcome<LabCuts>> change, CancellationToken ct)
    {
        await _oneAtATime.WaitAsync(ct);
        try
        {
            var wanted = change(_cuts);
            return wanted.Ok ? await SetAsync(wanted.Value, ct) : wanted.Refusal;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Nothing to change: nothing is asked of the kernel.</summary>
    private async Task<Outcome<Done>> SetAsync(LabCuts cuts, CancellationToken ct)
    {
        if (cuts.Nodes.SetEquals(_cuts.Nodes) && cuts.Pairs.SetEquals(_cuts.Pairs)) return Done.Value;
        if (lab.Wires != LabWires.Namespaces)
            return new Refusal("lab.cut.no-wires", "This lab's nodes are addresses of this machine's loopback network, which has no wires to cut.", "Run the portal as root with a new data folder: then its nodes are network namespaces.");
        var done = await NftAsync([cuts.Script(lab)], ct);
        if (done is null) return new Refusal("lab.cut.no-nft", "There is no program nft, which cuts the lab's wires.", "apt-get install nftables");
        if (!done.Ok) return new Refusal("lab.cut.failed", $"nft could not change the bridge's rules: {done.Error.Trim()}", "The kernel needs nf_tables for bridges (CONFIG_NF_TABLES_BRIDGE).");
        _cuts = cuts;
        return Done.Value;
    }

    /// <summary>Null: there is no such program.</summary>
    private static async Task<CommandResult?> NftAsync(string[] arguments, CancellationToken ct)
    {
        try
        {
            return await LabCommand.RunAsync("nft", arguments, ct);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
    public void Dispose() => _oneAtATime.Dispose();
}
