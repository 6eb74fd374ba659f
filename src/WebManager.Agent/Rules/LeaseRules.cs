using WebManager.Contracts;

namespace WebManager.Agent.Rules;

/// <summary>
/// R3, the keeper's half: which guests may run until when. Pure and single-threaded; time is the keeper's own monotonic clock
/// (BOOTTIME in the real one), passed in. The simulator uses this very class.
/// </summary>
public sealed class LeaseRules(TimeSpan? isolation = null, RuleSwitches? switches = null, TimeSpan? pauseMargin = null)
{
    public static readonly TimeSpan DefaultIsolation = TimeSpan.FromSeconds(3);

    /// <summary>How long before the end of its lease a guest is told to stand still; what that takes beyond it kills the guest.</summary>
    public static readonly TimeSpan DefaultPauseMargin = TimeSpan.FromMilliseconds(250);

    private readonly TimeSpan _pauseMargin = pauseMargin ?? Min(DefaultPauseMargin, (isolation ?? DefaultIsolation) / 4);
    private readonly RuleSwitches _rules = switches ?? RuleSwitches.All;
    private readonly Dictionary<string, TimeSpan> _issued = [];
    private readonly Dictionary<(Guid, long, string), TimeSpan> _grants = [];
    private readonly Dictionary<Guid, Held> _guests = [];

    public TimeSpan Isolation { get; } = isolation ?? DefaultIsolation;

    public IReadOnlyCollection<Guid> Guests => _guests.Keys;

    /// <summary>Remembers a challenge. The caller makes the nonce; it must not be guessable by whoever answers.</summary>
    public void Issue(string nonce, TimeSpan now)
    {
        // An answer to an older one could only give a deadline that has passed.
        foreach (var old in _issued.Where(i => i.Value + Isolation <= now).Select(i => i.Key).ToList()) _issued.Remove(old);
        foreach (var old in _grants.Where(g => g.Value <= now).Select(g => g.Key).ToList()) _grants.Remove(old);
        _issued[nonce] = now;
    }

    /// <summary>
    /// M or S stands behind these generations and answers the challenge. False: the nonce is unknown or too old, so no lease comes of it;
    /// what the records say about newer generations holds in any case. But one that would let a guest go on without a lease is only heard of
    /// here: the node stores it first, if its engine is not replaced by then, and adopts it afterwards (R1, R5).
    /// </summary>
    public bool Answer(string? nonce, IEnumerable<GenerationRecord> standsBehind, TimeSpan now)
    {
        var known = nonce is not null && _issued.ContainsKey(nonce);
        foreach (var record in standsBehind)
        {
            if (known) Grant(record, (_rules.LeaseFromIssue ? _issued[nonce!] : now) + Isolation);
            Hear(record, now);
        }

        return known;
    }

    private void Hear(GenerationRecord record, TimeSpan now)
    {
        if (!_guests.TryGetValue(record.Instance, out var held)) return;
        if (record.Number == held.Record.Number || record.Primary != held.Record.Primary || !_rules.SamePrimaryAdopts) Adopt(record, now);
    }

    /// <summary>Whether a guest may start or go on under this record now.</summary>
    public bool HasLease(GenerationRecord record, TimeSpan now) => _grants.GetValueOrDefault(Key(record)) > now;

    /// <summary>Registers a guest that is about to be started.</summary>
    public Outcome<Done> Start(GenerationRecord record, TimeSpan now)
    {
        if (_guests.TryGetValue(record.Instance, out var running))
            return new Refusal("guest.running", $"The guest runs under {running.Record}.", "Stop it first.");
        var held = new Held(record) { Until = _grants.GetValueOrDefault(Key(record)) };
        if (NeedsLease(held) && held.Until <= now)
            return new Refusal("lease.missing", $"Neither the engine nor the secondary has answered a challenge for {record}.", "Wait for the next heartbeat.");
        _guests[record.Instance] = held;
        return Done.Value;
    }

    /// <summary>The guest's process was reaped, or its start failed.</summary>
    public void Ended(Guid instance) => _guests.Remove(instance);

    /// <summary>
    /// A record that someone holds for newest. Same primary: the guest goes on under it; another: it is doomed and listed by
    /// <see cref="Expired"/> at once; older or of other instances: no matter.
    /// </summary>
    public Outcome<Done> Adopt(GenerationRecord record, TimeSpan now)
    {
        if (!_guests.TryGetValue(record.Instance, out var held) || record.Number < held.Record.Number) return Done.Value;
        if (record.Number == held.Record.Number)
            return record.SameAs(held.Record) ? Confirm(held, record) : Conflict(held.Record, record);

        if (record.Primary != held.Record.Primary || !_rules.SamePrimaryAdopts)
        {
            held.Doomed |= _rules.OtherPrimaryKills || record.Primary == held.Record.Primary;
            return Done.Value;
        }

        // The lease of the former generation still binds M and S: both waited for it before they would promote anyone.
        held.Until = Max(NeedsLease(held) ? held.Until : default, _grants.GetValueOrDefault(Key(record)));
        held.Record = record;
        held.Promised = false;
        return Done.Value;
    }

