using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Access;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Contracts.Agent;

namespace WebManager.Web.Tests.Pages;

/// <summary>An engine that says what the test put there: feeds to fill, and a door that notes what was asked.</summary>
public sealed class FakeEngine : IClusterEngine, IImageCatalog
{
    private long _job = 1000;

    public ClusterFeeds Feeds { get; } = new();
    public Cluster Cluster { get; } = new(Guid.NewGuid(), "demo-cloud", 3, DateTimeOffset.UnixEpoch, 1);
    public List<OperationRequest> Asked { get; } = [];
    public Func<OperationRequest, Refusal?> Rule { get; set; } = _ => null;
    public Action<OperationRequest, long> Carry { get; set; } = (_, _) => { };

    public IReadOnlyList<ImageInfo> Images { get; set; } =
    [
        new("tiny", "1.4", "A small Linux that boots in two seconds, with SSH and a web page.", 96, ["beat"]),
        new("debian12", "12.7", "Debian 12 with cloud-init.", 256, []),
    ];

    public Func<JobQuery, IReadOnlyList<Job>> Found { get; set; } = _ => [];
    public IReadOnlyList<Engine.Operations.LockRow> Locks { get; set; } = [];
    public Task<bool> ChangedAsync(long job, Func<bool> known, TimeSpan limit, CancellationToken ct) => throw new NotSupportedException();
    public Task<Outcome<long>> SubmitAsync(OperationRequest request, Caller caller, string why, JobTerms terms, CancellationToken ct) => SubmitAsync(request, caller, why, ct);

    public Task<Outcome<long>> SubmitAsync(OperationRequest request, Caller caller, string why, CancellationToken ct)
    {
        if (Rule(request) is { } refusal) { return Task.FromResult<Outcome<long>>(refusal); }
        Asked.Add(request);
        var job = ++_job;
        Carry(request, job);
        return Task.FromResult<Outcome<long>>(job);
    }

    public IReadOnlyList<Charge> Charges { get; set; } = [];
    public Refusal? Halted { get; set; }
    public OwnerRow? OwnerRow(string owner) => Feeds.Owners.Find(owner) ?? (Keys.UserOf(owner) is not null && AccessScene.People.Find(Keys.UserOf(owner)!) is { } person ? new OwnerRow(owner, person.Name, default, default, default, default, QuotaLimits.None, false) : null);
    public Sight SightOf(Caller caller) => new(() => Now, caller);
    public Picture Now { get; set; } = new(new Cluster(Guid.NewGuid(), "demo-cloud", 3, DateTimeOffset.UnixEpoch, 1));
    public Refusal? WouldRefuse(OperationRequest request, Caller caller) => Rule(request);
    public Task<Job> WaitAsync(long job, CancellationToken ct) => throw new NotSupportedException();
    public MaintenancePlan? Maintenance { get; set; }
    public MaintenancePlan? PlanMaintenance(string node) => Maintenance;
    public Instance? FindInstance(string nameOrId) => null;
    public Task<Outcome<Done>> EnsureOnNodeAsync(ImageInfo image, AgentHello hello, INodeLink link, CancellationToken ct) => throw new NotSupportedException();
}
