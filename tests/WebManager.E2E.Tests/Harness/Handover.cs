// An instance goes from one node to another: the old guest is dead, or stands still for good, before the new one starts, and the new one has all that was acknowledged.
using WebManager.Contracts.Api;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests.Harness;

/// <summary>Made before the fault.</summary>
internal sealed class Handover
{
    private readonly LabFixture _lab;
    private readonly InstanceView _at;
    private readonly SerialFile _next;
    private readonly long _from;
    private readonly TimeSpan _begun = NodeProcesses.SinceBoot();
    private readonly Task<TimeSpan> _rests;

    public Handover(LabFixture lab, InstanceView at)
    {
        (_lab, _at, _next) = (lab, at, lab.Portal.Serial(at.Secondary!, at.Id));
        _from = _next.End;
        _rests = NodeProcesses.RestsAsync(lab.Processes.Guest(at.Id)!.Pid, LabFixture.Patience);
    }

    /// <summary>Waits until it counts on the secondary.</summary>
    public async Task EndAsync()
    {
        var rests = await _rests;
        var guest = await Until.SomeAsync(() => Task.FromResult(_lab.Processes.Guests(_at.Id).FirstOrDefault(p => p.Node == _at.Secondary)), LabFixture.Patience, $"{_at.Name} runs on {_at.Secondary}", TimeSpan.FromMilliseconds(10));
        var started = NodeProcesses.StartOf(guest.Pid);
        await Until.TrueAsync(() => _next.Resume(_from) is not null, LabFixture.Patience, $"resume N in {_next.Path}");
        var (said, resumed) = (_lab.Portal.Serial(_at).HighestBeat(), _next.Resume(_from)!.Value);
        Print.Line($"{_at.Name}: old guest at rest after {Print.Seconds(rests - _begun)}, new one started after {Print.Seconds(started - _begun)}; beat {said}, resume {resumed}");
        // Start times are rounded down to 10 ms, and the end is seen a little late.
        Assert.True(rests <= started + TimeSpan.FromMilliseconds(50), $"The old guest was at rest at {rests}, the new one started at {started}.");
        Assert.True(resumed >= said, $"beat {said} was acknowledged, resume says {resumed}.");
    }
}
