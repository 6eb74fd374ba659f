// The measurements. Clocks start and stop at what happens in the world: a request sent, a process gone, a line in QEMU's log, a text in a page.
using Microsoft.Playwright;
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;

namespace WebManager.Benchmarks;

internal sealed class Measurements(PortalProcess portal) : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private Browser? _browser;

    private Api Api => portal.Api;

    private static CreateInstanceRequest Mirrored(string name) =>
        new(name, "tiny-linux", 1, 96, "mirror", [64]) { OsParams = new Dictionary<string, string> { ["beat"] = "on" } };

    /// <summary>POST of a mirrored instance to its status running in the API's picture.</summary>
    public async Task<Measured> SubmitToRunningAsync(int runs)
    {
        var times = new List<TimeSpan>();
        for (var run = 1; run <= runs; run++)
        {
            var name = $"made{run}";
            var begun = NodeProcesses.SinceBoot();
            var job = await Api.CreateAsync(Mirrored(name));
            await Until.TrueAsync(async () => (await Api.FindAsync(name))?.Status == "running", s_limit, $"{name} runs", TimeSpan.FromMilliseconds(10));
            times.Add(NodeProcesses.SinceBoot() - begun);
            await Api.EndOfAsync(job);
            await RemoveAsync(name);
            Tell("submit-to-running", run, times[^1]);
        }
        return new Measured("submit to running (mirrored, 64 MiB)", times);
    }

    /// <summary>The primary's guest process gone to the first line of the new guest's init.</summary>
    public async Task<Measured> KillToInitAsync(int runs)
    {
        var times = new List<TimeSpan>();
        await Api.SucceedsAsync(Api.CreateAsync(Mirrored("wanderer")));
        for (var run = 1; run <= runs; run++)
        {
            var at = await Until.SomeAsync(async () => await Api.InstanceAsync("wanderer") is { Status: "running", Mirror: "inSync" } i ? i : null, s_limit, "in sync");
            var next = portal.Serial(at.Secondary!, at.Id);
            var from = next.End;
            var gone = NodeProcesses.GoneAsync(portal.Nodes.Guest(at.Id)!.Pid, s_limit);
            await Api.LabAsync(at.Primary, "kill");
            var killed = await gone;
            times.Add(await next.BootedAsync(from, s_limit) - killed);
            Tell("kill-to-init", run, times[^1]);
            await Api.LabAsync(at.Primary, "start");
            await portal.AllOnlineAsync();
        }
        await RemoveAsync("wanderer");
        return new Measured("node kill to first line of the new guest's init", times);
    }

    /// <summary>Longest gap between two records that the guest says are on its disk, while it moves to its other node.</summary>
    public async Task<Measured> MigrateAsync(int runs)
    {
        var times = new List<TimeSpan>();
        await Api.SucceedsAsync(Api.CreateAsync(Mirrored("nomad")));
        for (var run = 1; run <= runs; run++)
        {
            var at = await Until.SomeAsync(async () => await Api.InstanceAsync("nomad") is { Status: "running", Mirror: "inSync" } i ? i : null, s_limit, "in sync");
            var (here, there) = (portal.Serial(at), portal.Serial(at.Secondary!, at.Id));
            var first = here.LastBeat();
            await Until.TrueAsync(() => here.LastBeat() >= first + 5, s_limit, "beat counts");
            var watches = new[] { new BeatWatch(here), new BeatWatch(there) };
            var job = await SubmitAsync();
            await Api.SucceedsAsync(Task.FromResult(job));
            var last = there.LastBeat();
            await Until.TrueAsync(() => there.LastBeat() >= last + 20, s_limit, "beat counts there");
            times.Add(new Beats([.. (await Task.WhenAll(watches.Select(w => w.StopAsync()))).SelectMany(b => b.All).OrderBy(b => b.Number)]).LongestPause);
            Tell("migrate", run, times[^1]);
            Console.WriteLine($"  {string.Join("; ", (await Api.LogAsync(job)).Where(l => l.Contains("still", StringComparison.Ordinal)))}");
        }
        await RemoveAsync("nomad");
        return new Measured("longest gap of the guest's writes in a live migration", times);

        async Task<long> SubmitAsync() => (await Api.SendAsync(HttpMethod.Post, "instances/nomad/migrate", new MigrateInstanceRequest())).As<JobAccepted>().Job;
    }

    /// <summary>A guest's process dies on a node (seen there) to the changed text of its status in an open page; the watcher starts it again each time.</summary>
    public async Task<Measured> EventToBrowserAsync(int runs)
    {
        var times = new List<TimeSpan>();
        _browser ??= await Browser.StartAsync();
        var page = await _browser.PageAsync(portal.Address);
        await Browser.SignInAsync(page, "admin", PortalProcess.AdminPassword);
        for (var run = 1; run <= runs; run++)
        {
            // A new one each time: a guest that crashes often is started again later and later.
            var name = $"crash{run}";
            await Api.SucceedsAsync(Api.CreateAsync(new CreateInstanceRequest(name, "tiny-linux", 1, 96, "diskless", [])));
            var made = await Until.SomeAsync(async () => await Api.InstanceAsync(name) is { Status: "running" } i ? i : null, s_limit, $"{name} runs");
            await page.GotoAsync($"/instances/{name}");
            await page.Locator("[data-testid=instance-status][data-status=Running]").WaitForAsync();
            times.Add(await ChangeSeenAsync(page, portal.Nodes.Guest(made.Id)!.Pid));
            Tell("event-to-browser", run, times[^1]);
            await RemoveAsync(name);
        }
        return new Measured("event on a node to changed text in a browser", times);
    }

    public Task<IReadOnlyList<Measured>> MirrorCostAsync(int runs) => new MirrorCost(portal).MeasureAsync(runs);

    /// <summary>The page notes by itself when the text changes, on the wall clock that it shares with this machine.</summary>
    private static async Task<TimeSpan> ChangeSeenAsync(IPage page, int guest)
    {
        await page.EvaluateAsync("""
            () => {
              const status = document.querySelector('[data-testid=instance-status]'), before = status.innerText;
              window.changedAt = 0;
              new MutationObserver(() => {
                const now = document.querySelector('[data-testid=instance-status]')?.innerText;
                if (!window.changedAt && now !== before) window.changedAt = performance.timeOrigin + performance.now();
              }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
            }
            """);
        var begun = TimeProvider.System.GetUtcNow();
        NodeProcesses.Kill(guest);
        double changed = 0;
        await Until.TrueAsync(async () => (changed = await page.EvaluateAsync<double>("window.changedAt")) > 0, s_limit, "the page changed");
        return DateTimeOffset.UnixEpoch.AddMilliseconds(changed) - begun;
    }

    private async Task RemoveAsync(string name) => await Until.TrueAsync(async () =>
        await Api.FindAsync(name) is null || (await Api.EndOfAsync(await Api.RemoveAsync(name))).Status == "success", s_limit, $"{name} is removed", TimeSpan.FromMilliseconds(300));

    private static void Tell(string what, int run, TimeSpan time) => Console.Error.WriteLine($"{what} {run}: {time.TotalMilliseconds:0} ms");

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
    }
}
