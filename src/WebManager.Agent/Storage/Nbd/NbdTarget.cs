namespace WebManager.Agent.Storage.Nbd;

/// <summary>An export and the way to it: a unix socket, or a host and port with the certificates that both ends show.</summary>
public sealed record NbdTarget(string Export)
{
    public string? Socket { get; init; }
    public string Host { get; init; } = "";
    public int Port { get; init; }

    /// <summary>Null: not encrypted.</summary>
    public NodeTls? Tls { get; init; }

    /// <summary>The node whose certificate the server must show.</summary>
    public string Peer { get; init; } = "";

    /// <summary>Which disk of its instance it is, for what is said of its errors.</summary>
    public int Disk { get; init; }

    /// <summary>The metadata that <see cref="NbdClient.ExtentsAsync"/> asks for; null: none.</summary>
    public string? Context { get; init; }
}

/// <summary>A stretch of a disk and what the metadata context says about it.</summary>
public readonly record struct NbdExtent(long Offset, long Length, uint Flags);

/// <summary>The server refused a request, or is no NBD server that serves us.</summary>
public class NbdException(string message) : IOException(message);

/// <summary>The server's own disk failed.</summary>
/// <param name="error">Its errno.</param>
/// <param name="written">It was to be written or flushed.</param>
public sealed class NbdDiskException(string message, int disk, uint error, bool written) : NbdException(message)
{
    /// <summary>What the protocol calls these errors.</summary>
    public const uint IoError = 5, NoSpace = 28;

    public int Disk => disk;
    public bool Written => written;
    public bool Full => error == NoSpace;
}
