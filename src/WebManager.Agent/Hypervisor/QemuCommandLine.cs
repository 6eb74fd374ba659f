// Turns a start into QEMU's argument list: pure, so that hostile names can be tried against it without a guest.
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using WebManager.Agent.Network;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>All that decides a command line beside the start itself.</summary>
public sealed record QemuMachine(string Program, HypervisorKind Kind, GuestPaths Paths, GuestImage Image, IReadOnlyList<NicPlug> Plugs)
{
    /// <summary>Null: copies are not encrypted.</summary>
    public NodeTls? Tls { get; init; }

    /// <summary>It waits for a guest that comes from another node, and opens its images only when that one is here.</summary>
    public bool Incoming { get; init; }
}

public static partial class QemuCommandLine
{
    /// <summary>What no command line is made for. Names of users reach QEMU only after these checks.</summary>
    public static Refusal? Check(GuestStart start, GuestImage image)
    {
        var guest = start.Guest;
        if (guest.MemoryMiB < image.MinMemoryMiB)
            return new Refusal("guest.too-little-memory", $"The image {image.Name} needs {image.MinMemoryMiB} MiB of memory.", "Give the instance more memory.") { Field = "memoryMiB" };
        if (guest.Vcpus is < 1 or > 255) return new Refusal("guest.bad-vcpus", "A guest has 1 to 255 virtual CPUs.") { Field = "vcpus" };
        if (guest.Nics.FirstOrDefault(n => !Mac().IsMatch(n.Mac)) is { } nic)
            return new Refusal("guest.bad-mac", $"{nic.Mac} is no MAC address.") { Field = "mac" };
        if (start.Replica is { } replica && replica.Exports.Count != guest.Disks.Count)
            return new Refusal("replica.wrong-disks", $"The replica has {replica.Exports.Count} copies for {guest.Disks.Count} disks.");
        return null;
    }

    public static IReadOnlyList<string> Build(GuestStart start, QemuMachine machine)
    {
        List<string> arguments = [machine.Program, .. Base(start.Guest, machine), .. Boot(machine.Image, start.Guest.Screen), .. Sockets(machine.Paths)];
        if (start.Record is not null && machine.Tls is { } tls) arguments.AddRange(["-object", tls.Credentials(server: false).ToJsonString()]);
        if (machine.Incoming) arguments.AddRange(["-incoming", "defer"]);
        if (machine is { Incoming: true, Tls: { } own }) arguments.AddRange(["-object", own.Credentials(server: true, NodeTls.IncomingId).ToJsonString()]);
        if (start.Guest.Template != DiskTemplate.Diskless)
            foreach (var (position, disk) in start.Guest.Disks.OrderBy(d => d.Index).Index()) arguments.AddRange(Disk(start, disk, position, machine));
        arguments.AddRange(Seed(machine.Paths));
        var nics = start.Guest.Nics.OrderBy(n => n.Index).ToList();
        for (var i = 0; i < nics.Count; i++) arguments.AddRange(Nic(nics[i], machine.Plugs[i], machine.Kind));
        return arguments;
    }

    // -S: the CPU starts when our monitor and serial reader are connected, so that no event and no first line is missed.
    private static IEnumerable<string> Base(GuestSpec guest, QemuMachine machine) =>
    [
        "-S", "-nodefaults", "-no-user-config", "-display", "none",
        "-name", $"{(Name().IsMatch(guest.Name) ? guest.Name : guest.Instance.ToString())},debug-threads=on", "-uuid", guest.Instance.ToString(),
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        // What a guest of ours never uses is left out: firmware and kernel need not look at it.
        "-machine", "q35,smm=off,hpet=off,sata=off,usb=off,smbus=off,vmport=off", .. Cpu(machine.Kind),
        "-smp", guest.Vcpus.ToString(CultureInfo.InvariantCulture), "-m", $"{guest.MemoryMiB}M",
        "-device", "pvpanic",
    ];

