using WebManager.Agent.Hypervisor;
using WebManager.Agent.Network;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

public sealed class CommandLineTests
{
    private static readonly GuestImage Image = new("tiny", "1", "/i/vmlinux", "/i/initrd", "console=ttyS0 quiet", 64);
    private static readonly GuestPaths Paths = new("/node/a,b", "/node/a,b");

    private static IReadOnlyList<string> Build(GuestSpec spec, GenerationRecord? record = null, ReplicaAddress? replica = null, NicPlug? plug = null) =>
        QemuCommandLine.Build(new GuestStart(spec, "/node/a,b", record, replica), new QemuMachine("qemu", HypervisorKind.Tcg, Paths, Image, [plug ?? new NicPlug.User()]));

    [Theory]
    [InlineData("web,accel=kvm")]
    [InlineData("-monitor")]
    [InlineData("a\nb")]
    [InlineData("../../etc")]
    [InlineData("")]
    public void Hostile_names_never_reach_the_command_line(string name)
    {
        var spec = Bench.Spec(DiskTemplate.File) with { Name = name };
        var line = Build(spec);
        Assert.Contains($"{spec.Instance},debug-threads=on", line);
        if (name.Length > 0) Assert.DoesNotContain(line, a => a.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public void Commas_in_paths_are_doubled_where_they_would_end_a_value()
    {
        Assert.Contains(Build(Bench.Spec(DiskTemplate.File)), a => a.Contains("path=/node/a,,b/qmp.sock,", StringComparison.Ordinal));
    }

    [Fact]
    public void Data_disks_come_before_the_seed_and_pause_the_guest_on_errors()
    {
        var devices = Build(Bench.Spec(DiskTemplate.File, 2)).Where(a => a.StartsWith("virtio-blk-pci", StringComparison.Ordinal)).ToList();
        Assert.Equal(["vd0", "vd1", "seed0"], devices.Select(d => d.Split("id=")[1].Split(',')[0]));
        Assert.All(devices[..2], d => Assert.EndsWith("werror=stop,rerror=stop", d, StringComparison.Ordinal));
    }

    [Fact]
    public void What_waits_for_a_guest_has_its_devices_on_the_local_image_and_sockets_of_its_own()
    {
        var spec = Bench.Spec(DiskTemplate.Mirror, 2);
        var start = new GuestStart(spec, "/node/a,b", Bench.Record(spec, 7, SyncState.InSync), null);
        var waits = QemuCommandLine.Build(start, new QemuMachine("qemu", HypervisorKind.Tcg, Paths.Waiting(), Image, [new NicPlug.User()]) { Incoming = true });
        var runs = Build(spec, start.Record, new ReplicaAddress("10.0.0.2", 10809, ["e0", "e1"]));
        static string[] Devices(IReadOnlyList<string> line) => [.. line.Zip(line.Skip(1)).Where(a => a.First == "-device").Select(a => a.Second.Split(",drive=pair")[0].Split(",drive=local")[0])];
        Assert.Equal(Devices(runs), Devices(waits));
        Assert.Contains("defer", waits);
        Assert.DoesNotContain(waits, a => a.Contains("nbd", StringComparison.Ordinal) || a.Contains(".sock", StringComparison.Ordinal));
        Assert.Contains(waits, a => a.StartsWith("virtio-blk-pci,id=vd1,drive=local1,", StringComparison.Ordinal));
    }

    [Fact]
    public void Guest_in_sync_is_on_both_copies_from_its_first_write()
    {
        var spec = Bench.Spec(DiskTemplate.Mirror);
        var line = Build(spec, Bench.Record(spec, 7, SyncState.InSync), new ReplicaAddress("10.0.0.2", 10809, ["e0"]));
        Assert.Contains(line, a => a.Contains("drive=pair0-g7-1,", StringComparison.Ordinal));
        Assert.Contains(line, a => a.Contains("\"vote-threshold\":2", StringComparison.Ordinal));
        Assert.Contains(line, a => a.Contains("\"export\":\"e0\"", StringComparison.Ordinal) && a.Contains("\"reconnect-delay\":0", StringComparison.Ordinal));
    }

    [Fact]
    public void Guest_alone_is_on_its_local_image()
    {
        var spec = Bench.Spec(DiskTemplate.Mirror);
        var line = Build(spec, Bench.Record(spec, 7, SyncState.Alone));
        Assert.Contains(line, a => a.Contains("drive=local0,", StringComparison.Ordinal));
        Assert.DoesNotContain(line, a => a.Contains("quorum", StringComparison.Ordinal));
    }

    [Fact]
    public void Screen_comes_with_its_own_kernel_and_only_when_wished()
    {
        Assert.DoesNotContain("-vga", Build(Bench.Spec(DiskTemplate.File)));
        Assert.Contains("-vga", Build(Bench.Spec(DiskTemplate.File) with { Screen = true }));
    }

    [Fact]
    public void Diskless_guest_has_only_its_seed() =>
        Assert.Single(Build(Bench.Spec(DiskTemplate.Diskless)), a => a.StartsWith("virtio-blk-pci", StringComparison.Ordinal));

    [Fact]
    public void Tap_is_named_by_the_node()
    {
        var spec = Bench.Spec(DiskTemplate.Diskless);
        var tap = TapNetwork.NameOf(spec.Instance, 0);
        Assert.True(tap.Length <= 15);
        Assert.Contains(Build(spec, plug: new NicPlug.Tap(tap)), a => a == $"tap,id=net0,ifname={tap},script=no,downscript=no");
    }

    [Theory]
    [InlineData("52:54:00:00:00:01,romfile=/etc/passwd")]
    [InlineData("52:54:00:00:00")]
    public void Bad_mac_is_refused(string mac)
    {
        var spec = Bench.Spec(DiskTemplate.Diskless) with { Nics = [new NicSpec(0, mac, null, null)] };
        Assert.Equal("guest.bad-mac", QemuCommandLine.Check(new GuestStart(spec, "/x", null, null), Image)?.Code);
    }

    [Fact]
    public void Too_little_memory_for_the_image_is_refused() => Assert.Equal("guest.too-little-memory",
        QemuCommandLine.Check(new GuestStart(Bench.Spec(DiskTemplate.Diskless) with { MemoryMiB = 32 }, "/x", null, null), Image)?.Code);
}
