using WebManager.Contracts.Agent;

namespace WebManager.Agent.Rules;

/// <summary>The engine runs a node obeyed, newest last (R5). A decision of <see cref="NodeRules.Hear"/> gives the next one.</summary>
public sealed record HeardEngines(IReadOnlyList<EngineRun> Runs)
{
    /// <summary>More than can begin one after the other without one of them being told what is here.</summary>
    public const int Kept = 8;

    public static readonly HeardEngines None = new([]);

    public EngineRun Last => Runs.Count > 0 ? Runs[^1] : new EngineRun(0, "", 0);
}
