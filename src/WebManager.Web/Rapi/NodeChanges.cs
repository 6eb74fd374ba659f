// What can be done to nodes.
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal static class NodeChanges
{
    /// <summary>One of Ganeti's roles at a time; nothing here is a master candidate.</summary>
    public static async Task<ReadOnlyMemory<byte>> SetRole(RapiCall call)
    {
        var body = await call.BodyAsync() ?? JsonElement.Parse("null");
        if (body.ValueKind != JsonValueKind.String) { throw RapiCall.WrongType(body, "str"); }
        var role = body.GetString()!;
        (bool? offline, bool? drained, bool? candidate) flags = role switch
        {
            "regular" => (false, false, false),
            "drained" => (null, true, null),
            "offline" => (true, null, null),
            "master-candidate" => throw RapiError.Missing("No node is a master candidate here: the portal manages the cluster"),
            _ => throw new RapiError(400, $"Can't set '{role}' role"),
        };
        var op = Opcodes.Of("NODE_SET_PARAMS", ("node_name", call.Name), ("offline", flags.offline), ("drained", flags.drained), ("master_candidate", flags.candidate), ("force", call.Flag("force"))) with { DryRun = call.DryRun };
        // One flag at a time: what becomes drained is not offline, and the other way round.
        return await Submits.AsJobAsync(call, op, new ModifyNode(call.Name) { Offline = role == "offline", Drained = role == "drained" });
    }

    public static async Task<ReadOnlyMemory<byte>> Modify(RapiCall call)
    {
        var op = (await ReadAsync(call, "NODE_SET_PARAMS")).Only("node_name offline drained");
        return await Submits.AsJobAsync(call, op, new ModifyNode(call.Name) { Offline = op.Maybe("offline"), Drained = op.Maybe("drained") });
    }

    /// <summary>A job for each instance, as in Ganeti; the answer's job says which. Primaries move (or fail over when they do not run), secondaries get another node.</summary>
    public static async Task<ReadOnlyMemory<byte>> Evacuate(RapiCall call)
    {
        var op = (await ReadAsync(call, "NODE_EVACUATE")).Only("node_name mode remote_node");
        if (Unknown(call, op) is { } none) { return none; }
        var (mode, node) = (op.Text("mode"), Seen.Node(call.Engine, call.Sight, call.Name)!);
        var asked = new List<InstanceRequest>();
        if (mode != "secondary-only") { asked.AddRange(node.Primaries.Select(i => new MigrateInstance(i.Name) { AllowFailover = true })); }
        if (mode != "primary-only") { asked.AddRange(node.Secondaries.Select(i => new ReplaceSecondary(i.Name) { Node = op.Text("remote_node") })); }
        return await AllOrNoneAsync(call, op, asked, "evacuate");
    }

    public static async Task<ReadOnlyMemory<byte>> Migrate(RapiCall call)
    {
        var op = (await ReadAsync(call, "NODE_MIGRATE")).Only("node_name mode live target_node");
        if (op.Text("mode") == "non-live" || op.Maybe("live") == false) { throw RapiError.Missing("Instances are migrated live here, never stopped for it"); }
        if (Unknown(call, op) is { } none) { return none; }
        var node = Seen.Node(call.Engine, call.Sight, call.Name)!;
        return await AllOrNoneAsync(call, op, [.. node.Primaries.Select(i => new MigrateInstance(i.Name) { To = op.Text("target_node"), AllowFailover = true })], "migrate");
    }

    public static Task<ReadOnlyMemory<byte>> Powercycle(RapiCall call) =>
        throw RapiError.Missing("Nodes are powered off here (wm node power-off NAME), not power-cycled");

    /// <summary>The folder that a node's instances lie in is its one unit of storage.</summary>
    public static Task<ReadOnlyMemory<byte>> Storage(RapiCall call)
    {
        var fields = (call.Text("output_fields") ?? throw new RapiError(400, "Missing the required 'output_fields' parameter")).Split(',');
        var op = Opcodes.Read("NODE_QUERY_STORAGE", JsonElement.Parse("{}"), [("storage_type", call.Text("storage_type") ?? throw new RapiError(400, "Missing the required 'storage_type' parameter")), ("output_fields", fields), ("nodes", new[] { call.Name })]);
        if (op.Text("storage_type") != "file") { throw RapiError.Missing("Nodes have storage of type file only; LVM comes later"); }
        if (Unknown(call, op) is { } none) { return Task.FromResult(none); }
        var row = Seen.Node(call.Engine, call.Sight, call.Name)!.Row;
        return Task.FromResult(call.Parts.Answers.Add(call, op, new[] { fields.Select(f => f switch
        {
            "name" => (object?)"instances",
            "node" => row.Name,
            "type" => "file",
            "size" => row.DiskMiB,
            "used" => row.CommittedDiskMiB,
            "free" => Math.Max(0, row.DiskMiB - row.CommittedDiskMiB),
            "allocatable" => row.DiskFault is null,
            _ => throw new RapiError(400, $"Unknown output field '{f}'"),
        }).ToArray() }));
    }

    public static Task<ReadOnlyMemory<byte>> NoLvm(RapiCall call) => throw RapiError.Missing("Nodes have no LVM storage here yet");

    private static Task<Opcode> ReadAsync(RapiCall call, string name) => Opcodes.ReadAsync(call, name, [("node_name", call.Name)]);

    private static ReadOnlyMemory<byte>? Unknown(RapiCall call, Opcode op) => Seen.Node(call.Engine, call.Sight, call.Name) is not null ? (ReadOnlyMemory<byte>?)null
        : call.Parts.Answers.Add(call, op, new Refusal("node.unknown", $"Node '{call.Name}' not known"));

    /// <summary>Nothing is begun unless all of it can be, as Ganeti does; what fails on the way is told by its own job.</summary>
    private static async Task<ReadOnlyMemory<byte>> AllOrNoneAsync(RapiCall call, Opcode op, IReadOnlyList<InstanceRequest> asked, string verb)
    {
        var refused = asked.Select(r => (r.Instance, Refusal: call.Engine.WouldRefuse(r, call.Caller))).Where(r => r.Refusal is not null).ToList();
        if (refused.FirstOrDefault(r => r.Refusal!.Code is "right.missing" or "right.read-only") is { Refusal: { } forbidden }) { throw RapiError.Forbidden(forbidden); }
        var found = $" - INFO: Instances of node '{call.Name}': {string.Join(", ", asked.Select(r => r.Instance))}";
        if (op.DryRun) { return call.Parts.Answers.Add(call, op, null, found, " - INFO: dry-run mode requested, not actually executing the operation"); }
        if (refused.Count > 0) { return call.Parts.Answers.AddFailed(call, op, $"Unable to {verb} instances {string.Join(", ", refused.Select(r => $"{r.Instance} ({r.Refusal!.Message})"))}", found); }
        var jobs = new List<object[]>();
        foreach (var request in asked)
        {
            var job = await Submits.TryAsync(call, request);
            jobs.Add(job.Ok ? [true, job.Value] : [false, job.Refusal.Message]);
        }
        return call.Parts.Answers.Add(call, op, new Dictionary<string, object> { ["jobs"] = jobs }, found);
    }
}
