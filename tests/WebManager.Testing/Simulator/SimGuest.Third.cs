// Three copies for the time in which one secondary takes the place of another: each write is acknowledged by all of them.
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

public sealed partial class SimGuest
{
    /// <summary>The candidate whose node is written to as well.</summary>
    private GenerationRecord? _joined;

    /// <summary>Grows whenever the guest's writes go elsewhere than before: what was under way then is sent again.</summary>
    private int _graph;

    public ThirdCopy? Third { get; private set; }

    public bool IsJoined => Third is { Phase: ThirdPhase.Joined };

    private Task<bool?> SendToThirdAsync(int n, bool flush) =>
        _joined is { Secondary: { } node } to ? SendAsync(node, to.Number, to.Tag, n, flush) : Task.FromResult<bool?>(true);

    private void LoseThird(string text)
    {
        if (Third is { } third) Third = third with { Lost = true, Text = text };
        Break(text);
    }

    private void SetThird(ThirdCopy? third, GenerationRecord? joined)
    {
        if (_joined != joined) _graph++;
        (Third, _joined) = (third, joined);
        Node.Agent?.Bump();
    }

    public void CopyThird(GenerationRecord candidate, double percent) => SetThird(new ThirdCopy(candidate.Number, candidate.Tag, ThirdPhase.Copying) { Percent = percent }, null);

    public void FailThird(GenerationRecord candidate, string text) => SetThird(new ThirdCopy(candidate.Number, candidate.Tag, ThirdPhase.Failed) { Text = text }, null);

    public void Join(GenerationRecord candidate) => SetThird(new ThirdCopy(candidate.Number, candidate.Tag, ThirdPhase.Joined) { Copy = new CopyReport(0, 0, 0, 0) }, candidate);

    /// <summary>Back to the pair; the copy that was lost was perhaps the reason to wait.</summary>
    public void LeaveThird()
    {
        if (Mirror == MirrorPhase.Broken && Third is { Lost: true } && LocalFault is null) (Mirror, MirrorText) = (MirrorPhase.InSync, null);
        SetThird(null, null);
    }

    /// <summary>The candidate is the record: its copy is the other one from here on.</summary>
    public void LeaveFormer(GenerationRecord record)
    {
        (ReplicaGeneration, _replicaNode, CopyFault) = (record.Number, record.Secondary, null);
        if (Mirror == MirrorPhase.Broken && LocalFault is null) (Mirror, MirrorText) = (MirrorPhase.InSync, null);
        SetThird(null, null);
        _graph++;
    }
}
