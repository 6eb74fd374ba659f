using Microsoft.AspNetCore.Components;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components.Pages.Instances;

public sealed partial class InstancePage
{
    private InstanceRow? _row;
    private long? _job;
    private bool _gone, _administers, _templating;

    [Inject] public IClusterEngine Engine { get; set; } = default!;
    [Inject] public NavigationManager Nav { get; set; } = default!;

    [Parameter] public string Name { get; set; } = "";
    [SupplyParameterFromQuery] public long? Job { get; set; }
    [SupplyParameterFromQuery] public string? Tab { get; set; }

    private bool Console => Tab == "console";
    private string Part => Console ? "console" : Tab == "access" && _administers ? "access" : "overview";

    protected override void OnInitialized()
    {
        Follow(Engine.Feeds.Instances, TakeInstances);
        Follow(Engine.Feeds.Jobs, TakeJobs);
        // What may be done depends on the two nodes as well: draw again when they change to the eye.
        Follow(Engine.Feeds.Nodes, batch => _row is { } row && batch.Keys.Any(n => n == row.Primary || n == row.Secondary));
        // And on who asks: rights come and go with grants and places in groups.
        Follow(Engine.Feeds.Grants, _ => { Look(); });
        Follow(Engine.Feeds.UserGroups, _ => { Look(); });
    }

    protected override void OnParametersSet()
    {
        _job = Job is { } asked && (_job ?? 0) < asked ? asked : _job;
        if (_row is not null && _row.Name != Name) { Reset(); }
    }

    private void Look() => _administers = _row is { } row && Engine.MayGrant(Keys.Instance(row.Id), Viewer);

    private void Reset()
    {
        (_row, _job, _gone) = (null, Job, false);
        TakeInstances(Engine.Feeds.Instances.Current(Sight.Instance).ToDictionary(r => r.Id, r => (InstanceRow?)r));
        TakeJobs(Engine.Feeds.Jobs.Current(Sight.Job).ToDictionary(r => r.Id, r => (JobRow?)r));
    }

    private bool TakeInstances(IReadOnlyDictionary<Guid, InstanceRow?> batch)
    {
        if (_row is { } known)
        {
            if (!batch.TryGetValue(known.Id, out var now)) { return false; }
            _gone = now is null;
            _row = now;
        }
        else
        {
            _row = batch.Values.FirstOrDefault(r => r is not null && (r.Name == Name || r.Id.ToString() == Name));
            if (_row is null) { return false; }
            _gone = false;
        }
        _job = _row?.Job ?? _job;
        Look();
        return true;
    }

    /// <summary>The newest job about this instance stays in sight after it has ended.</summary>
    private bool TakeJobs(IReadOnlyDictionary<long, JobRow?> batch)
    {
        var newest = batch.Values.Where(j => j is not null && j.Operation.StartsWith("instance.", StringComparison.Ordinal) && j.Summary.EndsWith(" " + Name, StringComparison.Ordinal)).Max(j => (long?)j!.Id);
        if (newest is null) { return false; }
        if (newest > (_job ?? 0)) { _job = newest; }
        return true;   // also when its state changed: what may be done depends on it
    }

    private string TabHref(string? tab) => Nav.GetUriWithQueryParameters(new Dictionary<string, object?> { ["tab"] = tab });
}
