using System.Globalization;
using System.Text;
using WebManager.Agent.Node;
using WebManager.Agent.Rules;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.State;

/// <summary>
/// The engine runs heard here (R5): a new one is on disk before it is obeyed, how many decisions it tells of shortly after. One line a run:
/// epoch, tag, decisions.
/// </summary>
public sealed class EpochFile
{
    private readonly Lock _gate = new();
    private readonly Lock _disk = new();
    private readonly NodeFolder _folder;
    private readonly NodeRules _rules;
    private readonly InstanceTable _table;
    private HeardEngines _heard;
    private bool _writing;

    public EpochFile(NodeFolder folder, NodeRules rules, InstanceTable table)
    {
        (_folder, _rules, _table) = (folder, rules, table);
        _heard = File.Exists(folder.Epoch) ? new HeardEngines([.. File.ReadLines(folder.Epoch).Where(l => l.Length > 0).Select(Read)]) : HeardEngines.None;
    }

    public IReadOnlyList<EngineRun> Runs => Volatile.Read(ref _heard).Runs;

    /// <summary>An order names its epoch only.</summary>
    public Refusal? Check(long given) => Check(new EngineRun(given, "", 0));

    public Refusal? Check(EngineRun given)
    {
        lock (_gate)
        {
            var next = _rules.Hear(_heard, given);
            if (!next.Ok) return next.Refusal;
            if (ReferenceEquals(next.Value, _heard)) return null;
            var newRun = next.Value.Last.Epoch != _heard.Last.Epoch || next.Value.Last.Tag != _heard.Last.Tag;
            if (newRun) Write(next.Value);
            Volatile.Write(ref _heard, next.Value);
            // What an order of an older engine was just storing is told to the new one, and it stores nothing after that.
            if (newRun) _table.Settle();
            else WriteBehind();
            return null;
        }
    }

    /// <summary>Asked again where something is stored: an order may have waited while another engine took over.</summary>
    public Refusal? StillValid(long? epoch) => epoch is { } given ? _rules.Epoch(Volatile.Read(ref _heard).Last.Epoch, given).Refusal : null;

    /// <summary>Beats do not wait for the disk; one writer follows them as fast as the disk goes.</summary>
    private void WriteBehind()
    {
        if (_writing) return;
        _writing = true;
        Task.Run(() =>
        {
            while (true)
            {
                var now = Volatile.Read(ref _heard);
                try { Write(now); }
                catch (IOException) { lock (_gate) { _writing = false; } return; }   // the next beat tries again
                lock (_gate)
                {
                    if (!ReferenceEquals(now, _heard)) continue;
                    _writing = false;
                    return;
                }
            }
        });
    }

    private void Write(HeardEngines heard)
    {
        var lines = heard.Runs.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Epoch} {(r.Tag.Length > 0 ? r.Tag : "-")} {r.Decisions}\n"));
        lock (_disk) { DurableFile.Write(_folder.Epoch, Encoding.ASCII.GetBytes(string.Concat(lines))); }
    }

    /// <summary>A line of an earlier version has the epoch only.</summary>
    private static EngineRun Read(string line)
    {
        var words = line.Split(' ');
        long Number(int at) => words.Length > at ? long.Parse(words[at], CultureInfo.InvariantCulture) : 0;
        return new EngineRun(Number(0), words.Length > 1 && words[1] != "-" ? words[1] : "", Number(2));
    }
}
