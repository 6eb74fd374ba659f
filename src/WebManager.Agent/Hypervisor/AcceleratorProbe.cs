// Which accelerator guests can really use. /dev/kvm may be there and still hang every guest (nested machines), so a guest is tried.
using System.Text.Json;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>The accelerator in use, QEMU's version, and for people why it is not KVM.</summary>
public sealed record Accelerator(HypervisorKind Kind, string Version, string? Note);

public sealed class AcceleratorProbe(HypervisorOptions options, string nodeFolder, TimeProvider clock)
{
    private const int BootedCode = 33;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private sealed record Known(string Boot, string Wish, Accelerator Accelerator);

    private string Cache => Path.Combine(nodeFolder, "accelerator.json");

    /// <summary>Asked once per boot of the machine; later calls read the file.</summary>
    public async Task<Accelerator> ChooseAsync(CancellationToken ct)
    {
        if (options.Accelerator == "fake") return new Accelerator(HypervisorKind.Fake, "1", "The node is set to run no real guests.");
        var boot = File.Exists("/proc/sys/kernel/random/boot_id") ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : "";
        if (Read() is { } known && known.Boot == boot && known.Wish == options.Accelerator) return known.Accelerator;
        var version = await VersionAsync(ct);
        if (version is null) return new Accelerator(HypervisorKind.Fake, "1", $"{options.Qemu} is not installed on this node: guests are only pretended.");
        var chosen = await ChooseAsync(version, ct);
        Directory.CreateDirectory(nodeFolder);
        await File.WriteAllBytesAsync(Cache, JsonSerializer.SerializeToUtf8Bytes(new Known(boot, options.Accelerator, chosen), WireJson.Options), ct);
        return chosen;
    }

    private async Task<Accelerator> ChooseAsync(string version, CancellationToken ct)
    {
        if (options.Accelerator == "tcg") return new Accelerator(HypervisorKind.Tcg, version, "The node is set to emulate the CPU.");
        var why = !File.Exists("/dev/kvm") ? "There is no /dev/kvm" : await BootAsync(ct);
        if (why is null) return new Accelerator(HypervisorKind.Kvm, version, null);
        return new Accelerator(HypervisorKind.Tcg, version, $"{why}: guests run by emulation, slower.");
    }

    private Known? Read()
    {
        try { return JsonSerializer.Deserialize<Known>(File.ReadAllBytes(Cache), WireJson.Options); }
        catch (Exception e) when (e is IOException or JsonException) { return null; }
    }

    private async Task<string?> VersionAsync(CancellationToken ct)
    {
        var answer = await Programs.RunAsync(options.Qemu, ["--version"], ct);
        // QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)
        return answer.Ok ? answer.Output.Split(' ', '\n').FirstOrDefault(w => w.Length > 0 && char.IsAsciiDigit(w[0])) ?? "" : null;
    }

    /// <summary>Boots the probe guest with KVM, with the CPU that real guests would get; null when it came up.</summary>
    private async Task<string?> BootAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(nodeFolder);
        var disk = Path.Combine(nodeFolder, "probe.img");
        await File.WriteAllBytesAsync(disk, BootDisk(), ct);
        using var limit = new CancellationTokenSource(Limit, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            var ended = await Programs.RunAsync(options.Qemu,
            [
                "-accel", "kvm", "-cpu", "host", "-machine", "q35", "-m", "64M", "-nodefaults", "-no-user-config", "-display", "none",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-drive", $"file={QemuCommandLine.Escaped(disk)},format=raw,if=virtio",
            ], both.Token);
            return ended.ExitCode == BootedCode ? null : $"KVM fails here ({ended.Why.Split('\n')[0]})";
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { return $"KVM is there, but a guest did not boot with it in {Limit.TotalSeconds:0} s"; }
        finally { File.Delete(disk); }
    }

    // A boot sector: mov dx,0xf4; mov al,0x10; out dx,al (QEMU exits with 0x10*2+1); cli; hlt; jmp. One MiB, because firmware reads whole cylinders.
    private static byte[] BootDisk()
    {
        var disk = new byte[1024 * 1024];
        byte[] code = [0xBA, 0xF4, 0x00, 0xB0, 0x10, 0xEE, 0xFA, 0xF4, 0xEB, 0xFC];
        code.CopyTo(disk, 0);
        (disk[510], disk[511]) = (0x55, 0xAA);
        return disk;
    }
}
