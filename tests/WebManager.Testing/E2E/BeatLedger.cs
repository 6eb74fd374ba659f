// What an instance's beat has promised on all nodes so far, and whether its disk kept it: nothing lost, never two guests at one time.
using System.Globalization;

namespace WebManager.Testing.E2E;

/// <param name="Lost">Acknowledged records that are gone, each as a sentence.</param>
/// <param name="Twice">Signs of two guests at one time.</param>
public sealed record BeatFindings(IReadOnlyList<string> Lost, IReadOnlyList<string> Twice)
{
    public bool Clean => Lost.Count + Twice.Count == 0;
    public override string ToString() => Clean ? "nothing lost, never twice" : string.Join("; ", Lost.Concat(Twice));
}

public sealed class BeatLedger(PortalProcess portal, Guid instance, IReadOnlyList<string> nodes)
{
    private readonly Dictionary<string, long> _read = nodes.ToDictionary(n => n, _ => 0L);
    private readonly HashSet<long> _said = [];
    private readonly List<string> _lost = [];

    /// <summary>The highest number that any guest of the instance has said up to the last look.</summary>
    public long Highest { get; private set; }

    /// <summary>
    /// Reads what the guests said since the last look. A number that is said again was written again: its first writing is lost. So is what
    /// lies above a "resume".
    /// </summary>
    public void Look()
    {
        var before = Highest;
        foreach (var node in nodes)
        {
            var serial = portal.Serial(node, instance);
            if (serial.End < _read[node]) _read[node] = 0; // The node was given a new copy, or the log was cut.
            var (here, (lines, end)) = (before, serial.NewLines(_read[node]));
            _read[node] = end;
            foreach (var line in lines)
            {
                if (SerialFile.NumberOf(line, "resume ") is >= 0 and var resumed && resumed < here)
                    _lost.Add(string.Create(CultureInfo.InvariantCulture, $"resume {resumed} on {node} after beat {here}"));
                if (SerialFile.NumberOf(line, "beat ") is > 0 and var number)
                {
                    if (!_said.Add(number)) _lost.Add(string.Create(CultureInfo.InvariantCulture, $"beat {number} was said again on {node}"));
                    here = Math.Max(here, number);
                }
            }
            Highest = Math.Max(Highest, here);
        }
    }

    /// <summary>Compares with the primary's disk; the guest may go on meanwhile.</summary>
    public async Task<BeatFindings> CheckAsync(string primary)
    {
        Look();
        var promised = Highest;
        var kept = await BeatRecords.OfAsync(portal.Disk(primary, instance));
        var lost = new List<string>(_lost);
        if (kept.Missing.Where(n => n <= promised).ToList() is { Count: > 0 } gone) lost.Add($"records {string.Join(", ", gone.Take(5))} are not on {primary}");
        if (kept.Last < promised) lost.Add($"beat {promised} was said, {primary} ends with {kept.Last}");
        var boots = kept.Boots;
        return new BeatFindings(lost, boots.Distinct().Count() == boots.Count ? [] : [$"records of different boots alternate on {primary}: {string.Join(" ", boots.Select(b => b[..8]))}"]);
    }
}
