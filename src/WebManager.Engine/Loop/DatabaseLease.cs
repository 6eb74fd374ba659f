// The engine's lease on its database: taken before the state is read, renewed while it runs, given back when it stops (R5).
using Microsoft.Extensions.Logging;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Engine.Threading;

namespace WebManager.Engine.Loop;

/// <summary>
/// No clock is compared with another's: the holder counts from before it sent a renewal, a successor from when it saw the row last change.
/// A late renewal only makes the engine stop answering until the next one that succeeds; each commit asks for the holder anyway.
/// </summary>
public sealed class DatabaseLease(IClusterStore store, Guid holder, TimeProvider clock, HeartbeatOptions options, ILogger log)
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(0.25);
    private readonly CancellationTokenSource _leaving = new();
    private readonly Signal _wake = new();
    private EngineLease? _mine;
    private long _confirmed;
    private Task _renewing = Task.CompletedTask;

    public Guid Holder => holder;

    /// <summary>Somebody else took it; raised once, from the renewals.</summary>
    public event Action? Taken;

    /// <summary>Somebody else took it.</summary>
    public bool Lost { get; private set; }

    /// <summary>Whether the engine may answer challenges now.</summary>
    public bool Holds => _mine is not null && !Lost && clock.GetElapsedTime(Interlocked.Read(ref _confirmed)) < options.Lease;

    /// <summary>Waits until nobody else can hold it, then takes it; the lease as it was before, null on a new database.</summary>
    public async Task<EngineLease?> TakeAsync(CancellationToken ct)
    {
        while (true)
        {
            var seen = await store.LeaseAsync(ct);
            if (seen is { Released: false } && !store.IsGone(seen) && !await FellSilentAsync(seen, ct)) { continue; }
            // The place stays as it was until what follows from another one is stored with it.
            var taken = new EngineLease(EngineLease.Row, holder, (seen?.Revision ?? 0) + 1, false, seen?.Place ?? store.Place);
            try
            {
                await WriteAsync(taken, mine: false);
                return seen;
            }
            catch (RevisionConflictException) { }   // another successor was quicker
        }
    }

    /// <summary>Puts the move to this store's place into the changes of the engine's first commit.</summary>
    public void MoveHere(Changes changes) => changes.Lease = _mine! with { Revision = _mine!.Revision + 1, Place = store.Place };

    /// <summary>The first commit is done; renewals begin.</summary>
    public void Begin(EngineLease written)
    {
        _mine = written;
        _renewing = RenewAsync();
    }

    /// <summary>True: the row has not changed for lease + isolation + margin. False: it has changed, or was released.</summary>
    private async Task<bool> FellSilentAsync(EngineLease seen, CancellationToken ct)
    {
        var (began, needed) = (clock.GetTimestamp(), options.Lease + options.Isolation + options.Margin);
        log.LeaseTaken(seen.Holder, needed);
        while (clock.GetElapsedTime(began) < needed)
        {
            await Task.Delay(Poll, clock, ct);
            if (await store.LeaseAsync(ct) != seen) { return false; }
        }
        return true;
    }

    private async Task RenewAsync()
    {
        while (!_leaving.IsCancellationRequested && !Lost)
        {
            var late = false;
            try { await WriteAsync(_mine! with { Revision = _mine!.Revision + 1 }, mine: true); }
            catch (Exception ex) when (ex is RevisionConflictException or LeaseLostException)
            {
                Lost = true;
                Taken?.Invoke();
                return;
            }
            catch (Exception ex)
            {
                late = true;
                log.LeaseLate(ex);
            }
            try { await _wake.WaitAsync(late ? Poll : options.Lease / 4, clock, _leaving.Token); }
            catch (OperationCanceledException) { return; }
        }
    }

    private async Task WriteAsync(EngineLease lease, bool mine)
    {
        var began = clock.GetTimestamp();
        await store.CommitAsync(new Changes { Lease = lease, Holder = mine ? holder : null }, CancellationToken.None);
        _mine = lease;
        Interlocked.Exchange(ref _confirmed, began);
    }

    /// <summary>Gives it back, so that the next engine need not wait. What it stands for must have ended.</summary>
    public async Task ReleaseAsync()
    {
        _leaving.Cancel();
        await _renewing;
        if (_mine is not { } held || Lost) { return; }
        _mine = null;
        try { await store.CommitAsync(new Changes { Lease = held with { Revision = held.Revision + 1, Released = true }, Holder = holder }, CancellationToken.None); }
        catch (Exception ex) { log.LeaseLate(ex); }
    }

    /// <summary>Stops renewing and leaves the row as it is: its holder has changed, or this engine stands still.</summary>
    public async Task AbandonAsync()
    {
        _leaving.Cancel();
        await _renewing;
        _mine = null;
    }
}
