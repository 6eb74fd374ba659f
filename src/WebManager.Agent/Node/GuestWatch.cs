using WebManager.Agent.Hypervisor;
using WebManager.Agent.Keeper;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Keeps each unit's picture of its process true: started, changed, ended, also after a restart of the agent or the keeper.</summary>
public sealed class GuestWatch(InstanceTable table, InstanceFiles files, NodeFolder folder, IKeeper keeper, IReplicas replicas,
    EventHub events, DiskProbe probe, TimeProvider clock, ILogger<GuestWatch> log)
{
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(300);

    /// <summary>Processes that stand still, as the keeper last said; also the lock for what follows from it.</summary>
    private readonly HashSet<string> _halted = [];

    public void Attach()
    {
        keeper.Spawned += (request, pid) => Started(request, pid);
        keeper.Ended += end => InBackground("end of a process", () => EndedAsync(end));
        keeper.PauseChanged += PauseChanged;
        keeper.Connected += status =>
        {
            lock (_halted)
            {
                _halted.Clear();
                _halted.UnionWith(status.Live.Where(l => l.Paused).Select(l => l.Id));
            }
        };
        keeper.Lost += () =>
        {
            log.KeeperLost();
            events.Tell("keeper.lost", null, "The keeper ended, and the guests with it; a new keeper is started.");
        };
    }

    /// <summary>The guest answers on its monitor: from here its own words say what it does.</summary>
    public void Watch(InstanceUnit unit, IGuest guest)
    {
        if (unit.LastEnd?.Pid == guest.Pid) return;
        if (unit.Pid is null) unit.ProcessStarted(guest.Pid, unit.Start?.Record);
        guest.Changed += (_, kind, text) => Changed(unit, kind, text);
        unit.Guest = guest;
        guest.Halt(unit.Halted);
        table.Publish(unit);
    }

    public async Task EndedAsync(ProcessEnd end)
    {
        if (Instance(end.Id) is not { } id || table.Find(id) is not { } unit) return;
        if (end.Id.StartsWith("export:", StringComparison.Ordinal))
        {
            unit.OpenExport = replicas.OpenGeneration(id);
            table.Publish(unit);
            return;
        }

        if (end.Id == unit.IncomingId)
        {
            await IncomingEndedAsync(unit, end);
            return;
        }

        if (unit.LastEnd?.Pid == end.Pid && unit.LastEnd.At == end.At) return;
        var guest = unit.Guest;
        if (guest?.LocalFault is { } fault) probe.Told(fault.Text);
        var verdict = await JudgeAsync(end, guest);
        var lines = verdict == GuestEnd.Clean ? null : SerialLog.Tail(folder.Instance(id), 20);
        var note = new EndNote(end.Pid, end.Generation, verdict, end.At, lines);
        // The keeper remembers it, too; an end that only this run knows counts as a kill for the next.
        try { files.Write(id, note); }
        catch (IOException ex) { log.EndNotKept(id, ex.Message); }
        unit.ProcessEnded(note);
        table.Publish(unit);
        log.GuestEnded(id, end.Pid, verdict.ToString(), end.Generation);
        events.Tell(end.ByKeeper ? "keeper.killed" : "guest.exited", id, Words(verdict, end));
        if (guest is not null) await guest.DisposeAsync();
    }

    /// <summary>By an order, or because its source gave up.</summary>
    private async Task IncomingEndedAsync(InstanceUnit unit, ProcessEnd end)
    {
        if (unit.Incoming is not { } incoming || incoming.Pid != end.Pid) return;
        unit.Incoming = null;
        table.Publish(unit);
        events.Tell("migration.failed", unit.Id, "What waited here for the guest has ended.");
        await incoming.DisposeAsync();
    }

    /// <summary>Reads a keeper's list: what lives is ours again, what is missing ended. The number of ends that are news.</summary>
    public async Task<int> ReconcileAsync(KeeperStatus status)
    {
        log.KeeperConnected(status.Run, status.Pid, status.Live.Count);
        var live = status.Live.ToDictionary(l => l.Id);
        foreach (var process in status.Live) await TakeAsync(process);
        var news = 0;
        foreach (var unit in table.All)
        {
            if (live.ContainsKey(unit.ProcessId)) continue;
            if (Missing(unit, status) is not { } end) continue;
            news++;
            await EndedAsync(end);
        }

        return news;
    }

    private async Task TakeAsync(LiveProcess process)
    {
        if (Instance(process.Id) is { } id && table.Find(id) is { } unit)
        {
            if (process.Id != unit.ProcessId) return;
            if (unit.Pid != process.Pid) unit.ProcessStarted(process.Pid, process.Record);
            // What the keeper has said since that list was made counts.
            lock (_halted) { unit.Halt(_halted.Contains(process.Id)); }
            table.Publish(unit);
        }
        else
        {
            // Nothing on disk speaks for it: its instance was removed while the keeper could not be told.
            await keeper.KillAsync(process.Id, CancellationToken.None);
        }
    }

    /// <summary>How a process that is not there any more ended. Without any note: the node itself went down under it.</summary>
    private ProcessEnd? Missing(InstanceUnit unit, KeeperStatus status)
    {
        var told = status.Ended.FirstOrDefault(e => e.Id == unit.ProcessId);
        if (told is not null && (told.Pid != unit.LastEnd?.Pid || told.At != unit.LastEnd.At)) return told;
        if (unit.Pid is { } pid && told?.Pid != pid) return new ProcessEnd(unit.ProcessId, pid, unit.Running?.Number ?? 0, null, 9, false, clock.GetUtcNow());
        if (told is null && unit.Pid is null && unit.Stored.Started > (unit.LastEnd?.Generation ?? 0))
            return new ProcessEnd(unit.ProcessId, 0, unit.Stored.Started, null, 9, false, clock.GetUtcNow());
        return null;
    }

    private void Started(SpawnRequest request, int pid)
    {
        if (Instance(request.Id) is not { } id || table.Find(id) is not { } unit || request.Id != unit.ProcessId) return;
        if (unit.LastEnd?.Pid == pid) return;      // its end was told before its start was
        unit.ProcessStarted(pid, request.Record);
        table.Publish(unit);
    }

    private void PauseChanged(ProcessPause pause)
    {
        InstanceUnit? unit;
        lock (_halted)
        {
            if (pause.Paused) _halted.Add(pause.Id);
            else _halted.Remove(pause.Id);
            if (Instance(pause.Id) is not { } instance || (unit = table.Find(instance)) is not { Pid: not null }) return;
            unit.Halt(pause.Paused);
        }

        var id = unit.Id;
        if (pause.Paused) log.Halted(id, unit.HaltedText);
        else log.GoesOn(id);
        Changed(unit, pause.Paused ? "guest.paused" : "guest.resumed", pause.Paused ? unit.HaltedText : "The guest goes on: somebody answers for it again.");
    }

    private void Changed(InstanceUnit unit, string kind, string text)
    {
        table.Publish(unit);
        events.Tell(kind, unit.Id, text);
    }

    /// <summary>Clean only when QEMU ended by itself after the guest's own power-off, with both copies written.</summary>
    private async Task<GuestEnd> JudgeAsync(ProcessEnd end, IGuest? guest)
    {
        // The process can be reaped before its last event was read from the socket.
        var until = clock.GetUtcNow() + LastWords;
        while (end.ExitCode == 0 && guest is { PoweredOff: false, Panicked: false } && clock.GetUtcNow() < until)
            await Task.Delay(TimeSpan.FromMilliseconds(10), clock);
        return (end.ExitCode, guest) switch
        {
            (_, { Panicked: true }) => GuestEnd.Panicked,
            (0, { PoweredOff: true, Mirror: not MirrorPhase.Broken }) => GuestEnd.Clean,
            _ when end.Signal == 9 || end.ByKeeper => GuestEnd.Killed,
            _ => GuestEnd.Crashed,
        };
    }

    private static string Words(GuestEnd verdict, ProcessEnd end) => verdict switch
    {
        GuestEnd.Clean => "The guest powered off.",
        GuestEnd.Killed when end.ByKeeper => "Killed by the keeper: nobody stood behind its generation any more.",
        GuestEnd.Killed => "The process was killed.",
        GuestEnd.Panicked => "The guest's kernel panicked.",
        GuestEnd.Crashed => end.Signal is { } signal ? $"The process died of signal {signal}." : $"The process ended with code {end.ExitCode}.",
        GuestEnd.None => "Ended.",
    };

    private static Guid? Instance(string process) => Guid.TryParse(process[(process.IndexOf(':', StringComparison.Ordinal) + 1)..], out var id) ? id : null;

    public void InBackground(string what, Func<Task> work) => _ = Task.Run(async () =>
    {
        try { await work(); }
        catch (Exception ex) { log.WorkFailed(what, ex); }
    });
}
