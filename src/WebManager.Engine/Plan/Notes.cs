// What the nodes of an instance are to keep of it. Pure.
using System.Security.Cryptography;
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

public static class Notes
{
    /// <param name="tags">With the owner's.</param>
    public static KeptNote Of(Instance i, IReadOnlyList<string> tags)
    {
        var guest = i.ToGuestSpec();
        var note = new InstanceNote(guest with { OsParams = new SortedDictionary<string, string>(guest.OsParams.ToDictionary(), StringComparer.Ordinal) })
        {
            Tags = tags, CreatedAt = i.CreatedAt, AutoRecover = !i.RecoveryOff, Priority = i.Priority.ToString().ToLowerInvariant(),
            Nodes = [.. new[] { i.Primary, i.Secondary }.OfType<string>().Order(StringComparer.Ordinal)],
        };
        return new KeptNote(Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(note, WireJson.Options)))[..16], note);
    }
}
