using System.Collections.Concurrent;
using System.Collections.Immutable;
using WebManager.Agent.State;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>All instances with anything here, and the picture of them that beats carry away, with a serial that grows by each change.</summary>
public sealed class InstanceTable
{
    private readonly ConcurrentDictionary<Guid, InstanceUnit> _units = new();
    private readonly Lock _gate = new();
    private ImmutableSortedDictionary<Guid, InstanceReport> _reports = ImmutableSortedDictionary<Guid, InstanceReport>.Empty;
    private long _serial = 1;

    public IEnumerable<InstanceUnit> All => _units.Values;

    public InstanceUnit? Find(Guid id) => _units.GetValueOrDefault(id);

    public InstanceUnit Get(Guid id) => _units.GetOrAdd(id, i => new InstanceUnit(i));

    public void Load(InstanceFiles files, IDisks disks)
    {
        foreach (var id in files.All())
        {
            var unit = Get(id);
            unit.Stored = files.Generations(id) ?? Rules.StoredGenerations.None;
            unit.Start = files.Start(id);
            unit.LastEnd = files.End(id);
            unit.Kept = files.Kept(id);
            unit.Disks = disks.Count(id);
            Publish(unit);
        }
    }

    /// <summary>Called after every change of a unit.</summary>
    public void Publish(InstanceUnit unit)
    {
        lock (_gate)
        {
            if (!_units.ContainsKey(unit.Id)) return;
            var report = unit.Report();
            if (_reports.TryGetValue(unit.Id, out var shown) && shown == report) return;
            _reports = _reports.SetItem(unit.Id, report);
            _serial++;
        }
    }

    /// <summary>Waits for what is being stored right now, and shows it: the next beat's answer has it.</summary>
    public void Settle()
    {
        foreach (var unit in _units.Values)
        {
            lock (unit) { }
            Publish(unit);
        }
    }

    public void Remove(Guid id)
    {
        lock (_gate)
        {
            _units.TryRemove(id, out _);
            if (!_reports.ContainsKey(id)) return;
            _reports = _reports.Remove(id);
            _serial++;
        }
    }

    /// <summary>Lets go of the guests' monitors and consoles, for another process to take: they run on under the keeper.</summary>
    public async Task LetGoAsync()
    {
        Left = true;
        foreach (var unit in _units.Values)
        {
            if (unit.Guest is { } guest) await guest.DisposeAsync();
            if (unit.Incoming is { } incoming) await incoming.DisposeAsync();
        }
    }

    /// <summary>The guests are somebody else's now; nothing here looks for them any more.</summary>
    public bool Left { get; private set; }

    public (long Serial, IReadOnlyList<InstanceReport>? Reports) Since(long known)
    {
        lock (_gate) { return (_serial, known == _serial ? null : [.. _reports.Values]); }
    }
}
