// The audit as it is stored: each row has the hash of the one before and its own. Rows are added and never changed (triggers refuse it).
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts.Audit;
using WebManager.Engine.Model;

namespace WebManager.Web.Data;

public sealed record AuditRow(long Serial, DateTimeOffset At, string User, string Face, string? Address, string Operation, string Subject, string Result, long? Job, string? Reason,
    string Previous, string Hash)
{
    public AuditMark Mark => new(Serial, Hash);

    public static AuditRow After(AuditMark before, long serial, AuditEntry e)
    {
        static string? Maybe(string? text, int limit) => text is null ? null : AuditChain.Clean(text, limit);
        var row = new AuditRow(serial, e.At, AuditChain.Clean(e.User, 256), AuditChain.Clean(e.Face, 32), Maybe(e.Address, 64), AuditChain.Clean(e.Operation, 100),
            AuditChain.Clean(e.Subject, 4000), AuditChain.Clean(e.Result, 500), e.Job, Maybe(e.Reason, 1000), before.Hash, "");
        return row with { Hash = row.HashNow() };
    }

    /// <summary>The same row at its place in the chain.</summary>
    public AuditRow ChainedAfter(AuditMark before)
    {
        var row = this with { Serial = before.Serial + 1, Previous = before.Hash };
        return row with { Hash = row.HashNow() };
    }

    private string HashNow() => AuditChain.Hash(Previous, new AuditFields(Serial, At.UtcTicks, User, Face, Address, Operation, Subject, Result, Job, Reason));

    public static void Map(ModelBuilder model) => model.Entity<AuditRow>(t =>
    {
        t.ToTable("audit").HasKey(a => a.Serial);
        t.Property(a => a.Serial).HasColumnName("Id").ValueGeneratedOnAdd();
        t.Property(a => a.Previous).HasDefaultValue("");
        t.Property(a => a.Hash).HasDefaultValue("");
        t.Ignore(a => a.Mark);
        t.HasIndex(a => a.At);
        t.HasIndex(a => a.Subject);
    });
}