    // A large translation buffer costs memory per guest: 32 MiB is enough for a small Linux (docs/tiny-linux.md).
    private static string[] Cpu(HypervisorKind kind) => kind switch
    {
        HypervisorKind.Kvm => ["-accel", "kvm", "-cpu", "host"],
        HypervisorKind.Tcg or HypervisorKind.Fake => ["-accel", "tcg,thread=multi,tb-size=32", "-cpu", "qemu64,+rdrand"],
    };

    private static IEnumerable<string> Boot(GuestImage image, bool screen) =>
    [
        "-kernel", screen ? image.KernelVga ?? image.Kernel : image.Kernel, .. image.Initrd is null ? (string[])[] : ["-initrd", image.Initrd],
        "-append", image.Append, .. screen ? (string[])["-vga", "std"] : [],
    ];

    private static IEnumerable<string> Sockets(GuestPaths paths) =>
    [
        "-chardev", $"socket,id=qmp,path={Escaped(paths.Qmp)},server=on,wait=off", "-mon", "chardev=qmp,mode=control",
        "-chardev", $"socket,id=serial0,path={Escaped(paths.Serial)},server=on,wait=off,logfile={Escaped(paths.SerialLog)},logappend=on",
        "-device", "isa-serial,chardev=serial0",
        "-vnc", $"unix:{Escaped(paths.Vnc)}",
    ];

    // A failed write pauses the guest, which then waits for the agent: nothing is lost, nothing is told to the guest.
    private static IEnumerable<string> Disk(GuestStart start, DiskSpec disk, int position, QemuMachine machine)
    {
        var names = DiskNodes.Of(disk.Index);
        yield return "-blockdev";
        yield return BlockNodes.File(names.LocalFile, machine.Paths.Disk(disk.Index)).ToJsonString();
        yield return "-blockdev";
        yield return BlockNodes.Qcow2(names.Local, names.LocalFile).ToJsonString();
        var drive = names.Local;
        if (start is { Replica: { } replica, Record: { } record })
        {
            var first = new CopyNodes(disk.Index, record.Number, 1);
            yield return "-blockdev";
            yield return BlockNodes.Nbd(first.Copy, replica, position, BlockNodes.ConnectAtStart, machine.Tls is null ? null : record.Secondary).ToJsonString();
            yield return "-blockdev";
            yield return BlockNodes.Quorum(first.Pair, names.Local, first.Copy).ToJsonString();
            drive = first.Pair;
        }
        yield return "-device";
        yield return $"virtio-blk-pci,id={names.Device},drive={drive},num-queues=1,werror=stop,rerror=stop";
    }

    private static IEnumerable<string> Seed(GuestPaths paths) =>
    [
        "-blockdev", new JsonObject
        {
            ["driver"] = "raw", ["node-name"] = "seed", ["read-only"] = true,
            ["file"] = new JsonObject { ["driver"] = "file", ["filename"] = paths.Seed, ["read-only"] = true },
        }.ToJsonString(),
        "-device", "virtio-blk-pci,id=seed0,drive=seed,num-queues=1",
    ];

    private static IEnumerable<string> Nic(NicSpec nic, NicPlug plug, HypervisorKind kind)
    {
        yield return "-netdev";
        yield return plug switch
        {
            NicPlug.Tap tap => $"tap,id=net{nic.Index},ifname={tap.Interface},script=no,downscript=no" + (kind == HypervisorKind.Kvm && File.Exists("/dev/vhost-net") ? ",vhost=on" : ""),
            NicPlug.User => $"user,id=net{nic.Index}",
            _ => throw new InvalidOperationException($"Unknown plug {plug}."),
        };
        // No option ROM: nobody boots from the network, and reading the ROM costs boot time.
        yield return "-device";
        yield return $"virtio-net-pci,id=nic{nic.Index},netdev=net{nic.Index},mac={nic.Mac.ToLowerInvariant()},romfile=";
    }

    /// <summary>A comma ends a value in QEMU's option syntax; doubled, it is part of the value.</summary>
    public static string Escaped(string value) => value.Replace(",", ",,", StringComparison.Ordinal);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"\A[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}\z")]
    private static partial Regex Mac();
}
