// The one database: people, tokens and settings, and the cluster's state.
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using WebManager.Engine.Model;

namespace WebManager.Web.Data;

public sealed class PortalDb(DbContextOptions<PortalDb> options) : IdentityUserContext<PortalUser>(options)
{
    public DbSet<Cluster> Clusters => Set<Cluster>();
    public DbSet<EngineLease> Leases => Set<EngineLease>();
    public DbSet<NodeGroup> Groups => Set<NodeGroup>();
    public DbSet<Node> Nodes => Set<Node>();
    public DbSet<Instance> Instances => Set<Instance>();
    public DbSet<RemovedInstance> Removed => Set<RemovedInstance>();
    public DbSet<Job> Jobs => Set<Job>();
    public DbSet<JobSearchRow> JobSearch => Set<JobSearchRow>();
    public DbSet<JobLogLine> JobLog => Set<JobLogLine>();
    public DbSet<ClusterEvent> Events => Set<ClusterEvent>();
    public DbSet<AuditRow> Audit => Set<AuditRow>();
    public DbSet<UserGroup> UserGroups => Set<UserGroup>();
    public DbSet<Grant> Grants => Set<Grant>();
    public DbSet<Holding> Holdings => Set<Holding>();
    public DbSet<OwnerLimits> Quotas => Set<OwnerLimits>();
    public DbSet<Charge> Charges => Set<Charge>();
    public DbSet<UserRequest> UserRequests => Set<UserRequest>();
    public DbSet<SshKey> SshKeys => Set<SshKey>();
    public DbSet<InstanceTemplate> Templates => Set<InstanceTemplate>();
    public DbSet<ApiToken> ApiTokens => Set<ApiToken>();
    public DbSet<UserSession> Sessions => Set<UserSession>();
    public DbSet<AccountLink> AccountLinks => Set<AccountLink>();
    public DbSet<JoinToken> JoinTokens => Set<JoinToken>();
    public DbSet<Setting> Settings => Set<Setting>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcTicksConverter>();

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        ClusterTables.Map(builder);
        builder.Entity<ApiToken>(t =>
        {
            t.ToTable("api_tokens").HasIndex(x => x.Hash).IsUnique();
            t.HasIndex(x => x.UserId);
            t.Property(x => x.Id).ValueGeneratedNever();
            t.Property(x => x.Instances).AsJson();
        });
        // Identity's own mapping of passkeys depends on services that tools and tests do not have; this one is always there.
        builder.Entity<IdentityUserPasskey<string>>(t =>
        {
            t.ToTable("AspNetUserPasskeys").HasKey(x => x.CredentialId);
            t.Property(x => x.CredentialId).HasMaxLength(1024);
            t.OwnsOne(x => x.Data).ToJson();
            t.HasOne<PortalUser>().WithMany().HasForeignKey(x => x.UserId).IsRequired();
        });
        builder.Entity<UserSession>(t =>
        {
            t.ToTable("user_sessions").HasIndex(x => x.UserId);
            t.Property(x => x.Id).ValueGeneratedNever();
        });
        builder.Entity<AccountLink>(t =>
        {
            t.ToTable("account_links").HasIndex(x => x.Hash).IsUnique();
            t.HasIndex(x => x.UserId);
            t.Property(x => x.Id).ValueGeneratedNever();
        });
        builder.Entity<JoinToken>().ToTable("join_tokens").HasKey(x => x.Id);
        builder.Entity<Setting>().ToTable("settings").HasKey(x => x.Name);
    }
}

/// <summary>For `dotnet ef` only.</summary>
public sealed class PortalDbDesign : IDesignTimeDbContextFactory<PortalDb>
{
    public PortalDb CreateDbContext(string[] args) => new(new DbContextOptionsBuilder<PortalDb>().UseSqlite("Data Source=design.db").Options);
}
