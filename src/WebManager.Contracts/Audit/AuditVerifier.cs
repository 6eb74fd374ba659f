using System.Data;
using System.Data.Common;

namespace WebManager.Contracts.Audit;

/// <summary>
/// Walks the audit table of an open database and names the first entry that was changed or removed. The portal and `wm audit verify --data`
/// use the same, so that who does not trust a portal can look at its file.
/// </summary>
public static class AuditVerifier
{
    /// <summary>Names of the rows in the table settings: the newest entry, and the last one that retention removed.</summary>
    public const string Head = "audit.head", Anchor = "audit.anchor";

    /// <summary>The operation of the entry that says what retention removed; its reason ends with the mark.</summary>
    public const string Retention = "audit.retention";

    /// <summary>The operation of the entry that the portal writes when its note of the newest entry is gone.</summary>
    public const string HeadLost = "audit.head-lost";

    /// <param name="noted">A mark that was noted earlier: that entry must still be there as it was, unless retention removed it.</param>
    public static AuditReport Verify(DbConnection connection, AuditMark? noted = null)
    {
        using var snapshot = connection.BeginTransaction(IsolationLevel.ReadUncommitted);   // SQLite: a deferred one, which only reads
        var walk = new Walk(Mark(connection, snapshot, Anchor) ?? AuditMark.Start, noted);
        using var rows = connection.CreateCommand();
        rows.Transaction = snapshot;
        rows.CommandText = """SELECT "Id", "At", "User", "Face", "Address", "Operation", "Subject", "Result", "Job", "Reason", "Previous", "Hash" FROM "audit" ORDER BY "Id" """;
        using (var reader = rows.ExecuteReader())
        {
            while (walk.Broken is null && reader.Read()) { walk.Take(Fields(reader), reader.GetString(10), reader.GetString(11)); }
        }
        return walk.Report(Mark(connection, snapshot, Head));
    }

    private static AuditFields Fields(DbDataReader r) => new(r.GetInt64(0), r.GetInt64(1), r.GetString(2), r.GetString(3), Text(r, 4), r.GetString(5), r.GetString(6), r.GetString(7),
        r.IsDBNull(8) ? null : r.GetInt64(8), Text(r, 9));

    private static string? Text(DbDataReader r, int column) => r.IsDBNull(column) ? null : r.GetString(column);

    private static AuditMark? Mark(DbConnection connection, DbTransaction transaction, string name)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = $"""SELECT "Value" FROM "settings" WHERE "Name" = '{name}'""";
        return AuditMark.TryParse(command.ExecuteScalar() as string, out var mark) ? mark : null;
    }

    private sealed class Walk(AuditMark start, AuditMark? noted)
    {
        private readonly AuditMark _anchor = start;
        private AuditMark _last = start;
        private bool _anchored = start.Serial == 0, _notedSeen;
        private long _count;

        public (long Serial, string Problem)? Broken { get; private set; }

        public void Take(AuditFields entry, string previous, string hash)
        {
            var next = _last.Serial + 1;
            var sound = AuditChain.Hash(previous, entry) == hash;
            if (entry.Serial > next) { Break(next, entry.Serial - next == 1 ? $"Entry {next} was removed." : $"Entries {next} to {entry.Serial - 1} were removed."); }
            else if (entry.Serial < next) { Break(entry.Serial, $"Entry {entry.Serial} was put where retention had removed it."); }
            // An entry that was changed and hashed anew shows in the next one, which still names the hash it had.
            else if (previous != _last.Hash && sound && _count > 0) { Break(_last.Serial, $"Entry {_last.Serial} was changed: the next one knows it by another hash."); }
            else if (previous != _last.Hash || !sound) { Break(entry.Serial, $"Entry {entry.Serial} was changed."); }
            else if (noted is { } known && known.Serial == entry.Serial && known.Hash != hash) { Break(entry.Serial, $"Entry {entry.Serial} has another hash than the one that was noted."); }
            else if (entry.Operation == HeadLost) { Break(entry.Serial, $"Before entry {entry.Serial} the note of the newest entry was removed: what was newest then may have been removed, too."); }
            if (Broken is not null) { return; }
            _notedSeen |= noted?.Serial == entry.Serial;
            _anchored |= entry.Operation == Retention && entry.Reason?.EndsWith(_anchor.ToString(), StringComparison.Ordinal) == true;
            (_last, _count) = (new AuditMark(entry.Serial, hash), _count + 1);
        }

        public AuditReport Report(AuditMark? head)
        {
            if (Broken is null) { CheckEnds(head); }
            return new AuditReport(Broken is null, _count, _last.Serial, _last.Hash) { RemovedUpTo = _anchor.Serial, BrokenAt = Broken?.Serial, Problem = Broken?.Problem };
        }

        private void CheckEnds(AuditMark? head)
        {
            if (head is null && (_count > 0 || _anchor.Serial > 0)) { Break(_last.Serial + 1, "The note of the newest entry is gone: what followed may have been removed."); }
            else if (head is { } h && h.Serial > _last.Serial) { Break(_last.Serial + 1, $"The newest entries, {_last.Serial + 1} to {h.Serial}, were removed."); }
            else if (head is { } less && less.Serial < _last.Serial) { Break(less.Serial + 1, $"Entry {less.Serial + 1} was added by something else than the portal."); }
            else if (head is { } other && other.Hash != _last.Hash) { Break(_last.Serial, $"Entry {_last.Serial} was changed."); }
            else if (!_anchored) { Break(1, $"The entries up to {_anchor.Serial} are gone, and no entry says that retention removed them."); }
            else if (noted is { } known && !_notedSeen && known.Serial > _anchor.Serial) { Break(known.Serial, $"Entry {known.Serial}, which was noted, is not there."); }
        }

        private void Break(long serial, string problem) => Broken = (serial, problem);
    }
}
