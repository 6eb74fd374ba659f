// One portal with its lab for all tests that can share it; tests run one at a time and begin with a lab that is whole and empty.
using WebManager.Contracts.Api;
using WebManager.Testing.E2E;
using Xunit;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace WebManager.E2E.Tests.Harness;

[CollectionDefinition(Name)]
public sealed class LabCollection : ICollectionFixture<LabFixture>
{
    public const string Name = "one shared lab";
}

public sealed class LabFixture : IAsyncLifetime
{
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    /// <summary>For what takes a guest's boot or a copy, on a machine that is busy with other things; no acceptance line depends on it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);
    public static readonly string[] NodeNames = ["n1", "n2", "n3"];
    private PortalProcess? _portal;

    public PortalProcess Portal => _portal ?? throw new InvalidOperationException("The lab is not up.");
    public Api Api => Portal.Api;
    public Wm Wm => Portal.Wm;
    public NodeProcesses Processes => Portal.Nodes;

    /// <summary>Nodes fall silent far more often here than any node may that is to be trusted. People may register (SelfServiceWalkTests).</summary>
    private static readonly Dictionary<string, string> s_settings = new() { ["Engine__Recovery__FlapLimit"] = "1000", ["Portal__Registration"] = "true" };

    public async ValueTask InitializeAsync() => _portal = await PortalProcess.StartAsync(settings: s_settings);

    public async ValueTask DisposeAsync()
    {
        if (_portal is not null) await _portal.DisposeAsync();
    }

    /// <summary>Whatever the test before left: portal up, every node online, recovery not frozen, no instances, no maintenance.</summary>
    public async Task FreshAsync()
    {
        if (Portal.Pid is null) await Portal.BeginAsync(healthy: false);
        await Api.HealAsync();
        foreach (var node in NodeNames)
        {
            await Api.LabAsync(node, "thaw");
            await StartAsync(node);
        }
        await Portal.AllOnlineAsync();
        // Two nodes that were silent at once, on a busy machine or by a test, froze it.
        if ((await Api.GetAsync<ClusterView>("cluster")).FrozenAt is not null) await Api.SendAsync(HttpMethod.Post, "cluster/unfreeze");
        foreach (var instance in await Api.InstancesAsync()) await RemoveAsync(instance.Name);
        foreach (var node in (await Api.NodesAsync()).Where(n => n.Maintenance is { Ending: false })) await Api.SendAsync(HttpMethod.Post, $"nodes/{node.Name}/maintenance", new MaintenanceRequest(false));
    }

    public async Task RemoveAsync(string name)
    {
        // A recovery or copy of it may hold its lock; what the watcher does after the removal has begun finds nothing.
        await Until.TrueAsync(async () =>
        {
            if (await Api.FindAsync(name) is null) return true;
            return (await Api.EndOfAsync(await Api.RemoveAsync(name))).Status == "success";
        }, TimeSpan.FromSeconds(60), $"{name} is removed", TimeSpan.FromMilliseconds(500));
    }

    public static CreateInstanceRequest Mirrored(string name, bool beat = true) => new(name, "tiny-linux", 1, 96, "mirror", [64])
    {
        OsParams = beat ? new Dictionary<string, string> { ["beat"] = "on" } : null,
    };

    public static CreateInstanceRequest Diskless(string name) => new(name, "tiny-linux", 1, 96, "diskless", []);

    /// <summary>Made, running and, when mirrored, in sync.</summary>
    public async Task<InstanceView> CreateAsync(CreateInstanceRequest request)
    {
        await Api.SucceedsAsync(Api.CreateAsync(request));
        return await InSyncAsync(request.Name);
    }

    public async Task<InstanceView> InSyncAsync(string name, TimeSpan? limit = null)
    {
        try
        {
            return await Until.SomeAsync(async () => await Api.InstanceAsync(name) is { Status: "running", Mirror: "inSync" or "none" } i ? i : null, limit ?? Patience, $"{name} is running and in sync");
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{await Api.InstanceAsync(name)}\n{Portal.LastLines()}", e);
        }
    }

    /// <summary>Beat has said at least so many numbers on this primary.</summary>
    public Task BeatsAsync(InstanceView at, int more = 5)
    {
        var serial = Portal.Serial(at);
        var from = serial.LastBeat();
        return Until.TrueAsync(() => serial.LastBeat() >= from + more, Patience, $"beat counts in {serial.Path}: {string.Join(" | ", serial.Lines().TakeLast(3))}");
    }

    public async Task BackAsync(string node)
    {
        await StartAsync(node);
        await Portal.AllOnlineAsync();
    }

    /// <summary>A node that is off counts as online until its silence is noticed; started before that, it would seem back before it answers.</summary>
    private async Task StartAsync(string node)
    {
        var lab = await Api.LabAsync();
        if (lab.Nodes.Single(n => n.Name == node).State == "down") await Until.TrueAsync(async () => (await Api.NodeAsync(node)).Health != "online", Soon, $"{node} is found silent");
        await Api.LabAsync(node, "start");
    }
}

/// <summary>Begins each test with a whole and empty lab.</summary>
[Collection(LabCollection.Name)]
public abstract class LabTest(LabFixture lab) : IAsyncLifetime
{
    protected LabFixture Lab => lab;
    protected Api Api => lab.Api;
    protected PortalProcess Portal => lab.Portal;
    protected static void Say(string line) => Print.Line(line);

    public async ValueTask InitializeAsync() => await lab.FreshAsync();

    protected void NeedsWires()
    {
        if (!Directory.Exists($"/sys/class/net/wm{lab.Processes.LabId}")) Assert.Skip("Only a lab of network namespaces has wires to cut; that needs root.");
    }

    /// <summary>A mirrored instance on n1 and n2 that counts, and the book of what it says.</summary>
    protected async Task<(InstanceView At, BeatLedger Ledger)> BeatingAsync(string name, string primary = "n1", string secondary = "n2")
    {
        var at = await lab.CreateAsync(LabFixture.Mirrored(name) with { Primary = primary, Secondary = secondary });
        await lab.BeatsAsync(at);
        return (at, new BeatLedger(Portal, at.Id, LabFixture.NodeNames));
    }

    protected Task<InstanceView> RunsAtAsync(string name, string node, string mirror) => Until.SomeAsync(async () =>
        await Api.InstanceAsync(name) is { Status: "running" } i && i.Primary == node && i.Mirror == mirror ? i : null, LabFixture.Patience, $"{name} runs on {node}, {mirror}");

    /// <summary>It counts on where it is; nothing that was acknowledged is lost, no two guests wrote in turn, and picture and nodes agree.</summary>
    protected async Task CleanAsync(BeatLedger ledger, InstanceView at)
    {
        await lab.BeatsAsync(at);
        var found = await ledger.CheckAsync(at.Primary);
        Say($"{at.Name}: {ledger.Highest} records acknowledged: {found}");
        Assert.True(found.Clean, found.ToString());
        await World.MatchesAsync(Portal);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed) TestContext.Current.TestOutputHelper?.WriteLine(await Evidence.OfAsync(lab.Portal));
        GC.SuppressFinalize(this);
    }
}
