// What a guest writes, and disks that answer with errors: the guest waits, is recovered elsewhere, or is let try again now and then.
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

public sealed partial class SimGuest
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);
    private MirrorPhase _whole;
    private bool _retrying;

    public DiskFault? LocalFault { get; private set; }
    public DiskFault? CopyFault { get; private set; }

    private async Task WriteAsync(int n, bool flush)
    {
        var covered = flush ? _world.Truth.CoveredByFlush(Instance) : null;
        var here = WriteHere(n);
        while (true)
        {
            await GoesOnAsync();
            here = here || WriteHere(n);
            if (!Both)
            {
                if (here && (!flush || await FlushAsync())) break;
                FailHere();
                continue;
            }

            var attached = (ReplicaGeneration, _graph);
            var (one, other) = (SendAsync(n, flush), SendToThirdAsync(n, flush));
            var (there, third) = (await one, await other);
            if (!here)
            {
                if (Both && attached == (ReplicaGeneration, _graph)) FailHere();
            }
            else if (there == true && third == true && Both && Phase is not GuestPhase.Paused && attached == (ReplicaGeneration, _graph))
            {
                var stable = !flush || await FlushAsync();
                if (stable && Both && Phase is not GuestPhase.Paused) break;
                if (!stable && Both && attached == (ReplicaGeneration, _graph)) FailHere();
            }
            else if (Both && attached == (ReplicaGeneration, _graph) && Phase is not GuestPhase.Paused)
            {
                if (there == true)
                {
                    LoseThird(third is null ? "no answer from the third copy" : "the third copy was closed");
                    continue;
                }

                if (third != true && Third is { } lost) Third = lost with { Lost = true };
                if (there == false) SuspectCopy();
                Break(there is null ? "no answer from the copy" : "the copy was closed");
            }
        }

        _world.Truth.Acknowledge(this, n, covered);
    }

    private async Task<bool> FlushAsync()
    {
        await Node.StoreAsync(0.2, 3, Life);
        await GoesOnAsync();
        if (Node.Faulty.Images) return false;
        Copy!.Flush();
        return true;
    }

    private bool WriteHere(int n) => Node.Faulty.Write(Copy!, n, _world.Random);

    private void BreakMirror(string text)
    {
        if (Mirror is MirrorPhase.InSync or MirrorPhase.Promised) _whole = Mirror;
        (Mirror, MirrorText) = (MirrorPhase.Broken, text);
    }

    private void FailHere()
    {
        LocalFault = Fault(Node);
        if (Both) BreakMirror(LocalFault.Text);
        SetPhase(GuestPhase.Paused);
        _world.Happened("guest.disk-error", Name, null, Node.Name);
        Node.Agent?.Say(Both ? "mirror.broken" : "disk.error", Instance, LocalFault.Text);
        if (_retrying) return;
        _retrying = true;
        _world.Spawn(RetryAsync);
    }

    /// <summary>The export that refused a write is open still: it is the disk.</summary>
    private void SuspectCopy() => SetCopyFault(_replicaNode is { } other && _world.FindNode(other) is { Powered: true } there && there.Exports.GetValueOrDefault(Instance) == ReplicaGeneration ? there : null);

    public void SetCopyFault(SimNode? there)
    {
        if (there is { Faulty.Images: true }) CopyFault = Fault(there);
    }

    private static DiskFault Fault(SimNode node) => new(0, node.Faulty.State, $"Disk 0: write failed: {(node.Faulty.State ? "No space left on device" : "Input/output error")}");

    /// <summary>The agent's doing: none of it while there is no agent.</summary>
    private async Task RetryAsync()
    {
        for (var wait = FirstRetry; LocalFault is not null; wait = wait * 2 < LongestRetry ? wait * 2 : LongestRetry)
        {
            await Node.WorkAsync(wait, Life);
            if (LocalFault is null || Phase != GuestPhase.Paused || Dying || Node.Agent is null || Node.Faulty.Images) continue;
            LocalFault = null;
            if (Both && Mirror == MirrorPhase.Broken && CopyFault is null) Mirror = _whole;
            SetPhase(GuestPhase.Running);
        }

        _retrying = false;
    }
}
