// One after the other by name: tries at one name that come at once must not count as one. Names do not wait for each other, so a directory
// that does not answer for one holds up nobody else.
namespace WebManager.Web.Identity;

internal sealed class NameGates
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Gate> _open = new(StringComparer.OrdinalIgnoreCase);

    private sealed class Gate
    {
        public SemaphoreSlim One { get; } = new(1, 1);
        public int Waiting { get; set; }
    }

    public async Task<T> AloneAsync<T>(string name, Func<Task<T>> step)
    {
        var gate = Enter(name);
        try
        {
            await gate.One.WaitAsync();
            try { return await step(); }
            finally { gate.One.Release(); }
        }
        finally { Leave(name, gate); }
    }

    private Gate Enter(string name)
    {
        lock (_gate)
        {
            if (!_open.TryGetValue(name, out var gate)) { _open[name] = gate = new Gate(); }
            gate.Waiting++;
            return gate;
        }
    }

    private void Leave(string name, Gate gate)
    {
        lock (_gate)
        {
            if (--gate.Waiting == 0) { _open.Remove(name); }
        }
    }
}
