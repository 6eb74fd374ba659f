// What nodes have of instances that this cluster has no record of, and what can be asked about it.
using System.Text.Json.Serialization;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Engine.Model;

/// <summary>One node that has something of it. Disks: images that are there.</summary>
public sealed record FoundOn(string Node, bool Answers, int Disks, GuestPhase Guest);

/// <summary>
/// An instance that nodes have and no record names. Record: the newest generation that any of them has stored. Primary and Secondary: its nodes by
/// that record; without a mirror the node that has it.
/// </summary>
public sealed record FoundInstance(Guid Id, IReadOnlyList<FoundOn> On, string Primary, string? Secondary)
{
    /// <summary>What its nodes keep of it; null: none does, or none was asked yet.</summary>
    public InstanceNote? Note { get; init; }
    public GenerationRecord? Record { get; init; }

    /// <summary>The tag that names its owner, and the key of that owner; null: there is none, or none of that name here.</summary>
    public string? OwnerTag { get; init; }
    public string? Owner { get; init; }

    /// <summary>Why it cannot be taken up as it is; null: nothing is known against it.</summary>
    public Refusal? Hindrance { get; init; }

    /// <summary>Equal for two that are equal.</summary>
    public string Key { get; init; } = "";

    public string Name => Note?.Guest.Name ?? Id.ToString();

    /// <summary>What runs is wanted running.</summary>
    public bool Runs => On.Any(o => o.Guest != GuestPhase.Absent);
}

/// <summary>An instance that this cluster removed: what is left of it on a node that was away is not found again.</summary>
public sealed record RemovedInstance(Guid Id, string Name, DateTimeOffset At);

/// <summary>
/// Makes a record of what was found on nodes. Instance: what it is to be called. Nothing is written to its disks, and what runs, runs on.
/// </summary>
public sealed record AdoptInstance(string Instance, Guid Found) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.adopt";

    /// <summary>The key of who owns it and is charged from then on; null or empty: nobody, unless OwnerFromTags.</summary>
    public string? Owner { get; init; }

    /// <summary>The owner that its tags name; refused where there is no such user or group.</summary>
    public bool OwnerFromTags { get; init; }

    /// <summary>It gets other MAC and IP addresses than it had; only while it does not run.</summary>
    public bool NewAddresses { get; init; }

    /// <summary>Even over the owner's quota.</summary>
    public bool Force { get; init; }
}

public sealed record AddInstanceTags(string Instance, IReadOnlyList<string> Tags) : InstanceRequest(Instance), ITagsRequest { [JsonIgnore] public override string Name => "instance.add-tags"; }
public sealed record RemoveInstanceTags(string Instance, IReadOnlyList<string> Tags) : InstanceRequest(Instance), ITagsRequest { [JsonIgnore] public override string Name => "instance.remove-tags"; }
