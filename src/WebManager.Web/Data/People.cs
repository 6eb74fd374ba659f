// Everybody with an account, in memory, equal to the table: the engine asks at every decision.
using System.Collections.Concurrent;
using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Data;

public sealed class People : IPeople
{
    private readonly ConcurrentDictionary<string, Person> _byId = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Person> _byName = new(StringComparer.OrdinalIgnoreCase);

    public event Action? Changed;

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<Person> All => [.. _byId.Values.OrderBy(p => p.Name, StringComparer.OrdinalIgnoreCase)];

    public Person? Find(string idOrName) => _byId.GetValueOrDefault(idOrName) ?? _byName.GetValueOrDefault(idOrName);

    internal async Task LoadAsync(PortalDb db, CancellationToken ct) => Apply([.. (await db.Users.AsNoTracking().ToListAsync(ct)).Select(u => (u, false))]);

    /// <summary>Reads one account again.</summary>
    public async Task RefreshAsync(PortalDb db, string userId, CancellationToken ct)
    {
        var user = await db.Users.AsNoTracking().FirstOrDefaultAsync(u => u.Id == userId, ct);
        Apply([user is null ? (new PortalUser { Id = userId }, true) : (user, false)]);
    }

    internal void Apply(IReadOnlyList<(PortalUser User, bool Gone)> changes)
    {
        var changed = false;
        foreach (var (user, gone) in changes)
        {
            var old = _byId.GetValueOrDefault(user.Id);
            var person = gone ? null : new Person(user.Id, user.UserName ?? user.Id, user.Active, user.Administrator);
            if (old == person) { continue; }
            changed = true;
            if (old is not null) { _byName.TryRemove(old.Name, out _); }
            if (person is null) { _byId.TryRemove(user.Id, out _); }
            else { _byId[person.Id] = _byName[person.Name] = person; }
        }
        if (changed) { Changed?.Invoke(); }
    }
}

/// <summary>Hears of every change to an account once it is durable.</summary>
public sealed class PeopleWatch(People people) : SaveChangesInterceptor, IDbTransactionInterceptor
{
    private readonly ConditionalWeakTable<DbContext, List<(PortalUser User, bool Gone)>> _saving = [], _waiting = [];

    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Note(eventData.Context);
        return result;
    }

    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Note(eventData.Context);
        return ValueTask.FromResult(result);
    }

    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        Saved(eventData.Context);
        return result;
    }

    public override ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        Saved(eventData.Context);
        return ValueTask.FromResult(result);
    }

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => Committed(eventData.Context);

    public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Committed(eventData.Context);
        return Task.CompletedTask;
    }

    public void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) => Drop(eventData.Context);

    public Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Drop(eventData.Context);
        return Task.CompletedTask;
    }

    private void Note(DbContext? db)
    {
        if (db is null) { return; }
        var users = db.ChangeTracker.Entries<PortalUser>().Where(e => e.State is EntityState.Added or EntityState.Modified or EntityState.Deleted)
            .Select(e => (e.Entity, e.State == EntityState.Deleted)).ToList();
        if (users.Count > 0) { _saving.AddOrUpdate(db, users); }
    }

    /// <summary>Within a transaction nothing is certain yet.</summary>
    private void Saved(DbContext? db)
    {
        if (db is null || !_saving.TryGetValue(db, out var users)) { return; }
        _saving.Remove(db);
        if (db.Database.CurrentTransaction is null) { people.Apply(users); }
        else { _waiting.GetOrCreateValue(db).AddRange(users); }
    }

    private void Committed(DbContext? db)
    {
        if (db is null || !_waiting.TryGetValue(db, out var users)) { return; }
        _waiting.Remove(db);
        people.Apply(users);
    }

    private void Drop(DbContext? db)
    {
        if (db is not null) { _waiting.Remove(db); }
    }
}