    /// <summary>R2: from here the guest, alone by record, needs a lease. Refused without one, so that a promise never kills.</summary>
    public Outcome<Done> Promise(GenerationRecord record, TimeSpan now)
    {
        if (!_guests.TryGetValue(record.Instance, out var held)) return Done.Value;
        if (!record.SameAs(held.Record)) return new Refusal("generation.stale", $"The guest runs under {held.Record}, not {record}.");
        if (!HasLease(record, now) && !NeedsLease(held))
            return new Refusal("lease.missing", $"Nobody has answered a challenge for {record} yet.", "Wait for the next heartbeat.");
        held.Promised = true;
        held.Until = Max(held.Until, _grants.GetValueOrDefault(Key(record)));
        return Done.Value;
    }

    /// <summary>The guests to kill now. They stay listed until <see cref="Ended"/>. A confirmed pause needs no lease.</summary>
    public IReadOnlyList<Guid> Expired(TimeSpan now) =>
        [.. _guests.Where(g => g.Value.Doomed || (Runs(g.Value) && g.Value.Until <= now)).Select(g => g.Key)];

    /// <summary>The guests to pause now: their lease is about to end.</summary>
    public IReadOnlyList<Guid> ToPause(TimeSpan now) =>
        [.. _guests.Where(g => g.Value is { Doomed: false, Pause: Pause.None } held && NeedsLease(held) && held.Until - _pauseMargin <= now && held.Until > now).Select(g => g.Key)];

    /// <summary>The guest was told to stand still. That alone saves it from nothing.</summary>
    public void Pausing(Guid instance) => SetPause(instance, _rules.PauseIsConfirmed ? Pause.Asked : Pause.Confirmed);

    /// <summary>The guests told to stand still that have not been seen to, and still may be in time.</summary>
    public IReadOnlyList<Guid> Unconfirmed(TimeSpan now) => [.. _guests.Where(g => g.Value.Pause == Pause.Asked && g.Value.Until > now).Select(g => g.Key)];

    /// <summary>All of the guest was seen standing still, before <paramref name="now"/>. False: too late, or it was not told to.</summary>
    public bool Paused(Guid instance, TimeSpan now)
    {
        if (!_guests.TryGetValue(instance, out var held) || held.Pause != Pause.Asked || held.Until <= now) return false;
        held.Pause = Pause.Confirmed;
        return true;
    }

    public bool IsPaused(Guid instance) => _guests.TryGetValue(instance, out var held) && held.Pause == Pause.Confirmed;

    /// <summary>The guests that may go on: their record was answered for in time, or they need no lease any more.</summary>
    public IReadOnlyList<Guid> ToResume(TimeSpan now) =>
        [.. _guests.Where(g => g.Value is { Doomed: false, Pause: not Pause.None } held && (!NeedsLease(held) || held.Until - _pauseMargin > now || (!_rules.ResumeNeedsLease && held.Until <= now))).Select(g => g.Key)];

    /// <summary>The guest goes on, told to or not: from here its lease counts again. Called before it is told.</summary>
    public void Resumed(Guid instance) => SetPause(instance, Pause.None);

    /// <summary>When the next guest expires; null: none that runs needs a lease.</summary>
    public TimeSpan? NextDeadline => _guests.Values.Where(Runs).Select(h => (TimeSpan?)h.Until).Min();

    /// <summary>When there is next something to pause; null: nothing.</summary>
    public TimeSpan? NextPause(TimeSpan now) => _guests.Values.Where(h => h is { Doomed: false, Pause: Pause.None } && NeedsLease(h) && h.Until > now).Select(h => (TimeSpan?)(h.Until - _pauseMargin)).Min();

    /// <summary>The record a guest runs under and when its lease ends (null: it needs none).</summary>
    public (GenerationRecord Record, TimeSpan? Until)? Of(Guid instance) =>
        _guests.TryGetValue(instance, out var held) ? (held.Record, NeedsLease(held) ? held.Until : null) : null;

    private void Grant(GenerationRecord record, TimeSpan until)
    {
        _grants[Key(record)] = Max(_grants.GetValueOrDefault(Key(record)), until);
        if (_guests.TryGetValue(record.Instance, out var held) && record.SameAs(held.Record)) held.Until = Max(held.Until, until);
    }

    private static Outcome<Done> Confirm(Held held, GenerationRecord record)
    {
        // Alone to in sync within one generation; never back, so a delayed "alone" changes nothing.
        if (record.Sync == SyncState.InSync) held.Record = record;
        return Done.Value;
    }

    private static Refusal Conflict(GenerationRecord mine, GenerationRecord theirs) =>
        new("generation.conflict", $"Two engines made generation {mine.Number}: {mine} and {theirs}.", "Stop one engine; a person must decide which copy is right.");

    private void SetPause(Guid instance, Pause pause)
    {
        if (_guests.TryGetValue(instance, out var held)) held.Pause = pause;
    }

    /// <summary>It may execute, and only with a lease.</summary>
    private bool Runs(Held held) => NeedsLease(held) && (held.Pause != Pause.Confirmed || !_rules.PauseIsEnough);

    private bool NeedsLease(Held held) => held.Record.Sync switch
    {
        SyncState.InSync => _rules.InSyncNeedsLease,
        SyncState.Alone => (held.Promised && _rules.PromiseNeedsLease) || !_rules.AloneNeedsNoLease,
    };

    private static (Guid, long, string) Key(GenerationRecord record) => (record.Instance, record.Number, record.Tag);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private enum Pause { None, Asked, Confirmed }

    private sealed class Held(GenerationRecord record)
    {
        public GenerationRecord Record { get; set; } = record;
        public TimeSpan Until { get; set; }
        public bool Promised { get; set; }
        public bool Doomed { get; set; }
        public Pause Pause { get; set; }
    }
}
