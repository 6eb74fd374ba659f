// Groups of people, grants, and the ledger.
using Microsoft.EntityFrameworkCore;
using WebManager.Engine.Model;

namespace WebManager.Web.Data;

internal static class AccessTables
{
    /// <summary>The key of the ledger's lines; the record has none.</summary>
    public const string ChargeId = "Id";

    public static void Map(ModelBuilder model)
    {
        model.Entity<UserGroup>(t =>
        {
            t.ToTable("user_groups").HasKey(g => g.Id);
            t.Property(g => g.Id).ValueGeneratedNever();
            t.HasIndex(g => g.Name).IsUnique();
            t.Property(g => g.Members).AsJson();
        });
        model.Entity<Grant>(t =>
        {
            t.ToTable("grants").HasKey(g => g.Key);
            t.Property(g => g.Key).ValueGeneratedNever();
            t.Property(g => g.Rights).AsJson();
        });
        model.Entity<Holding>(t =>
        {
            t.ToTable("holdings").HasKey(h => h.Owner);
            t.Property(h => h.Owner).ValueGeneratedNever();
            t.Property(h => h.Allocated).AsJson();
            t.Property(h => h.Running).AsJson();
        });
        model.Entity<OwnerLimits>(t =>
        {
            t.ToTable("quotas").HasKey(q => q.Owner);
            t.Property(q => q.Owner).ValueGeneratedNever();
            t.Property(q => q.Limits).AsJson();
        });
        model.Entity<UserRequest>(t =>
        {
            t.ToTable("user_requests").HasKey(r => r.Id);
            t.Property(r => r.Id).ValueGeneratedNever();
            t.Property(r => r.Kind).HasConversion<string>();
            t.Property(r => r.State).HasConversion<string>();
            t.Property(r => r.Limits).AsJson();
        });
        model.Entity<SshKey>(t =>
        {
            t.ToTable("ssh_keys").HasKey(k => k.Id);
            t.Property(k => k.Id).ValueGeneratedNever();
            t.HasIndex(k => k.User);
        });
        model.Entity<InstanceTemplate>(t =>
        {
            t.ToTable("instance_templates").HasKey(x => x.Id);
            t.Property(x => x.Id).ValueGeneratedNever();
            t.HasIndex(x => x.Name).IsUnique();
            t.Property(x => x.Parameters).AsJson();
        });
        model.Entity<Charge>(t =>
        {
            t.ToTable("charges");
            t.Property<long>(ChargeId).ValueGeneratedOnAdd();
            t.HasKey(ChargeId);
            t.HasIndex(c => c.Owner);
            t.Property(c => c.Allocated).AsJson();
            t.Property(c => c.Running).AsJson();
            t.Property(c => c.AllocatedAfter).AsJson();
            t.Property(c => c.RunningAfter).AsJson();
        });
    }
}
