// Moments of the simulated world at which a fault can be timed: a process is in the middle of something.
namespace WebManager.Testing.Simulator;

/// <summary>
/// Kinds, with their subjects: every event of the history (guest.started i1, node.power n1, node.health node:n1 ...); step OPERATION/STEP, a
/// job's step boundary; storing and stored INSTANCE, around the commit of a new generation; the path of a call without its version
/// (replica/open n2) when it arrives, with .done when its answer leaves; what an agent says (mirror.promised i1, guest.first-line i1).
/// </summary>
public sealed class Moments(SimWorld world)
{
    private readonly List<ScenarioFault> _armed = [];
    private int _round;

    /// <summary>Something waits for a moment; otherwise nobody need say one.</summary>
    public bool Awaited => _armed.Count > 0;

    public void Arm(ScenarioFault fault) => _armed.Add(fault);

    /// <summary>What has not come until now comes no more.</summary>
    public void Clear()
    {
        _armed.Clear();
        _round++;
    }

    public void Now(string kind, string subject)
    {
        for (var i = 0; i < _armed.Count; i++)
        {
            var fault = _armed[i];
            if (!Is(fault.When!, kind, subject)) continue;
            _armed.RemoveAt(i--);
            Fire(fault);
        }
    }

    private void Fire(ScenarioFault fault)
    {
        // The portal's process is made to die anywhere; everything else dies between two turns of its own.
        if (fault is { Word: "portal-crash", When.Delay: 0 }) Faults.Do(world, fault.Word, fault.Args);
        else world.Spawn(() => LaterAsync(fault, _round));
    }

    private async Task LaterAsync(ScenarioFault fault, int round)
    {
        await Task.Yield();
        if (fault.When!.Delay > 0) await world.DelayAsync(TimeSpan.FromSeconds(fault.When.Delay));
        if (round == _round) Faults.Do(world, fault.Word, fault.Args);
    }

    private bool Is(ScenarioMoment awaited, string kind, string subject) =>
        awaited.Kind == kind && (awaited.Subject == "*" || awaited.Subject == subject || (awaited.Kind != "step" && awaited.Subject.Contains('.', StringComparison.Ordinal) && Faults.NodeOf(world, awaited.Subject) == subject));
}
