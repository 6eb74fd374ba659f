using WebManager.Agent.Hypervisor;
using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Start and stop.</summary>
public sealed class GuestOrders(InstanceTable table, Generations generations, LeaseGate gate, GuestWatch watch, NodeRules rules, InstanceFiles files, NodeFolder folder,
    IHypervisor hypervisor, IDisks disks, TimeProvider clock)
{
    private static readonly TimeSpan PressAgain = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Awake = TimeSpan.FromSeconds(0.2);

    public Task<Outcome<StartGuestReply>> StartAsync(StartGuestOrder order, CancellationToken ct) => InLane.RunAsync<StartGuestReply>(table.Get(order.Guest.Instance), async unit =>
    {
        var (record, guest) = (order.Record, order.Guest);
        if (Malformed(order) is { } wrong) return wrong;
        if (unit.Pid is { } pid && (record is null || record.SameAs(unit.Running))) return Reply(pid);
        if (unit.Pid is not null && unit.Running is null) return new Refusal("guest.running", "The guest runs already, without a mirror.", "Stop it first.");
        // Before anything is written: a start that comes late, after the instance was removed, leaves nothing behind.
        if (disks.Lacks(guest)) return new Refusal("disks.missing", "The instance's images are not on this node.", "Remove the instance, or bring the images back.");
        if (record is not null && await gate.PassAsync(unit, order.Epoch, record, rules.Start, ct) is { } refused) return refused;
        var note = new StartNote(guest, record, order.Replica);
        files.Write(unit.Id, note);
        unit.Start = note;
        var started = await hypervisor.StartAsync(new GuestStart(guest, folder.Instance(unit.Id), record, order.Replica), ct);
        if (!started.Ok)
        {
            // Half a start must leave nothing behind that writes.
            await generations.KillAsync(unit, ct);
            return started.Refusal;
        }

        watch.Watch(unit, started.Value);
        return Reply(started.Value.Pid);
    }, ct);

    public async Task<Outcome<StopGuestReply>> StopAsync(StopGuestOrder order, CancellationToken ct)
    {
        if (table.Find(order.Instance) is not { } unit) return new StopGuestReply(GuestEnd.None, 0);
        int? pid;
        var until = clock.Monotonic() + order.Grace;
        var pressed = await InLane.RunAsync<int>(unit, u => PressAsync(u, order.Grace, ct), ct);
        if (!pressed.Ok) return pressed.Refusal;
        pid = pressed.Value;
        // Outside the lane: a newer record must be able to end the wait.
        if (pid is > 0) await WaitPressingAsync(unit, pid.Value, until, ct);
        return await InLane.RunAsync<StopGuestReply>(unit, async u =>
        {
            if (u.Pid == pid && pid != 0 && await generations.KillAsync(u, ct) is { Ok: false } refused) return refused.Refusal;
            return new StopGuestReply(u.LastEnd?.End ?? GuestEnd.None, u.LastEnd?.Generation ?? 0);
        }, ct);
    }

    /// <summary>
    /// A guest that was still booting has not seen the button; it is pressed again until the guest ends or the grace is over. One that
    /// stands still for want of a lease sees it once it goes on.
    /// </summary>
    private async Task WaitPressingAsync(InstanceUnit unit, int pid, TimeSpan until, CancellationToken ct)
    {
        while (unit.Pid == pid && until - clock.Monotonic() is var rest && rest > TimeSpan.Zero)
        {
            var wait = unit.Halted ? Awake : PressAgain;
            await Task.WhenAny(unit.Ended, Task.Delay(rest < wait ? rest : wait, clock, ct));
            ct.ThrowIfCancellationRequested();
            if (unit is { Halted: false, Guest: { } guest } && unit.Pid == pid && rest > wait) await TryPressAsync(guest, rest - wait, ct);
        }
    }

    private async Task TryPressAsync(IGuest guest, TimeSpan limit, CancellationToken ct)
    {
        // A guest whose monitor hangs is killed when the grace is over.
        try { await guest.PressPowerAsync(ct).WaitAsync(limit, clock, ct); }
        catch (Exception ex) when (ex is IOException or TimeoutException or InvalidOperationException or ObjectDisposedException) { }
    }

    private async Task<Outcome<int>> PressAsync(InstanceUnit unit, TimeSpan grace, CancellationToken ct)
    {
        if (unit.Pid is not { } pid) return 0;
        unit.Stopping = true;
        table.Publish(unit);
        if (grace <= TimeSpan.Zero || unit is not { Guest: { } guest, Halted: false }) return pid;
        await guest.CancelMigrationAsync(ct);
        await TryPressAsync(guest, grace, ct);
        return pid;
    }

    private static Refusal? Malformed(StartGuestOrder order) => order switch
    {
        { Record: { } record } when record.Instance != order.Guest.Instance => new Refusal("order.mixed", "Record and guest are of different instances.") { Field = "record" },
        { Record: null, Guest.Template: DiskTemplate.Mirror } => new Refusal("generation.missing", "A mirrored instance starts only under a record.") { Field = "record" },
        { Record: { Sync: SyncState.InSync }, Replica: null } => new Refusal("replica.missing", "In sync needs the address of the other copy.") { Field = "replica" },
        _ => null,
    };

    private StartGuestReply Reply(int pid) => new(pid, hypervisor.Kind.ToString().ToLowerInvariant());
}
