// A scenario: start state and faults, then the events that must follow and the state at the end. ScenarioText reads and writes it.
using WebManager.Contracts;

namespace WebManager.Testing.Simulator;

public sealed record ScenarioInstance(string Name, DiskTemplate Template, string Primary, string? Secondary, bool Quiet);

/// <summary>What a fault waits for once its time has come: the next moment of that kind and subject (* any), and Delay seconds more.</summary>
public sealed record ScenarioMoment(string Kind, string Subject, double Delay);

/// <summary>What is true of some nodes from the start. Word: group, location. Value: the group's name, the node tag.</summary>
public sealed record ScenarioPlace(string Word, string Value, IReadOnlyList<string> Nodes);
public sealed record ScenarioFault(double At, string Word, IReadOnlyList<string> Args, ScenarioMoment? When = null);
public sealed record ScenarioEvent(double? Latest, string Kind, string Subject, string From, string To, int Line);
public sealed record ScenarioEnd(string Instance, string Status, string? Node, string? Mirror, int Line);

/// <summary>
/// <code>
/// # what it shows
/// nodes n1 n2 n3
/// group west n2 n3                optional: a node group beside default, and its nodes
/// location rack:a n1 n2           optional: a failure domain, named by a tag of these nodes and a rule of the cluster's
/// i1 mirror n1/n2 [quiet]         or: i1 diskless n1, i1 file n1; any: the cluster chooses that node
/// rate n1 0.95                    optional: its clock's rate; also portal
/// seed 7                          optional
/// slow 0.05 4                     optional: that part of the messages takes up to so many seconds
/// late 0.5                        optional: that part of what meets a cut arrives after it
/// pace 3                          optional: the guests write so many times slower
/// stuck 0.1                       optional: that part of the guests' pauses takes up to 1.5 s
/// no freeze                       optional: the loss of many nodes at once does not hold recovery up
/// restarts 1000 0.1               optional: the engine's limit and first wait of restarts in place
/// 0  power-off n1                 seconds after everything ran, then a word of Faults; i1.primary, i1.secondary and i1.other are nodes too
/// 0  when guest.started i1 0.2 power-off n2    the first such moment after 0 s, and 0.2 s more; see Moments for the kinds
/// ---
/// 2.5  node.health node:n1 online -> suspect      latest time, kind, subject, from, to (- none, * any), in this order
/// never  guest.started i1 * -> n3
/// end 60
/// i1 running n2 inSync            status, where, mirror (* any)
/// all as wanted                   what is wanted up runs, what is mirrored is in sync
/// </code>
/// </summary>
public sealed record Scenario
{
    public required string Name { get; init; }
    public int Seed { get; init; } = 1;
    public IReadOnlyList<string> Nodes { get; init; } = [];
    public IReadOnlyList<ScenarioPlace> Places { get; init; } = [];
    public IReadOnlyList<ScenarioInstance> Instances { get; init; } = [];
    public IReadOnlyDictionary<string, double> Rates { get; init; } = new Dictionary<string, double>();

    /// <summary>Part of the messages that are slow, and how slow at most.</summary>
    public double SlowPart { get; init; }
    public double SlowSeconds { get; init; } = 0.8;

    /// <summary>Part of the messages met by a cut that arrive after it.</summary>
    public double LatePart { get; init; } = 0.5;

    /// <summary>How many times slower than usual the guests write.</summary>
    public double Pace { get; init; } = 1;

    /// <summary>Part of the pauses that take long.</summary>
    public double StuckPart { get; init; }
    public bool Freezes { get; init; } = true;
    public int? RestartLimit { get; init; }
    public double RestartSeconds { get; init; } = 0.5;
    public IReadOnlyList<ScenarioFault> Given { get; init; } = [];
    public IReadOnlyList<ScenarioEvent> Expected { get; init; } = [];
    public double EndAt { get; init; } = -1;
    public IReadOnlyList<ScenarioEnd> End { get; init; } = [];
    public bool AllAsWanted { get; init; }

    public static Scenario Parse(string name, string text) => new ScenarioReader(name).Read(text);
}
