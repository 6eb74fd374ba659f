using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>The secondary's exports: storage daemons, or where there is no QEMU a pretence of them.</summary>
public interface IReplicas
{
    long? OpenGeneration(Guid instance);
    Task<Outcome<ReplicaAddress>> OpenAsync(GuestSpec guest, GenerationRecord record, bool candidate, CancellationToken ct);

    /// <summary>The answer means that no write can arrive any more.</summary>
    Task<Outcome<Done>> CloseAsync(Guid instance, CancellationToken ct);
    Task AdoptAsync(Guid instance, CancellationToken ct);

    /// <summary>Does beforehand what of an opening needs no image. CloseAsync takes it back.</summary>
    Task PrepareAsync(Guid instance, CancellationToken ct) => Task.CompletedTask;

    /// <summary>See PeerHashesRequest.</summary>
    Task<Outcome<byte[]>> HashAsync(PeerHashesRequest asked, CancellationToken ct);
}

/// <summary>The instances' images on this node.</summary>
public interface IDisks
{
    Task<Outcome<Done>> CreateAsync(GuestSpec guest, CancellationToken ct);

    /// <param name="keep">A file of the instance's folder that stays.</param>
    void Remove(Guid instance, string? keep = null);
    int Count(Guid instance);

    /// <summary>An image of the guest is missing here.</summary>
    bool Lacks(GuestSpec guest) => guest.Template != DiskTemplate.Diskless && Count(guest.Instance) < guest.Disks.Count;
    long FreeMiB();
    long CapacityMiB();
}

/// <summary>Exports by storage daemons.</summary>
public sealed class QemuReplicas(ReplicaExporter exporter) : IReplicas
{
    public long? OpenGeneration(Guid instance) => exporter.OpenGeneration(instance);
    public Task<Outcome<ReplicaAddress>> OpenAsync(GuestSpec guest, GenerationRecord record, bool candidate, CancellationToken ct) => exporter.OpenAsync(guest, record, ct, candidate);
    public Task<Outcome<Done>> CloseAsync(Guid instance, CancellationToken ct) => exporter.CloseAsync(instance, ct);
    public Task AdoptAsync(Guid instance, CancellationToken ct) => exporter.AdoptAsync(instance, ct);
    public Task PrepareAsync(Guid instance, CancellationToken ct) => exporter.PrepareAsync(instance, ct);
    public Task<Outcome<byte[]>> HashAsync(PeerHashesRequest asked, CancellationToken ct) => exporter.HashAsync(asked.Record, asked.Disk, asked.Offset, asked.Length, ct);
}

/// <summary>For the Fake hypervisor: an export is a number in memory, spent by a restart like a real one.</summary>
public sealed class FakeReplicas(string host) : IReplicas
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<Guid, (long Number, ReplicaAddress Address)> _open = new();

    public long? OpenGeneration(Guid instance) => _open.TryGetValue(instance, out var open) ? open.Number : null;

    public Task<Outcome<ReplicaAddress>> OpenAsync(GuestSpec guest, GenerationRecord record, bool candidate, CancellationToken ct)
    {
        var address = new ReplicaAddress(host, 1, [.. guest.Disks.Select(d => $"{record.Instance:N}-d{d.Index}-g{record.Number}-{record.Tag}")]);
        _open[record.Instance] = (record.Number, address);
        return Task.FromResult<Outcome<ReplicaAddress>>(address);
    }

    public Task<Outcome<Done>> CloseAsync(Guid instance, CancellationToken ct)
    {
        _open.TryRemove(instance, out _);
        return Task.FromResult<Outcome<Done>>(Done.Value);
    }

    public Task AdoptAsync(Guid instance, CancellationToken ct) => Task.CompletedTask;

    public Task<Outcome<byte[]>> HashAsync(PeerHashesRequest asked, CancellationToken ct) =>
        Task.FromResult<Outcome<byte[]>>(new Refusal("replica.not-open", "Copies are pretended here."));
}

/// <summary>For the Fake hypervisor: images are empty files.</summary>
public sealed class FakeDisks(string instances, long? diskMiB) : IDisks
{
    public Task<Outcome<Done>> CreateAsync(GuestSpec guest, CancellationToken ct)
    {
        var home = Path.Combine(instances, guest.Instance.ToString());
        Directory.CreateDirectory(home);
        foreach (var disk in guest.Disks) File.Open(Path.Combine(home, $"disk{disk.Index}.qcow2"), FileMode.OpenOrCreate).Dispose();
        return Task.FromResult<Outcome<Done>>(Done.Value);
    }

    public void Remove(Guid instance, string? keep = null) => new GuestPaths(Path.Combine(instances, instance.ToString()), Path.Combine(instances, instance.ToString())).Remove(keep);

    public int Count(Guid instance)
    {
        var home = Path.Combine(instances, instance.ToString());
        return Directory.Exists(home) ? Directory.EnumerateFiles(home, "disk*.qcow2").Count() : 0;
    }

    public long CapacityMiB() => diskMiB ?? 100 * 1024;

    public long FreeMiB() => CapacityMiB();
}

/// <summary>Images through qemu-img.</summary>
public sealed class QemuDisks(FileImages images) : IDisks
{
    public Task<Outcome<Done>> CreateAsync(GuestSpec guest, CancellationToken ct) => images.CreateAsync(guest, ct);
    public void Remove(Guid instance, string? keep = null) => images.Remove(instance, keep);
    public int Count(Guid instance) => images.Count(instance);
    public long FreeMiB() => images.FreeMiB();
    public long CapacityMiB() => images.CapacityMiB();
}
