// Once in a while for each key: the first time is allowed, and then not again for so long.
namespace WebManager.Web.Identity;

internal sealed class Seldom(TimeSpan every)
{
    private const int Most = 10_000;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _last = new(StringComparer.OrdinalIgnoreCase);

    public bool Allows(string key, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_last.TryGetValue(key, out var last) && now - last < every) { return false; }
            if (_last.Count >= Most) { foreach (var (old, at) in _last.Where(l => now - l.Value >= every).ToList()) { _last.Remove(old); } }
            // Very many at once: whoever comes late gets no letter, and the memory stays bounded.
            if (_last.Count >= Most) { return false; }
            _last[key] = now;
            return true;
        }
    }
}
