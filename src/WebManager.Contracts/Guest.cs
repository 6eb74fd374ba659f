namespace WebManager.Contracts;

/// <summary>diskless: none. file: one image on the primary. mirror: an image on primary and secondary, each write confirmed by both.</summary>
public enum DiskTemplate { Diskless, File, Mirror }

/// <summary>One disk. Index 0 is the first the guest sees.</summary>
public sealed record DiskSpec(int Index, Guid Id, long SizeMiB);

/// <summary>One network card; the address keeps with the instance over failover. Ip in CIDR form (10.77.1.20/24); null: DHCP (user-mode networking).</summary>
public sealed record NicSpec(int Index, string Mac, string? Ip, string? Gateway);

/// <summary>All a node needs to run a guest; self-contained so that any node can start it.</summary>
public sealed record GuestSpec(Guid Instance, string Name, string Image, int Vcpus, int MemoryMiB, DiskTemplate Template,
    IReadOnlyList<DiskSpec> Disks, IReadOnlyList<NicSpec> Nics)
{
    /// <summary>Values for the guest's own set-up, like beat=on; written to the NoCloud seed.</summary>
    public IReadOnlyDictionary<string, string> OsParams { get; init; } = new Dictionary<string, string>();

    /// <summary>A VGA adapter, so that VNC shows a screen; without KVM the guest boots some tenths of a second slower.</summary>
    public bool Screen { get; init; }

    /// <summary>OpenSSH public keys, one line each.</summary>
    public IReadOnlyList<string> SshKeys { get; init; } = [];

    /// <summary>The guest's own SSH host key (OpenSSH private key file, PEM), the same on every node; null: the guest makes one.</summary>
    public string? SshHostKey { get; init; }
}
