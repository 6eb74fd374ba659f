// Looking into the audit: search and paging by serial, streaming for export, verification, and the removal of what is old.
using System.Data;
using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts.Audit;
using WebManager.Engine.Model;
using WebManager.Web.Data;

namespace WebManager.Web.Audit;

/// <summary>What to look for; null: anything. Operation and Result match from their beginning; Subject with a colon is one object, without one a part of a name.</summary>
public sealed record AuditFilter
{
    public string? User { get; init; }
    public DateTimeOffset? From { get; init; }
    public DateTimeOffset? To { get; init; }
    public string? Face { get; init; }
    public string? Address { get; init; }
    public string? Operation { get; init; }
    public string? Subject { get; init; }

    /// <summary>Entries about this object, by its whole name, are found besides those about Subject.</summary>
    public string? AlsoSubject { get; init; }
    public string? Result { get; init; }
    public long? Job { get; init; }

    public IQueryable<AuditRow> Of(IQueryable<AuditRow> rows)
    {
        if (User is { } user) { rows = rows.Where(a => a.User == user); }
        if (From is { } from) { rows = rows.Where(a => a.At >= from); }
        if (To is { } to) { rows = rows.Where(a => a.At < to); }
        if (Face is { } face) { rows = rows.Where(a => a.Face == face); }
        if (Address is { } address) { rows = rows.Where(a => a.Address == address); }
        if (Operation is { } operation) { rows = rows.Where(a => a.Operation.StartsWith(operation)); }
        if (Result is { } result) { rows = rows.Where(a => a.Result.StartsWith(result)); }
        if (Job is { } job) { rows = rows.Where(a => a.Job == job); }
        if (Subject is not { } subject) { return rows; }
        if (AlsoSubject is { } also) { return rows.Where(a => (" " + a.Subject + " ").Contains(" " + subject + " ") || (" " + a.Subject + " ").Contains(" " + also + " ")); }
        return subject.Contains(':', StringComparison.Ordinal) ? rows.Where(a => (" " + a.Subject + " ").Contains(" " + subject + " ")) : rows.Where(a => a.Subject.Contains(subject));
    }
}

public sealed class AuditLog(IDbContextFactory<PortalDb> dbs, TimeProvider time)
{
    private const int Batch = 1000;

    /// <summary>Newest first, from before the serial; null: from the newest.</summary>
    public async Task<IReadOnlyList<AuditRow>> SearchAsync(AuditFilter filter, long? before, int limit, CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        var rows = filter.Of(db.Audit.AsNoTracking());
        if (before is { } serial) { rows = rows.Where(a => a.Serial < serial); }
        return await rows.OrderByDescending(a => a.Serial).Take(limit).ToListAsync(ct);
    }

    /// <summary>All that match, oldest first, however many; a batch at a time, so that no reader holds a snapshot for as long as a slow client reads.</summary>
    public async IAsyncEnumerable<AuditRow> AllAsync(AuditFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var after = 0L; ;)
        {
            List<AuditRow> rows;
            await using (var db = await dbs.CreateDbContextAsync(ct))
            {
                rows = await filter.Of(db.Audit.AsNoTracking()).Where(a => a.Serial > after).OrderBy(a => a.Serial).Take(Batch).ToListAsync(ct);
            }
            foreach (var row in rows) { yield return row; }
            if (rows.Count < Batch) { yield break; }
            after = rows[^1].Serial;
        }
    }

    /// <summary>On a thread of its own: SQLite blocks while it reads.</summary>
    public Task<AuditReport> VerifyAsync(AuditMark? noted, CancellationToken ct) => Task.Run(async () =>
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        await db.Database.OpenConnectionAsync(ct);
        return AuditVerifier.Verify(db.Database.GetDbConnection(), noted);
    }, ct);

    /// <summary>Removes what is older, from the oldest on and without holes; one entry says up to where, and the mark stays for verifying. How many it removed.</summary>
    public Task<long> RemoveOlderAsync(TimeSpan age, CancellationToken ct) => Task.Run(async () =>
    {
        var now = time.GetUtcNow();
        await using var db = await dbs.CreateDbContextAsync(ct);
        await db.Database.OpenConnectionAsync(ct);
        var connection = db.Database.GetDbConnection();
        using var audit = new AuditWriter(db, connection);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.Serializable, ct);
        var limit = (now - age).UtcTicks;
        var last = AuditReader.Read(connection, transaction, $"""WHERE "Id" < COALESCE((SELECT MIN("Id") FROM "audit" WHERE "At" >= {limit}), 9223372036854775807) ORDER BY "Id" DESC LIMIT 1""").FirstOrDefault();
        if (last is null) { return 0; }
        Run(connection, transaction, $"""INSERT INTO "settings" ("Name", "Value") VALUES ('{AuditVerifier.Anchor}', '{last.Mark}') ON CONFLICT ("Name") DO UPDATE SET "Value" = '{last.Mark}'""");
        audit.Append([new AuditEntry(now, "portal", "portal", null, AuditVerifier.Retention, "audit", "success", null, $"Removed what was older than {age.TotalDays:0} days, up to {last.Mark}")], transaction);
        var removed = Run(connection, transaction, $"""DELETE FROM "audit" WHERE "Id" <= {last.Serial}""");
        await transaction.CommitAsync(ct);
        return (long)removed;
    }, ct);

    private static int Run(DbConnection connection, DbTransaction transaction, string sql)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    }
}
