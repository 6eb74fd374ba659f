// The whole run: six counting instances, one round after the other; after each round all is repaired, and what was promised is compared with what is there.
using System.Globalization;
using WebManager.Contracts.Api;
using WebManager.Testing.E2E;

namespace WebManager.Soak;

internal sealed class SoakRun(PortalProcess portal, int seed) : IAsyncDisposable
{
    public static readonly string[] Nodes = ["n1", "n2", "n3"];
    private static readonly TimeSpan s_whole = TimeSpan.FromMinutes(4);
    private readonly Random _random = new(seed);
    private readonly List<Watched> _instances = [];
    private readonly List<string> _lost = [];
    private readonly List<string> _double = [];
    private readonly List<TimeSpan> _recovered = [];
    private Sightings? _sightings;

    private sealed record Watched(string Name, Guid Id, BeatLedger Ledger);

    /// <summary>True: nothing lost, nothing twice. Says each round on a line, and the counts on the last.</summary>
    public async Task<bool> RunAsync(int faults)
    {
        var done = 0;
        try
        {
            await PrepareAsync();
            while (done < faults)
            {
                var round = Round.Choose(_random, faults - done);
                await RoundAsync(done + 1, round);
                done += round.Faults.Count;
            }
        }
        catch (Exception e) when (e is TimeoutException or ApiException or HttpRequestException or IOException or InvalidOperationException)
        {
            Console.WriteLine($"The run stopped: {e.Message}");
            await Evidence.KeepAsync(portal, seed);
            Summary(done);
            return false;
        }
        foreach (var finding in _lost.Concat(_double)) Console.WriteLine($"FOUND: {finding}");
        if (_lost.Count + _double.Count > 0) await Evidence.KeepAsync(portal, seed);
        Summary(done);
        return _lost.Count + _double.Count == 0;
    }

    /// <summary>Every pair of nodes, in both directions.</summary>
    private async Task PrepareAsync()
    {
        var pairs = Nodes.SelectMany(p => Nodes.Where(s => s != p).Select(s => (Primary: p, Secondary: s))).ToList();
        var jobs = new List<long>();
        for (var i = 0; i < pairs.Count; i++)
            jobs.Add(await portal.Api.CreateAsync(new CreateInstanceRequest($"soak{i + 1}", "tiny-linux", 1, 96, "mirror", [64])
            {
                Primary = pairs[i].Primary, Secondary = pairs[i].Secondary, OsParams = new Dictionary<string, string> { ["beat"] = "on" },
            }));
        foreach (var job in jobs)
            if (await portal.Api.EndOfAsync(job, s_whole) is { Status: not "success" } failed) throw new ApiException($"{failed.Summary}: {failed.Error}");
        foreach (var i in await portal.Api.InstancesAsync()) _instances.Add(new Watched(i.Name, i.Id, new BeatLedger(portal, i.Id, Nodes)));
        _sightings = new Sightings(portal.Nodes, _double);
        await WholeAsync();
    }

    private async Task RoundAsync(int number, Round round)
    {
        var began = NodeProcesses.SinceBoot();
        Console.Write(string.Create(CultureInfo.InvariantCulture, $"{number,4} {round}: "));
        var faults = new Faults(portal, new Random(_random.Next()));
        foreach (var fault in round.Faults)
        {
            await Task.Delay(fault.After);
            _recovered.AddRange(await faults.DoAsync(fault));
        }
        await Task.Delay(round.Lasts);
        await faults.RepairAsync();
        await WholeAsync();
        var findings = await CheckAsync();
        Console.WriteLine($"{faults.Said}whole again after {(NodeProcesses.SinceBoot() - began).TotalSeconds:0.0} s{findings}");
    }

    /// <summary>All nodes online, every instance running and in sync, and counting.</summary>
    private async Task WholeAsync()
    {
        await portal.AllOnlineAsync(Nodes.Length);
        IReadOnlyList<InstanceView> all = [];
        try
        {
            await Until.TrueAsync(async () => (all = await portal.Api.InstancesAsync()).Count == _instances.Count && all.All(i => i is { Status: "running", Mirror: "inSync" }), s_whole, "all is running and in sync", TimeSpan.FromMilliseconds(200));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{string.Join('\n', all.Where(i => i is not { Status: "running", Mirror: "inSync" }))}", e);
        }
        foreach (var i in all)
        {
            var (serial, from) = (portal.Serial(i), portal.Serial(i).LastBeat());
            await Until.TrueAsync(() => serial.LastBeat() > from, TimeSpan.FromSeconds(60), $"{i.Name} counts in {serial.Path}: {string.Join(" | ", serial.Lines().TakeLast(3))}", TimeSpan.FromMilliseconds(100));
        }
    }

    private async Task<string> CheckAsync()
    {
        var text = "";
        foreach (var view in await portal.Api.InstancesAsync())
        {
            var watched = _instances.Single(w => w.Id == view.Id);
            var found = await watched.Ledger.CheckAsync(view.Primary);
            foreach (var lost in found.Lost.Select(l => $"{view.Name}: {l}").Except(_lost)) { _lost.Add(lost); text += $" LOST {lost}"; }
            lock (_double)
                foreach (var twice in found.Twice.Select(l => $"{view.Name}: {l}").Except(_double)) { _double.Add(twice); text += $" DOUBLE {twice}"; }
        }
        return text;
    }

    private void Summary(int faults)
    {
        var sorted = _recovered.Order().ToList();
        string At(double part) => sorted.Count == 0 ? "-" : sorted[(int)Math.Ceiling(part * sorted.Count) - 1].TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture);
        lock (_double)
            Console.WriteLine($"faults={faults} lost={_lost.Count} double={_double.Count} median={At(0.5)} p95={At(0.95)} max={At(1)}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_sightings is not null) await _sightings.DisposeAsync();
    }
}
