// Takes up an instance that was found on nodes: makes its record, charges its owner, and touches nothing on the nodes.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Access;
using WebManager.Engine.Model;
using WebManager.Engine.Quota;

namespace WebManager.Engine.Operations;

/// <summary>
/// Done in the transaction that accepts it. A mirrored one begins in doubt and without a generation: the newest record of its nodes is taken over
/// once both have answered this engine and neither has a newer one (R5), as after a restore.
/// </summary>
internal sealed class AdoptInstanceOperation : InstantOperation<AdoptInstance>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.TakesAllocated;
    public override bool Forced(AdoptInstance request) => request.Force;

    public override Refusal? Check(AdoptInstance request, Picture now, EngineParts parts)
    {
        if (!now.Found.TryGetValue(request.Found, out var found)) { return new Refusal("found.unknown", $"Nothing is known of {request.Found} on any node.", "Look at what was found; it may have been taken up already.") { Field = "found" }; }
        return found.Hindrance ?? Away(found, parts) ?? Named(request, now) ?? Owned(request, found, now, parts) ?? Addressed(request, found, now);
    }

    /// <summary>They may have fallen silent since it was shown.</summary>
    private static Refusal? Away(FoundInstance found, EngineParts parts) =>
        new[] { found.Primary, found.Secondary }.OfType<string>().FirstOrDefault(n => parts.Nodes.HealthOf(n) != NodeHealth.Online) is { } away
            ? new Refusal("node.not-online", $"Its node {away} does not answer.", $"Wait until {away} is back.") : null;

    private static Refusal? Named(AdoptInstance request, Picture now) => Rules.Name(request.Instance, "instance")
        ?? (now.Names.ContainsKey(request.Instance) || now.Jobs.Values.Any(j => !j.Ended && j.Request is CreateInstance c && c.Instance == request.Instance)
            ? new Refusal("instance.exists", $"There is already an instance {request.Instance}.", "Take it up under another name.") { Field = "instance" } : null);

    private static Refusal? Owned(AdoptInstance request, FoundInstance found, Picture now, EngineParts parts)
    {
        if (request.OwnerFromTags && request.Owner is not null) { return new Refusal("owner.twice", "An owner was given, and the one of its tags was asked for.", "Give one of the two.") { Field = "owner" }; }
        if (request.OwnerFromTags && found is { OwnerTag: { } tag, Owner: null })
        {
            return new Refusal("owner.unknown", $"Its tag names the {(OwnerTags.IsGroup(tag) ? "group" : "user")} {Shown.Name(OwnerTags.NameIn(tag) ?? tag)}, which is not here.", "Make that account or group first, choose another owner, or nobody.") { Field = "owner" };
        }
        return OwnerOf(request, found) is { Length: > 0 } owner ? Subjects.Known(owner, "owner", now, parts) : null;
    }

    private static Refusal? Addressed(AdoptInstance request, FoundInstance found, Picture now)
    {
        if (request.NewAddresses)
        {
            return found.Runs ? new Refusal("nics.runs", $"{found.Name} runs with its addresses.", "Take it up with them, or stop the other instance first.") { Field = "newAddresses" } : null;
        }
        foreach (var nic in found.Note!.Guest.Nics)
        {
            foreach (var (other, taken) in now.Instances.Values.SelectMany(i => i.Nics.Select(n => (i.Name, n))))
            {
                var same = string.Equals(nic.Mac, taken.Mac, StringComparison.OrdinalIgnoreCase) ? nic.Mac : nic.Ip is not null && nic.Ip == taken.Ip ? nic.Ip : null;
                if (same is not null) { return new Refusal("nics.taken", $"Its address {same} is {other}'s by now.", found.Runs ? $"Stop or remove {other} first, or stop this guest on its node and take it up with new addresses." : $"Remove {other} first, or take it up with new addresses.") { Field = "nics" }; }
            }
        }
        return null;
    }

    public override Reservation? Reserves(AdoptInstance request, Caller caller, Picture now)
    {
        var found = now.Found[request.Found];
        var guest = found.Note!.Guest;
        var cost = Charges.Of(guest.Vcpus, guest.MemoryMiB, guest.Disks.Sum(d => d.SizeMiB), found.Runs);
        return new Reservation(OwnerOf(request, found), cost.Allocated, cost.Running);
    }

    public override void Change(AdoptInstance request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var found = now.Found[request.Found];
        var owner = OwnerOf(request, found);
        var adopted = changes.Write(Made(request, found, owner, now, parts));
        var whose = owner.Length == 0 ? "nobody's" : Subjects.Name(owner, now, parts) + "'s";
        changes.Text = $"{adopted.Name} was found on {string.Join(" and ", found.On.Select(o => o.Node))} and taken up; it is {whose} now and {(found.Runs ? "runs on" : "stays stopped")}."
            + (found.Name == adopted.Name ? "" : $" It was called {Shown.Name(found.Name)}.") + (request.Force ? " The owner's quota was not asked." : "");
    }

    private static string OwnerOf(AdoptInstance request, FoundInstance found) => (request.OwnerFromTags ? found.Owner : request.Owner) ?? "";

    private static Instance Made(AdoptInstance request, FoundInstance found, string owner, Picture now, EngineParts parts)
    {
        var (note, guest, mirrored) = (found.Note!, found.Note!.Guest, found.Note!.Guest.Template == DiskTemplate.Mirror);
        return new Instance(found.Id, request.Instance, owner, guest.Image, guest.Vcpus, guest.MemoryMiB, guest.Template, guest.Disks, Nics(request, guest, now, parts),
            found.Primary, mirrored ? found.Secondary : null, note.CreatedAt ?? parts.Clock.GetUtcNow(), 0)
        {
            Stage = LifeStage.Ready, Wanted = found.Runs ? AdminState.Up : AdminState.Down,
            Mirror = !mirrored ? MirrorState.None : found.Record is { Sync: SyncState.Alone } ? MirrorState.Degraded : MirrorState.InSync,
            // Where no record was ever stored no guest ever ran: the images are as they were made.
            FreshDisks = mirrored && found.Record is null,
            Doubt = mirrored ? new Doubt(parts.Clock.GetUtcNow(), "it was found on its nodes and taken up") : null,
            Tags = [.. note.Tags.Where(t => !t.StartsWith(OwnerTags.Reserved, StringComparison.Ordinal))],
            OsParams = guest.OsParams, SshKeys = guest.SshKeys, SshHostKey = guest.SshHostKey,
            RecoveryOff = !note.AutoRecover, Priority = Enum.TryParse<RecoveryPriority>(note.Priority, ignoreCase: true, out var priority) ? priority : RecoveryPriority.Normal,
        };
    }

    private static IReadOnlyList<NicSpec> Nics(AdoptInstance request, GuestSpec guest, Picture now, EngineParts parts) =>
        !request.NewAddresses ? guest.Nics : CreateInstanceOperation.NewNics(guest.Nics.Count, now, parts.Random);
}
