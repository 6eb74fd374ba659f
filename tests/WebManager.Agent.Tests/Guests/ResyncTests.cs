using System.Globalization;
using System.Text.RegularExpressions;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>How much is moved to make a returning copy equal, and that it never counts before it is.</summary>
[Collection(Bench.OneAtATime)]
[Trait("Speed", "Slow")]
public sealed partial class ResyncTests
{
    [GeneratedRegex(@"(?:(?<compared>[0-9.]+) MiB compared, )?(?<moved>[0-9.]+) MiB copied")]
    private static partial Regex Words();

    private static async Task<(GuestSpec, IGuest, GenerationRecord)> InSyncAsync(Bench bench, long sizeMiB)
    {
        Bench.NeedsImage();
        var spec = Bench.Spec(DiskTemplate.Mirror, 1, sizeMiB);
        var record = Bench.Record(spec, 1, SyncState.InSync);
        var guest = await bench.StartAsync(spec, record, await bench.OpenAsync(spec, record));
        await bench.BeatsOnAsync(spec);
        return (spec, guest, record);
    }

    /// <summary>The secondary's exporter dies; the guest goes on alone.</summary>
    private static async Task LoseAsync(Bench bench, GuestSpec spec, IGuest guest, long generation)
    {
        await bench.Processes.KillAsync($"export:{spec.Instance}", default);
        await Until.TrueAsync(() => guest.Mirror == MirrorPhase.Broken, "broken");
        Bench.Refuted(await guest.DegradeAsync(Bench.Record(spec, generation, SyncState.Alone), default));
    }

    /// <summary>Copies to the end; at the promise both images must be the same. What was compared and moved, in MiB.</summary>
    private static async Task<(double Compared, double Moved)> CopyAsync(Bench bench, GuestSpec spec, IGuest guest, long generation, GenerationRecord? holds)
    {
        var record = Bench.Record(spec, generation, SyncState.Alone);
        var replica = await bench.OpenAsync(spec, record) with { Holds = holds is null ? null : DiskBitmaps.EqualUnder(holds) };
        var (text, promised) = ("", false);
        void Hear(IGuest g, string kind, string said)
        {
            if (kind == "mirror.promised") text = said;
        }
        guest.Changed += Hear;
        Bench.Refuted(await guest.ResyncAsync(record, replica, async _ =>
        {
            promised = true;
            await bench.SameNowAsync(spec);
        }, default));
        await Until.TrueAsync(() => guest.Mirror != MirrorPhase.Copying, "copied", 180);
        guest.Changed -= Hear;
        Assert.True(promised && guest.Mirror == MirrorPhase.Promised, guest.MirrorText);
        guest.Recorded(record with { Sync = SyncState.InSync });
        TestContext.Current.TestOutputHelper?.WriteLine(text);
        var words = Words().Match(text);
        return (Number(words.Groups["compared"]), Number(words.Groups["moved"]));
    }

    private static double Number(Group group) => group.Success ? double.Parse(group.Value, CultureInfo.InvariantCulture) : 0;

    private static async Task EndAsync(Bench bench, GuestSpec spec, IGuest guest)
    {
        var ends = bench.Processes.Ends.Count;
        await guest.PressPowerAsync(default);
        await Until.TrueAsync(() => bench.Processes.Ends.Count > ends, "powered off");
    }

