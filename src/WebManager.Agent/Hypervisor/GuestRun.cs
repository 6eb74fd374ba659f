using System.Text.Json;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>Where a guest's other copy is.</summary>
/// <param name="EqualUnder">The generation since whose beginning both are equal, as DiskBitmaps writes it.</param>
public sealed record CopyPlace(ReplicaAddress Replica, string Node, string EqualUnder);

/// <summary>The copy for another secondary, from the moment in which the guest may be on it.</summary>
public sealed record ThirdPlace(GenerationRecord Candidate, ReplicaAddress Replica);

/// <summary>What an agent run must know of a guest that an earlier one started; kept in the instance's folder.</summary>
public sealed record GuestRun(int Pid, DateTimeOffset StartedAt)
{
    public DateTimeOffset? FirstLineAt { get; init; }
    public bool PoweredOff { get; init; }
    public bool Panicked { get; init; }

    /// <summary>The other copy, while the guest is on both.</summary>
    public CopyPlace? Place { get; init; }

    public ThirdPlace? Third { get; init; }

    public static GuestRun? Read(string file)
    {
        try { return JsonSerializer.Deserialize<GuestRun>(File.ReadAllBytes(file), WireJson.Options); }
        catch (Exception e) when (e is IOException or JsonException) { return null; }
    }

    public void Write(string file)
    {
        File.WriteAllBytes(file + ".new", JsonSerializer.SerializeToUtf8Bytes(this, WireJson.Options));
        File.Move(file + ".new", file, overwrite: true);
    }
}
