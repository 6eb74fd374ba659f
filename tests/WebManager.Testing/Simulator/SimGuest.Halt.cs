// A guest's process that its keeper makes stand still and lets go on (R3).
namespace WebManager.Testing.Simulator;

public sealed partial class SimGuest
{
    private TaskCompletionSource _awake = new();

    /// <summary>SIGSTOP: its process stands still, monitor and all.</summary>
    public bool Halted { get; private set; }

    public void Halt()
    {
        if (Halted) return;
        (Halted, _awake) = (true, new TaskCompletionSource());
        _world.Happened("guest.halted", Name, null, Node.Name);
        Node.Agent?.Say("guest.paused", Instance, $"Paused: neither the portal nor {Record?.Secondary} answers.");
        Changed();
    }

    /// <summary>SIGCONT, also of one that did not yet stand still.</summary>
    public void Continue(TimeSpan? until)
    {
        _world.Truth.GoesOn(this, until);
        if (!Halted) return;
        Halted = false;
        _world.Happened("guest.continued", Name, null, Node.Name);
        Node.Agent?.Say("guest.resumed", Instance, $"{Name} goes on.");
        Changed();
        _awake.TrySetResult();   // last: what waits goes on right here
    }
}