    [Fact]
    public async Task Only_changed_blocks_are_copied_after_a_loss_also_when_the_guest_was_stopped_meanwhile()
    {
        await using var bench = new Bench();
        bench.Options.FlushMark = TimeSpan.FromSeconds(0.2);
        var (spec, guest, equal) = await InSyncAsync(bench, 1024);
        await bench.FillAsync(spec, guest, 'a', 300, 100);
        await Until.TrueAsync(() => ((QemuGuest)guest).Marked < 1024 * 1024, "what both have on disk is no longer marked");
        await LoseAsync(bench, spec, guest, 2);
        await bench.FillAsync(spec, guest, 'b', 350, 50);
        await EndAsync(bench, spec, guest);
        guest = await bench.StartAsync(spec, Bench.Record(spec, 3, SyncState.Alone));
        await bench.BeatsOnAsync(spec);
        var (compared, moved) = await CopyAsync(bench, spec, guest, 3, equal);
        Assert.Equal(0, compared);
        Assert.InRange(moved, 50, 60);

        // Against it: a secondary whose images were lost.
        await LoseAsync(bench, spec, guest, 4);
        File.Delete(bench.Secondary.PathsOf(spec.Instance).Disk(0));
        (compared, moved) = await CopyAsync(bench, spec, guest, 5, null);
        Assert.Equal(1024, compared);
        Assert.InRange(moved, 100, 160);
        await bench.BeatsOnAsync(spec);
        await EndAsync(bench, spec, guest);
        Bench.Refuted(await bench.Exporter.CloseAsync(spec.Instance, default));
        await bench.SameOnBothAsync(spec);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Copies_are_compared_after_the_primary_was_killed_and_only_differences_move(bool peerAnswers)
    {
        await using var bench = new Bench { PeerAnswers = peerAnswers };
        var (spec, guest, equal) = await InSyncAsync(bench, 1024);
        await bench.FillAsync(spec, guest, 'a', 300, 100);
        await bench.Processes.KillAsync($"guest:{spec.Instance}", default);
        await Overwrite(bench.Primary.PathsOf(spec.Instance).Disk(0), "write -P 0x7a 320M 128k");
        guest = await bench.StartAsync(spec, Bench.Record(spec, 2, SyncState.Alone));
        await bench.BeatsOnAsync(spec);
        // The secondary says truly what it was equal under, but the marks died with the process.
        var (compared, moved) = await CopyAsync(bench, spec, guest, 3, equal);
        Assert.Equal(1024, compared);
        Assert.InRange(moved, 0.125, 8);
        await bench.BeatsOnAsync(spec);
    }

    private static async Task Overwrite(string image, string command)
    {
        var written = await Programs.RunAsync("qemu-io", ["-f", "qcow2", "-c", command, image], default);
        Assert.True(written.Ok, written.Why);
    }

    [Fact]
    public async Task Writes_that_the_secondary_lost_with_its_power_are_copied_though_it_had_acknowledged_them()
    {
        await using var bench = new Bench();
        bench.Options.FlushMark = TimeSpan.FromSeconds(0.1);
        var (spec, guest, equal) = await InSyncAsync(bench, 256);
        await bench.FillAsync(spec, guest, 'a', 150, 20);
        await Until.TrueAsync(() => ((QemuGuest)guest).Marked < 1024 * 1024, "what both have on disk is no longer marked");
        // From here the copy is not flushed any more, but perhaps once: what it holds now is what a power loss leaves at least.
        bench.Options.FlushMark = TimeSpan.FromHours(1);
        await bench.BeatsOnAsync(spec, 10);
        var image = bench.Secondary.PathsOf(spec.Instance).Disk(0);
        var before = image + ".before";
        File.Copy(image, before);
        await bench.FillAsync(spec, guest, 'b', 100, 8);
        await LoseAsync(bench, spec, guest, 2);
        File.Move(before, image, overwrite: true);
        var (compared, moved) = await CopyAsync(bench, spec, guest, 3, equal);
        Assert.Equal(0, compared);
        Assert.InRange(moved, 8, 12);
    }

    [Fact]
    public async Task Copy_that_was_interrupted_by_anything_is_begun_again_and_the_guest_writes_on()
    {
        await using var bench = new Bench();
        bench.Options.CopyStall = TimeSpan.FromSeconds(2);
        var (spec, guest, equal) = await InSyncAsync(bench, 256);
        await LoseAsync(bench, spec, guest, 2);
        await bench.FillAsync(spec, guest, 'b', 100, 40);
        var pid = guest.Pid;
        foreach (var (generation, fault) in new[] { (3, "export killed"), (4, "export frozen"), (5, "agents killed"), (6, "cancelled") })
        {
            bench.Options.CopyRateMiB = 10;
            var record = Bench.Record(spec, generation, SyncState.Alone);
            var replica = await bench.OpenAsync(spec, record) with { Holds = DiskBitmaps.EqualUnder(equal) };
            Bench.Refuted(await guest.ResyncAsync(record, replica, _ => throw new InvalidOperationException($"in sync after {fault}"), default));
            await Until.TrueAsync(() => guest.CopyPercent is > 5 and < 95, "in the middle");
            if (fault == "export killed") await bench.Processes.KillAsync($"export:{spec.Instance}", default);
            if (fault == "export frozen") Real.Signal(bench.Processes.PidOf($"export:{spec.Instance}"), 19);
            if (fault == "cancelled") Bench.Refuted(await guest.CancelResyncAsync(default));
            if (fault == "agents killed")
            {
                await bench.RestartAgentsAsync();
                await bench.Exporter.AdoptAsync(spec.Instance, default);
                guest = await bench.AdoptAsync(spec, pid, record);
            }
            await bench.BeatsOnAsync(spec);
            await Until.TrueAsync(() => guest.Mirror == MirrorPhase.Alone, $"alone after {fault}");
            Assert.Equal(GuestPhase.Running, guest.Phase);
        }
        bench.Options.CopyRateMiB = null;
        var (compared, moved) = await CopyAsync(bench, spec, guest, 7, equal);
        Assert.Equal(0, compared);
        Assert.InRange(moved, 40, 60);
        await bench.BeatsOnAsync(spec);
    }

    [Fact]
    public async Task Plain_foreign_and_wrongly_named_ends_are_refused()
    {
        await using var bench = new Bench();
        using var foreign = new TestAuthority();
        var spec = Bench.Spec(DiskTemplate.Mirror);
        var address = await bench.OpenAsync(spec, Bench.Record(spec, 1, SyncState.InSync));
        var target = new Storage.Nbd.NbdTarget(address.Exports[0]) { Host = address.Host, Port = address.Port, Tls = bench.PrimaryTls, Peer = "s" };
        await using (var disk = await Storage.Nbd.NbdHandshake.ConnectAsync(target, default)) await disk.FlushAsync(default);
        await Assert.ThrowsAnyAsync<IOException>(() => FlushAsync(target with { Tls = null }));
        await Assert.ThrowsAnyAsync<IOException>(() => FlushAsync(target with { Tls = foreign.Node(Path.Combine(bench.Root, "f"), "p") }));
        await Assert.ThrowsAnyAsync<IOException>(() => FlushAsync(target with { Peer = "q" }));
        var log = File.ReadAllText(bench.Secondary.PathsOf(spec.Instance).ReplicaLog);
        TestContext.Current.TestOutputHelper?.WriteLine(log);

        // The same by QEMU's own hand, as the guest connects.
        string Io(string extra) => $"driver=nbd,server.type=inet,server.host={address.Host},server.port={address.Port},export={address.Exports[0]}{extra}";
        async Task<Programs.Result> ReadAsync(string folder, string name) => await Programs.RunAsync("qemu-io",
            ["--object", $"tls-creds-x509,id=t,endpoint=client,dir={folder},verify-peer=on,sanity-check=off", "--image-opts", Io(name.Length > 0 ? $",tls-creds=t,tls-hostname={name}" : ""), "-r", "-c", "read 0 4k"], default);
        var own = await ReadAsync(bench.PrimaryTls.Folder, "s");
        Assert.True(own.Ok, own.Why);
        Assert.False((await ReadAsync(bench.PrimaryTls.Folder, "")).Ok);
        Assert.False((await ReadAsync(bench.PrimaryTls.Folder, "q")).Ok);
        Assert.False((await ReadAsync(Path.Combine(bench.Root, "f", "tls"), "s")).Ok);
    }

    [Fact]
    public async Task Encryption_costs_a_write_little()
    {
        var (small, large) = (new double[2], new double[2]);
        foreach (var encrypted in new[] { false, true })
        {
            await using var bench = new Bench { Encrypted = encrypted };
            await bench.RestartAgentsAsync();
            var spec = Bench.Spec(DiskTemplate.Mirror, 1, 128);
            var address = await bench.OpenAsync(spec, Bench.Record(spec, 1, SyncState.InSync));
            await using var disk = await Storage.Nbd.NbdHandshake.ConnectAsync(new Storage.Nbd.NbdTarget(address.Exports[0])
            {
                Host = address.Host, Port = address.Port, Tls = encrypted ? bench.PrimaryTls : null, Peer = "s",
            }, default);
            var data = new byte[1024 * 1024];
            Random.Shared.NextBytes(data);
            var watch = System.Diagnostics.Stopwatch.StartNew();
            for (var i = 0; i < 200; i++)
            {
                await disk.WriteAsync(i * 4096, data.AsMemory(0, 4096), default);
                await disk.FlushAsync(default);
            }
            small[encrypted ? 1 : 0] = watch.Elapsed.TotalMilliseconds / 200;
            watch.Restart();
            for (var i = 0; i < 100; i++) await disk.WriteAsync(i * 1024L * 1024, data, default);
            large[encrypted ? 1 : 0] = 100 / watch.Elapsed.TotalSeconds;
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"4 KiB written and flushed: {small[0]:0.00} ms plain, {small[1]:0.00} ms encrypted; 1 MiB writes: {large[0]:0} MiB/s plain, {large[1]:0} MiB/s encrypted");
        Assert.True(large[1] * Bench.Slowness > 15, $"{large[1]:0} MiB/s");
    }

    private static async Task FlushAsync(Storage.Nbd.NbdTarget target)
    {
        await using var disk = await Storage.Nbd.NbdHandshake.ConnectAsync(target, default);
        await disk.FlushAsync(default);
    }
}
