using WebManager.Agent.Hypervisor;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Testing;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>Images on a small filesystem that is full (S10).</summary>
[Collection(Bench.OneAtATime)]
[Trait("Speed", "Slow")]
public sealed class DiskErrorTests
{
    private const int Room = 40;

    private static SmallDisk Small(Bench bench, string side)
    {
        if (SmallDisk.TryMount(Path.Combine(bench.Root, side), Room) is { } disk) return disk;
        Assert.Skip("A filesystem of its own needs root.");
        throw new InvalidOperationException();
    }

    private static Bench Impatient()
    {
        Bench.NeedsImage();
        var bench = new Bench();
        bench.Options.DiskRetry = TimeSpan.FromSeconds(1);
        return bench;
    }

    private static async Task<(GuestSpec Spec, IGuest Guest)> InSyncAsync(Bench bench)
    {
        var spec = Bench.Spec(DiskTemplate.Mirror);
        var record = Bench.Record(spec, 1, SyncState.InSync);
        var guest = await bench.StartAsync(spec, record, await bench.OpenAsync(spec, record));
        await bench.BeatsOnAsync(spec);
        return (spec, guest);
    }

    [Fact]
    public async Task Full_disk_of_its_own_stops_a_guest_in_sync_and_is_told_apart_from_a_lost_copy_also_by_the_next_run()
    {
        await using var bench = Impatient();
        using var disk = Small(bench, "p");
        var (spec, guest) = await InSyncAsync(bench);
        disk.Fill();
        var filling = bench.FillAsync(spec, guest, 'a', 8, 24);
        await Until.TrueAsync(() => guest is { Phase: GuestPhase.Paused, Mirror: MirrorPhase.Broken, LocalFault.Full: true }, "waits for its own disk");
        Assert.Null(guest.CopyFault);
        Assert.Contains("No space left", guest.LocalFault!.Text, StringComparison.Ordinal);

        await bench.RestartAgentsAsync();
        guest = await bench.AdoptAsync(spec, guest.Pid, guest is QemuGuest q ? q.Start.Record : null);
        Assert.True(guest is { Mirror: MirrorPhase.Broken, LocalFault.Full: true }, $"{guest.Phase} {guest.Mirror} {guest.LocalFault}");

        // Nothing was given up, so with room again both copies take what waits.
        disk.Free();
        await Until.TrueAsync(() => guest is { Phase: GuestPhase.Running, Mirror: MirrorPhase.InSync, LocalFault: null }, "goes on in sync", 60);
        await filling;
        await bench.BeatsOnAsync(spec);
        await bench.Processes.KillAsync($"guest:{spec.Instance}", default);
        Bench.Refuted(await bench.Exporter.CloseAsync(spec.Instance, default));
    }

    [Fact]
    public async Task Full_disk_of_the_secondary_is_told_as_such_until_a_copy_onto_it_succeeds()
    {
        await using var bench = Impatient();
        using var disk = Small(bench, "s");
        var (spec, guest) = await InSyncAsync(bench);
        disk.Fill();
        var filling = bench.FillAsync(spec, guest, 'b', 8, 24);
        await Until.TrueAsync(() => guest is { Phase: GuestPhase.Paused, Mirror: MirrorPhase.Broken, CopyFault.Full: true }, "the other copy's disk is full");
        Assert.Null(guest.LocalFault);
        Bench.Refuted(await guest.DegradeAsync(Bench.Record(spec, 2, SyncState.Alone), default));
        await filling;

        // Room for the export's own note, not for the data.
        disk.Free();
        disk.Fill(leaveKiB: 512);
        await ResyncAsync(bench, spec, guest, 3);
        Assert.Equal((MirrorPhase.Alone, true), (guest.Mirror, guest.CopyFault?.Full));
        disk.Free();
        await ResyncAsync(bench, spec, guest, 4);
        Assert.Equal((MirrorPhase.Promised, null), (guest.Mirror, guest.CopyFault));
    }

    private static async Task ResyncAsync(Bench bench, GuestSpec spec, IGuest guest, long generation)
    {
        var record = Bench.Record(spec, generation, SyncState.Alone);
        Bench.Refuted(await guest.ResyncAsync(record, await bench.OpenAsync(spec, record), _ => Task.CompletedTask, default));
        await Until.TrueAsync(() => guest.Mirror != MirrorPhase.Copying, "the copy ended", 60);
    }

    [Fact]
    public async Task Guest_with_one_copy_waits_on_a_full_disk_and_goes_on_by_itself()
    {
        await using var bench = Impatient();
        using var disk = Small(bench, "p");
        var spec = Bench.Spec(DiskTemplate.File);
        var guest = await bench.StartAsync(spec);
        await bench.BeatsOnAsync(spec);
        disk.Fill();
        var filling = bench.FillAsync(spec, guest, 'c', 8, 24);
        await Until.TrueAsync(() => guest is { Phase: GuestPhase.Paused, LocalFault.Full: true }, "waits for its disk");
        disk.Free();
        await Until.TrueAsync(() => guest is { Phase: GuestPhase.Running, LocalFault: null }, "goes on", 60);
        await filling;
        await bench.BeatsOnAsync(spec);
    }
}
