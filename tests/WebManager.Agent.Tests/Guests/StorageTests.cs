using System.Diagnostics;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Network;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

public sealed class StorageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("wm-storage-").FullName;

    private FileImages Images => new(new StorageOptions { InstancesFolder = _folder, DiskMiB = 1000 }, Path.Combine(_folder, "run"));

    [Fact]
    public async Task Disks_are_made_once_kept_and_refused_with_another_size()
    {
        var spec = Bench.Spec(DiskTemplate.File, 2);
        Bench.Refuted(await Images.CreateAsync(spec, default));
        var made = File.GetLastWriteTimeUtc(Images.PathsOf(spec.Instance).Disk(0));
        Bench.Refuted(await Images.CreateAsync(spec, default));
        Assert.Equal((2, made), (Images.Count(spec.Instance), File.GetLastWriteTimeUtc(Images.PathsOf(spec.Instance).Disk(0))));
        var other = await Images.CreateAsync(spec with { Disks = [spec.Disks[0] with { SizeMiB = 65 }] }, default);
        Assert.Equal("disk.wrong-size", other.Refusal?.Code);
        Assert.InRange(Images.FreeMiB(), 1, 1000);
        Images.Remove(spec.Instance);
        Images.Remove(spec.Instance);
        Assert.Equal(0, Images.Count(spec.Instance));
    }

    [Fact]
    public void Long_folders_get_short_sockets()
    {
        var paths = GuestPaths.Of(Path.Combine(_folder, new string('x', 120)), Path.Combine(_folder, "run"));
        Assert.True(paths.ReplicaQmp.Length <= 107);
        Assert.StartsWith(Path.Combine(_folder, "run"), paths.Qmp, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Seed_is_an_iso_with_the_agreed_files_written_in_no_time()
    {
        var hostKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n";
        var spec = Bench.Spec(DiskTemplate.File) with
        {
            Name = "it's: \"web\"\n- x", SshKeys = ["ssh-ed25519 AAAA a: \"b\" #1"], SshHostKey = hostKey, OsParams = new Dictionary<string, string> { ["beat"] = "on", ["a: b"] = "x\ny: z" },
            Nics = [new NicSpec(0, "52:54:00:AA:00:01", "10.77.1.20/24", "10.77.1.1"), new NicSpec(1, "52:54:00:AA:00:02", null, null)],
        };
        var iso = Path.Combine(_folder, "seed.iso");
        SeedIso.Write(iso, spec, DateTimeOffset.UnixEpoch.AddYears(50));
        var watch = Stopwatch.StartNew();
        SeedIso.Write(iso, spec, DateTimeOffset.UnixEpoch.AddYears(50));
        TestContext.Current.TestOutputHelper?.WriteLine($"seed written in {watch.Elapsed.TotalMilliseconds} ms");
        Assert.Equal("cidata", System.Text.Encoding.ASCII.GetString(File.ReadAllBytes(iso), (16 * 2048) + 40, 6));
        Assert.Equal("instance-id: \"" + spec.Instance + "\"\nlocal-hostname: \"it's: \\\"web\\\"\\u000a- x\"\n", SeedIso.MetaData(spec));
        Assert.Contains("ssh_keys:\n  ed25519_private: |\n    -----BEGIN", SeedIso.UserData(spec), StringComparison.Ordinal);
        Assert.Contains("\"a: b\": \"x\\u000ay: z\"", SeedIso.UserData(spec), StringComparison.Ordinal);
        Assert.Contains("eth0:\n    match:\n      macaddress: \"52:54:00:aa:00:01\"\n    addresses: [\"10.77.1.20/24\"]\n    gateway4: \"10.77.1.1\"\n  eth1:", SeedIso.NetworkConfig(spec), StringComparison.Ordinal);
        if (Programs.Find("xorriso") is null) return;
        var found = await Programs.RunAsync("xorriso", ["-indev", iso, "-osirrox", "on", "-extract", "/", Path.Combine(_folder, "out")], default);
        Assert.True(found.Ok, found.Error);
        var files = Directory.GetFiles(Path.Combine(_folder, "out")).Select(f => Path.GetFileName(f).ToLowerInvariant()).Order();
        Assert.Equal(["meta-data", "network-config", "user-data"], files);
        Assert.Equal(SeedIso.UserData(spec), File.ReadAllText(Directory.GetFiles(Path.Combine(_folder, "out")).Single(f => f.EndsWith("user-data", StringComparison.OrdinalIgnoreCase))));
    }

    [Fact]
    public async Task Export_opens_once_per_generation_and_says_spent_after_its_process_died()
    {
        await using var bench = new Bench();
        var spec = Bench.Spec(DiskTemplate.Mirror, 2);
        var first = Bench.Record(spec, 1, SyncState.InSync);
        var address = await bench.OpenAsync(spec, first);
        Assert.Equal(address, await bench.OpenAsync(spec, first));
        Assert.Equal($"{spec.Instance:N}-d1-g1-{first.Tag}", address.Exports[1]);
        await bench.Processes.KillAsync(ReplicaExporter.ProcessId(spec.Instance), default);
        await Until.TrueAsync(() => bench.Exporter.OpenGeneration(spec.Instance) is null, "closed");
        Assert.Equal("replica.spent", (await bench.Exporter.OpenAsync(spec, first, default)).Refusal?.Code);
        await bench.OpenAsync(spec, Bench.Record(spec, 3, SyncState.Alone));
        Assert.Equal("generation.stale", (await bench.Exporter.OpenAsync(spec, first, default)).Refusal?.Code);
        Assert.Equal("generation.conflict", (await bench.Exporter.OpenAsync(spec, Bench.Record(spec, 3, SyncState.Alone) with { Tag = "other" }, default)).Refusal?.Code);
        await bench.OpenAsync(spec, Bench.Record(spec, 4, SyncState.Alone));
        Assert.Equal(4, bench.Exporter.OpenGeneration(spec.Instance));
        Bench.Refuted(await bench.Exporter.CloseAsync(spec.Instance, default));
        Bench.Refuted(await bench.Exporter.CloseAsync(spec.Instance, default));
        Assert.Null(bench.Exporter.OpenGeneration(spec.Instance));
        Assert.Equal("replica.spent", (await bench.Exporter.OpenAsync(spec, Bench.Record(spec, 4, SyncState.Alone), default)).Refusal?.Code);
    }

    [Fact]
    public async Task Fake_guest_lives_like_a_process_and_powers_off_clean()
    {
        using var processes = new DirectProcesses();
        var fake = new FakeHypervisor(new Accelerator(HypervisorKind.Fake, "1", "no QEMU"), processes, TimeProvider.System, new HypervisorOptions());
        var spec = Bench.Spec(DiskTemplate.Diskless, 0);
        var start = new GuestStart(spec, Path.Combine(_folder, "g"), null, null);
        var started = await fake.StartAsync(start, default);
        Bench.Refuted(started);
        Assert.NotNull(started.Value!.FirstLineAt);
        await started.Value.DisposeAsync();
        var again = await fake.AdoptAsync(start, started.Value.Pid, default);
        Assert.Equal(started.Value.StartedAt, again?.StartedAt);
        await again!.PressPowerAsync(default);
        await Until.TrueAsync(() => !processes.Ends.IsEmpty, "ended");
        Assert.Equal((0, true), (processes.Ends.Single().ExitCode, again.PoweredOff));
    }

    [Fact]
    public async Task Fake_guest_moves_its_process_ends_and_another_begins_and_without_its_target_it_stays()
    {
        using var processes = new DirectProcesses();
        var fake = new FakeHypervisor(new Accelerator(HypervisorKind.Fake, "1", "no QEMU"), processes, TimeProvider.System, new HypervisorOptions());
        var spec = Bench.Spec(DiskTemplate.Mirror);
        var record = Bench.Record(spec, 1, SyncState.InSync);
        var replica = new ReplicaAddress("127.0.0.1", 1, ["x"]);
        var guest = (await fake.StartAsync(new GuestStart(spec, Path.Combine(_folder, "p"), record, replica), default)).Value!;
        Assert.Equal("migration.failed", (await guest.SendAsync(record, new MigrationAddress("127.0.0.1", 1), default)).Refusal?.Code);
        Assert.Equal("migration.failed", (await guest.SwitchAsync(default)).Refusal?.Code);

        var first = (await fake.ReceiveAsync(new GuestStart(spec, Path.Combine(_folder, "s"), record, null), default)).Value!;
        Bench.Refuted(await guest.SendAsync(record, first.Address, default));
        await guest.CancelMigrationAsync(default);
        Assert.Equal((null, MirrorPhase.InSync, false), (guest.Migration, guest.Mirror, first.Whole.IsCompleted));
        await first.DisposeAsync();
        await processes.KillAsync($"incoming:{spec.Instance}", default);

        var waiting = (await fake.ReceiveAsync(new GuestStart(spec, Path.Combine(_folder, "s"), record, null), default)).Value!;
        Bench.Refuted(await guest.SendAsync(record, waiting.Address, default));
        var end = (await guest.SwitchAsync(default)).Value!;
        Assert.True(end is { Left: true, Facts: { Sent: true, RanSince: false } }, end.Why);
        await waiting.Whole;
        await processes.KillAsync($"guest:{spec.Instance}", default);
        var next = record with { Number = 2, Primary = "s", Secondary = "p" };
        var moved = (await waiting.TakeOverAsync(new GuestStart(spec, Path.Combine(_folder, "s"), next, replica), default)).Value!;
        Assert.Equal((GuestPhase.Running, MirrorPhase.InSync, processes.PidOf($"guest:{spec.Instance}")), (moved.Phase, moved.Mirror, moved.Pid));
        await moved.PressPowerAsync(default);
        await Until.TrueAsync(() => processes.Ends.Any(e => e.Pid == moved.Pid), "ended");
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Accelerator_is_probed_once_per_boot_of_the_machine()
    {
        var options = new HypervisorOptions();
        var chosen = await new AcceleratorProbe(options, _folder, TimeProvider.System).ChooseAsync(default);
        TestContext.Current.TestOutputHelper?.WriteLine(chosen.ToString());
        Assert.NotEqual(HypervisorKind.Fake, chosen.Kind);
        Assert.True(chosen.Kind == HypervisorKind.Kvm || chosen.Note is not null);
        var watch = Stopwatch.StartNew();
        Assert.Equal(chosen, await new AcceleratorProbe(options, _folder, TimeProvider.System).ChooseAsync(default));
        Assert.True(watch.ElapsedMilliseconds < 500);
        Assert.Equal(HypervisorKind.Fake, (await new AcceleratorProbe(new HypervisorOptions { Qemu = "no-such-qemu" }, Path.Combine(_folder, "x"), TimeProvider.System).ChooseAsync(default)).Kind);
    }

    [Fact]
    public async Task Tap_is_made_on_the_bridge_again_and_removed()
    {
        var name = $"wmt{Environment.ProcessId}";
        Assert.SkipUnless(Environment.IsPrivilegedProcess && (await Programs.RunAsync("ip", ["netns", "add", name], default)).Ok, "Needs root and network namespaces.");
        try
        {
            await Programs.RunAsync("ip", ["-n", name, "link", "add", "br0", "type", "bridge"], default);
            var network = new TapNetwork("br0", name);
            var spec = Bench.Spec(DiskTemplate.Diskless, 0);
            for (var i = 0; i < 2; i++) Bench.Refuted(await network.PlugAsync(spec, default));
            Assert.Contains("master br0", (await Programs.RunAsync("ip", ["-n", name, "link", "show", TapNetwork.NameOf(spec.Instance, 0)], default)).Output, StringComparison.Ordinal);
            await network.UnplugAsync(spec.Instance, default);
            await network.UnplugAsync(spec.Instance, default);
            Assert.False((await Programs.RunAsync("ip", ["-n", name, "link", "show", TapNetwork.NameOf(spec.Instance, 0)], default)).Ok);
        }
        finally { await Programs.RunAsync("ip", ["netns", "del", name], default); }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
