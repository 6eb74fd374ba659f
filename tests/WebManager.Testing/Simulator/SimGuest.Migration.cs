// A guest's process as the source of a live migration, and as its target.
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

/// <summary>One run of a guest's system from its boot to its end, on whichever nodes.</summary>
public sealed class Execution
{
    /// <summary>How often it began to execute: a state that was taken is outdated as soon as this has grown.</summary>
    public int Stints { get; set; }
    public DateTimeOffset StartedAt { get; set; }
    public DateTimeOffset? FirstLineAt { get; set; }
}

/// <summary>The source's half, in its own process: goes on when the agent that asked for it is gone.</summary>
public sealed class Outgoing(long generation, SimIncoming to)
{
    public long Generation => generation;
    public SimIncoming To => to;

    /// <summary>No new write begins; those under way end.</summary>
    public bool Draining { get; set; }

    /// <summary>Paused before the last of it: the state that goes over is that of this moment.</summary>
    public int? PausedAt { get; set; }
    public TimeSpan PausedSince { get; set; }
    public bool Switching { get; set; }
    public bool Cancelled { get; set; }
    public double Percent { get; set; }
}

/// <summary>A process that waits for a guest's state on its node.</summary>
public sealed class SimIncoming(SimNode node, long generation)
{
    public SimNode Node => node;
    public long Generation => generation;

    /// <summary>It has everything: the run it goes on with, and how often that had begun to execute when its state was taken.</summary>
    public (Execution Execution, int Stints)? State { get; set; }

    public bool Waits(Guid instance) => node.Powered && node.Incoming.GetValueOrDefault(instance) == this;
}

public sealed partial class SimGuest
{
    private int _inFlight;

    public Execution Execution { get; private set; } = new();
    public Outgoing? Outgoing { get; private set; }

    /// <summary>Sends the memory while the guest runs, then pauses it with no write under way. Null: paused.</summary>
    public async Task<string?> SendAsync(SimIncoming to, Life agent)
    {
        var mine = new Outgoing(Record!.Number, to);
        Outgoing = mine;
        for (var (step, steps) = (0, _world.Random.Next(2, 16)); step < steps; step++)
        {
            mine.Percent = 100.0 * step / steps;
            Node.Agent?.Bump();
            await Node.WorkAsync(40, 250, agent);
            if (Fails(mine) is { } text) return EndSending(mine, text);
        }

        mine.Draining = true;
        for (var turn = 0; _inFlight > 0 && turn < 50; turn++)
        {
            await Node.WorkAsync(1, 20, agent);
            if (Fails(mine) is { } text) return EndSending(mine, text);
        }

        if (_inFlight > 0) return EndSending(mine, "Its writes do not end.");
        // QEMU flushes when it stops the CPU, on both copies: a node that loses power later takes nothing back.
        if (Copy is not null && (await SendAsync(0, true) != true || !await FlushedAsync(agent))) return EndSending(mine, "The flush failed.");
        if (Fails(mine) is { } late) return EndSending(mine, late);
        SetPhase(GuestPhase.Paused);
        (mine.PausedAt, mine.PausedSince) = (Execution.Stints, Node.Now);
        return null;
    }

    private async Task<bool> FlushedAsync(Life agent)
    {
        await Node.StoreAsync(0.2, 3, agent);
        if (Dying || Life.Dead) return false;
        Copy!.Flush();
        return true;
    }

    private string? Fails(Outgoing mine) =>
        Dying || Life.Dead ? "The guest ended."
        : Outgoing != mine || mine.Cancelled ? "It was given up."
        : Mirror != MirrorPhase.InSync || Phase != GuestPhase.Running ? "The mirror broke."
        : !mine.To.Waits(Instance) || !_world.Network.Reaches(Node.Name, mine.To.Node.Name) || !_world.Network.Reaches(mine.To.Node.Name, Node.Name) ? "The target is gone."
        : null;

    private string EndSending(Outgoing mine, string text)
    {
        if (Outgoing == mine) GiveUpSending();
        return text;
    }

    /// <summary>The guest goes on here.</summary>
    public void GiveUpSending()
    {
        if (Outgoing is not { } mine) return;
        Outgoing = null;
        mine.Draining = false;
        if (mine.PausedAt is not null && Phase == GuestPhase.Paused && Mirror != MirrorPhase.Broken && !Dying) Resume();
        Node.Agent?.Bump();
    }

    /// <summary>The new run of the agent knows nothing of the sending and lets a paused guest go on; what QEMU has of it stays until it is told.</summary>
    public void AgentRestarted()
    {
        if (Outgoing is { PausedAt: null }) GiveUpSending();
        else if (Outgoing is { } paused) paused.Draining = false;
    }

    /// <summary>The last of it. True: the target has everything, by its own word. A source that does not hear that word goes on by itself (H9).</summary>
    public async Task<bool> SendRestAsync(Life agent)
    {
        var mine = Outgoing!;
        mine.Switching = true;
        try
        {
            var heard = false;
            _world.Spawn(async () =>
            {
                if (!await _world.Network.CarryAsync(Node.Name, mine.To.Node.Name, maybeLate: false)) return;
                await mine.To.Node.ThawedAsync();
                if (!mine.To.Waits(Instance)) return;
                mine.To.State = (Execution, mine.PausedAt!.Value);
                heard = await _world.Network.CarryAsync(mine.To.Node.Name, Node.Name, maybeLate: false);
            });
            for (var turn = 0; !heard && turn < 100; turn++) await Node.WorkAsync(5, 15, agent);
            if (heard) return true;
        }
        finally { mine.Switching = false; }

        GiveUpSending();
        return false;
    }

    public bool RanSince(Outgoing sent) => Execution.Stints != sent.PausedAt;

    /// <summary>Goes on where the source was paused, on both copies.</summary>
    public async Task<Outcome<Done>> GoOnAsync(SimIncoming incoming, ReplicaAddress replica)
    {
        var (execution, stints) = incoming.State!.Value;
        Execution = execution;
        await Node.WorkAsync(2, 40, Life);
        if (await AttachAsync(replica) is { } failed) return failed;
        _world.Truth.GoesOn(this, stints);
        (StartedAt, FirstLineAt) = (execution.StartedAt, execution.FirstLineAt);
        Begins();
        if (FirstLineAt is null) _world.Spawn(BootAsync);
        else BeginWriting();
        return Done.Value;
    }
}
