// Maps the engine's records to tables: what is queried has its own column, what is only read back whole is JSON.
using Microsoft.EntityFrameworkCore;
using WebManager.Engine.Model;

namespace WebManager.Web.Data;

internal static class ClusterTables
{
    public static void Map(ModelBuilder model)
    {
        MapCluster(model);
        MapInstances(model);
        MapRemoved(model);
        MapJobs(model);
        MapHistory(model);
        AccessTables.Map(model);
    }

    private static void MapCluster(ModelBuilder model)
    {
        model.Entity<Cluster>(t =>
        {
            t.ToTable("clusters").HasKey(c => c.Id);
            t.Property(c => c.Id).ValueGeneratedNever();
            t.Property(c => c.Runs).AsJson();
            t.Property(c => c.Tags).AsJson();
            t.Property(c => c.MaxRunningJobs).HasDefaultValue(Cluster.DefaultRunningJobs);
            t.Property(c => c.MaxOpenJobs).HasDefaultValue(Cluster.DefaultOpenJobs);
        });
        model.Entity<EngineLease>(t =>
        {
            t.ToTable("engine_leases").HasKey(l => l.Id);
            t.Property(l => l.Id).ValueGeneratedNever();
        });
        model.Entity<NodeGroup>(t =>
        {
            t.ToTable("node_groups").HasKey(g => g.Id);
            t.Property(g => g.Id).ValueGeneratedNever();
        });
        model.Entity<Node>(t =>
        {
            t.ToTable("nodes").HasKey(n => n.Name);
            t.Property(n => n.Name).ValueGeneratedNever();
            t.Property(n => n.Maintenance).AsJson();
            t.Property(n => n.Tags).AsJson();
        });
    }

    private static void MapInstances(ModelBuilder model) => model.Entity<Instance>(t =>
    {
        t.ToTable("instances").HasKey(i => i.Id);
        t.Property(i => i.Id).ValueGeneratedNever();
        t.HasIndex(i => i.Name).IsUnique();
        t.HasIndex(i => i.Primary);
        t.HasIndex(i => i.Owner);
        t.Property(i => i.MadeBy).HasDefaultValue("");
        t.Property(i => i.Template).HasConversion<string>();
        t.Property(i => i.Wanted).HasConversion<string>();
        t.Property(i => i.Stage).HasConversion<string>();
        t.Property(i => i.Mirror).HasConversion<string>();
        t.Property(i => i.Disks).AsJson();
        t.Property(i => i.Nics).AsJson();
        t.Property(i => i.Generation).AsJson();
        t.Property(i => i.Former).AsJson();
        t.Property(i => i.Candidate).AsJson();
        t.Property(i => i.Doubt).AsJson();
        t.Property(i => i.LastRecovery).AsJson();
        t.Property(i => i.OsParams).AsJson();
        t.Property(i => i.SshKeys).AsJson();
        t.Property(i => i.OldCopies).AsJson();
        t.Property(i => i.Tags).AsJson();
        t.Ignore(i => i.DiskMiB);
    });

    private static void MapRemoved(ModelBuilder model) => model.Entity<RemovedInstance>(t =>
    {
        t.ToTable("removed_instances").HasKey(r => r.Id);
        t.Property(r => r.Id).ValueGeneratedNever();
        t.HasIndex(r => r.At);
    });

    private static void MapJobs(ModelBuilder model)
    {
        model.Entity<Job>(t =>
        {
            t.ToTable("jobs").HasKey(j => j.Id);
            t.Property(j => j.Id).ValueGeneratedNever();
            t.HasIndex(j => j.Status);
            t.Property(j => j.Status).HasConversion<string>();
            t.Property(j => j.Request).AsJson();
            t.Property(j => j.Caller).AsJson();
            t.Property(j => j.Reason).AsJson();
            t.Property(j => j.Error).AsJson();
            t.Property(j => j.Reserved).AsJson();
            t.Property(j => j.Recovery).AsJson();
            t.Property(j => j.Subjects).AsJson();
            t.Property(j => j.Depends).AsJson();
            t.Ignore(j => j.Ended);
        });
        JobSearchRow.Map(model);
        model.Entity<JobLogLine>(t => t.ToTable("job_log").HasKey(l => new { l.Job, l.Serial }));
    }

    private static void MapHistory(ModelBuilder model)
    {
        model.Entity<ClusterEvent>(t =>
        {
            t.ToTable("events").HasKey(e => e.Id);
            t.Property(e => e.Id).ValueGeneratedNever();
            t.HasIndex(e => e.Subject);
            t.Property(e => e.Severity).HasConversion<string>();
        });
        AuditRow.Map(model);
    }
}
