using System.Text.Json.Serialization;

namespace WebManager.Contracts.Agent;

/// <summary>
/// What a node keeps beside an instance's files, so that an engine without a record of the instance can make one (docs/found.md). Of no use to the
/// node itself: who may run the guest is said by the generation alone.
/// </summary>
public sealed record InstanceNote(GuestSpec Guest)
{
    /// <summary>The instance's tags and its owner's.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Null: not known, as of instances from before there were notes.</summary>
    public DateTimeOffset? CreatedAt { get; init; }
    public bool AutoRecover { get; init; } = true;

    /// <summary>low, normal, high.</summary>
    public string Priority { get; init; } = "normal";

    /// <summary>The nodes that have its disks, sorted: asked only where no generation was ever made.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];
}

/// <summary>Digest: by which the engine knows the note again; empty for one that was made from what an older agent had.</summary>
public sealed record KeptNote(string Digest, InstanceNote Note);

/// <summary>Keeps the note durably in the place of the one before. The same digest: done. Nothing of the instance here: refused with instance.absent.</summary>
public sealed record NoteInstanceOrder(Guid Operation, long Epoch, KeptNote Kept) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/instances/note";
}

/// <summary>The notes of these instances, of those that have one. Changes nothing.</summary>
public sealed record NotesRequest(IReadOnlyList<Guid> Instances) : IAgentCall<NotesReply>
{
    [JsonIgnore] public string Path => "/v1/instances/notes";
}

public sealed record NotesReply(IReadOnlyList<KeptNote> Notes);
