// Who is to be told at once that a sign-in is over: pages, consoles, feeds. They watch the principal that they serve.
using System.Security.Claims;

namespace WebManager.Web.Identity;

public sealed class SessionWatch
{
    private readonly Lock _gate = new();
    private readonly HashSet<Watched> _all = [];

    /// <summary>How many watch now.</summary>
    public int Count { get { lock (_gate) { return _all.Count; } } }

    /// <summary>Until disposed. Sessions.WatchAsync also sees what ended just before.</summary>
    public Watched Watch(ClaimsPrincipal who)
    {
        var watched = new Watched(this, who.FindFirstValue(ClaimTypes.NameIdentifier) ?? "", Callers.SourceOf(who));
        lock (_gate) { _all.Add(watched); }
        return watched;
    }

    /// <summary>Ends what is open for this user. which: by the id of the session or token; left out: all.</summary>
    public void End(string userId, Func<Guid?, bool>? which = null)
    {
        List<Watched> over;
        lock (_gate) { over = [.. _all.Where(w => w.UserId == userId && (which?.Invoke(w.Source) ?? true))]; }
        foreach (var watched in over) { watched.End(); }
    }

    public sealed class Watched(SessionWatch owner, string userId, Guid? source) : IDisposable
    {
        private readonly CancellationTokenSource _ended = new();

        public string UserId { get; } = userId;

        /// <summary>The session or token that signed in; null: the host's own token.</summary>
        public Guid? Source { get; } = source;

        /// <summary>Cancelled when the sign-in is over.</summary>
        public CancellationToken Ended => _ended.Token;

        // Not awaited: what hangs on it must not hold up who ends it.
        internal void End() => _ = _ended.CancelAsync();

        public void Dispose()
        {
            lock (owner._gate) { owner._all.Remove(this); }
        }
    }
}
