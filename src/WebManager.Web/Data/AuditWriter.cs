// Adds audit entries to their chain, inside the transaction that changes the cluster. It remembers nothing between calls: the newest entry is
// read from the database each time, so a savepoint or transaction that is rolled back takes its entries and their place in the chain with it.
using System.Data.Common;
using System.Globalization;
using WebManager.Contracts.Audit;
using WebManager.Engine.Model;

namespace WebManager.Web.Data;

internal sealed class AuditWriter : IDisposable
{
    private readonly DbConnection _connection;
    private readonly RowWriter<AuditRow> _rows;
    private readonly DbCommand _head, _newHead;

    public AuditWriter(PortalDb db, DbConnection connection)
    {
        (_connection, _rows) = (connection, new(db, connection));
        (_head, _newHead) = (connection.CreateCommand(), connection.CreateCommand());
        _head.CommandText = $"""SELECT "Value" FROM "settings" WHERE "Name" = '{AuditVerifier.Head}'""";
        _newHead.CommandText = $"""INSERT INTO "settings" ("Name", "Value") VALUES ('{AuditVerifier.Head}', @value) ON CONFLICT ("Name") DO UPDATE SET "Value" = @value""";
        var value = _newHead.CreateParameter();
        value.ParameterName = "@value";
        _newHead.Parameters.Add(value);
    }

    public void Append(IReadOnlyList<AuditEntry> entries, DbTransaction transaction)
    {
        if (entries.Count == 0) { return; }
        var head = Head(transaction) ?? ChainOld(entries[0].At, transaction);
        foreach (var entry in entries) { head = Add(head, entry, transaction); }
        Note(head, transaction);
    }

    /// <summary>Ties entries of a portal that had no chain to each other. Nothing to do once there is one.</summary>
    public void Begin(DateTimeOffset now, DbTransaction transaction)
    {
        if (Head(transaction) is null) { Note(ChainOld(now, transaction), transaction); }
    }

    public void Dispose()
    {
        _rows.Dispose();
        _head.Dispose();
        _newHead.Dispose();
    }

    // The place follows from what was noted last, not from what the table has: entries that were removed stay missed for ever.
    private AuditMark Add(AuditMark head, AuditEntry entry, DbTransaction transaction)
    {
        var row = AuditRow.After(head, head.Serial + 1, entry);
        if (_rows.Insert(row, transaction)) { return row.Mark; }
        // Something else wrote there. The portal goes on behind it; verifying finds the stranger.
        row = AuditRow.After(head, Newest(transaction) + 1, entry);
        if (!_rows.Insert(row, transaction)) { throw new InvalidOperationException($"Audit entry {row.Serial} is there already."); }
        return row.Mark;
    }

    private AuditMark? Head(DbTransaction transaction)
    {
        _head.Transaction = transaction;
        return AuditMark.TryParse(_head.ExecuteScalar() as string, out var mark) ? mark : null;
    }

    private void Note(AuditMark head, DbTransaction transaction)
    {
        _newHead.Transaction = transaction;
        _newHead.Parameters[0].Value = head.ToString();
        _newHead.ExecuteNonQuery();
    }

    private AuditMark ChainOld(DateTimeOffset now, DbTransaction transaction)
    {
        var chained = Sql($"""SELECT "Id" || ':' || "Hash" FROM "audit" WHERE "Hash" <> '' ORDER BY "Id" DESC LIMIT 1""", transaction) as string;
        if (AuditMark.TryParse(chained, out var last))
        {
            return Add(last, new AuditEntry(now, "portal", "portal", null, AuditVerifier.HeadLost, "audit", "error", null, "The note of the newest entry was gone."), transaction);
        }
        var old = AuditReader.Read(_connection, transaction, """WHERE "Hash" = '' ORDER BY "Id" """).ToList();
        var head = AuditMark.Start;
        using var update = _connection.CreateCommand();
        update.Transaction = transaction;
        update.CommandText = """UPDATE "audit" SET "Id" = @serial, "Previous" = @previous, "Hash" = @hash WHERE "Id" = @old""";
        foreach (var name in (string[])["@serial", "@previous", "@hash", "@old"])
        {
            var parameter = update.CreateParameter();
            parameter.ParameterName = name;
            update.Parameters.Add(parameter);
        }
        foreach (var row in old)
        {
            var chainedRow = row.ChainedAfter(head);
            object[] values = [chainedRow.Serial, chainedRow.Previous, chainedRow.Hash, row.Serial];
            for (var i = 0; i < values.Length; i++) { update.Parameters[i].Value = values[i]; }
            update.ExecuteNonQuery();
            head = chainedRow.Mark;
        }
        return head;
    }

    private long Newest(DbTransaction transaction) => Convert.ToInt64(Sql("""SELECT MAX("Id") FROM "audit" """, transaction), CultureInfo.InvariantCulture);

    private object? Sql(string sql, DbTransaction transaction)
    {
        using var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}

/// <summary>Reads rows as they are stored, on a connection that somebody else holds.</summary>
internal static class AuditReader
{
    public static IEnumerable<AuditRow> Read(DbConnection connection, DbTransaction? transaction, string where)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = $"""SELECT "Id", "At", "User", "Face", "Address", "Operation", "Subject", "Result", "Job", "Reason", "Previous", "Hash" FROM "audit" {where}""";
        using var r = command.ExecuteReader();
        string? Text(int column) => r.IsDBNull(column) ? null : r.GetString(column);
        while (r.Read())
        {
            yield return new AuditRow(r.GetInt64(0), new DateTimeOffset(r.GetInt64(1), TimeSpan.Zero), r.GetString(2), r.GetString(3), Text(4), r.GetString(5), r.GetString(6), r.GetString(7),
                r.IsDBNull(8) ? null : r.GetInt64(8), Text(9), r.GetString(10), r.GetString(11));
        }
    }
}
