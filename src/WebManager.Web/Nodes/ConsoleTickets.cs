// One-time tickets that let a page's console in: bound to user and instance, gone after ten seconds.
using System.Collections.Concurrent;
using WebManager.Web.Identity;

namespace WebManager.Web.Nodes;

public interface IConsoleTickets
{
    /// <summary>For /console/{instance}/serial?ticket=. userId is the signed-in user's (Caller.UserId); the caller has checked that they may use the console.</summary>
    string Create(string userId, Guid instanceId);

    /// <summary>True once for a ticket of that user and instance.</summary>
    bool Redeem(string ticket, string userId, Guid instanceId);
}

public sealed class ConsoleTickets(TimeProvider time) : IConsoleTickets
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, Ticket> _tickets = new(StringComparer.Ordinal);

    private sealed record Ticket(string User, Guid Instance, DateTimeOffset Until);

    public string Create(string userId, Guid instanceId)
    {
        var now = time.GetUtcNow();
        foreach (var (old, _) in _tickets.Where(t => t.Value.Until < now)) { _tickets.TryRemove(old, out _); }
        var ticket = Secrets.New();
        _tickets[Secrets.Hash(ticket)] = new Ticket(userId, instanceId, now + s_lifetime);
        return ticket;
    }

    public bool Redeem(string ticket, string userId, Guid instanceId) =>
        _tickets.TryRemove(Secrets.Hash(ticket), out var found) && found == new Ticket(userId, instanceId, found.Until) && found.Until >= time.GetUtcNow();
}
