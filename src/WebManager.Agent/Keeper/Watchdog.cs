using WebManager.Contracts;

namespace WebManager.Agent.Keeper;

/// <summary>
/// The machine's watchdog (/dev/watchdog): once opened it resets the machine unless it is fed. Fed every second while all that had to die is
/// dead; only told to stop at an orderly end. A keeper that is killed leaves it running, and its successor has the device's own time to take over.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly byte[] Food = [0];
    private static readonly byte[] MagicClose = "V"u8.ToArray();
    private readonly FileStream _device;
    private readonly Lock _gate = new();
    private TimeSpan? _fedAt;
    private bool _closed;

    private Watchdog(FileStream device) => _device = device;

    public static Outcome<Watchdog> Open(string path)
    {
        try
        {
            return new Watchdog(new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0));
        }
        catch (Exception ex) when (ex is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return new Refusal("watchdog.not-opened", $"The watchdog {path} cannot be opened: {ex.Message}",
                "Load its driver (softdog, iTCO_wdt, ...), see that nobody else holds it, or take watchdog out of agent.json.") { Field = "watchdog" };
        }
    }

    /// <summary>Called often; feeds when it is time to and the keeper is well.</summary>
    public void Feed(TimeSpan now, bool well)
    {
        lock (_gate)
        {
            if (_closed || !well || now - _fedAt < Every) return;
            _fedAt = now;
            try { _device.Write(Food); }
            catch (IOException)
            {
                // A device that takes nothing will do what it is for; the guests need not die of it before.
            }
        }
    }

    /// <summary>Nothing is left that could do harm: the machine goes on without it.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            _device.Write(MagicClose);
            _device.Dispose();
        }
    }

    public void Dispose() => _device.Dispose();
}
