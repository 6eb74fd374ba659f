// What can be done to instances. Parameters that nothing here heeds are refused (Opcode.Only), never passed over.
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal static class InstanceChanges
{
    public static async Task<ReadOnlyMemory<byte>> Remove(RapiCall call)
    {
        var op = (await ReadAsync(call, "INSTANCE_REMOVE")).Only("instance_name shutdown_timeout");
        return await Submits.AsJobAsync(call, op, new RemoveInstance(Named(call)));
    }

    public static async Task<ReadOnlyMemory<byte>> Startup(RapiCall call)
    {
        var op = (await ReadAsync(call, "INSTANCE_STARTUP", ("no_remember", Query(call, "no_remember")))).Only("instance_name shutdown_timeout");
        return await Submits.AsJobAsync(call, op, new StartInstance(Named(call)));
    }

    public static async Task<ReadOnlyMemory<byte>> Shutdown(RapiCall call)
    {
        var op = (await ReadAsync(call, "INSTANCE_SHUTDOWN", ("no_remember", Query(call, "no_remember")))).Only("instance_name timeout");
        return await Submits.AsJobAsync(call, op, new StopInstance(Named(call)) { TimeoutSeconds = op.Flag("force") ? 0 : op.Number("timeout", 120) });
    }

    /// <summary>hard: without waiting for the guest; soft and full: it is asked to stop first.</summary>
    public static async Task<ReadOnlyMemory<byte>> Reboot(RapiCall call)
    {
        var op = (await ReadAsync(call, "INSTANCE_REBOOT", ("reboot_type", call.Text("type") ?? "hard"), ("ignore_secondaries", Query(call, "ignore_secondaries")))).Only("instance_name reboot_type shutdown_timeout");
        return await Submits.AsJobAsync(call, op, new RebootInstance(Named(call)) { TimeoutSeconds = op.Text("reboot_type") == "hard" ? 0 : op.Number("shutdown_timeout", 120) });
    }

    public static async Task<ReadOnlyMemory<byte>> Failover(RapiCall call)
    {
        var op = (await ReadAsync(call, "INSTANCE_FAILOVER")).Only("instance_name target_node shutdown_timeout");
        return Elsewhere(call, op) is { } refusal
            ? call.Parts.Answers.Add(call, op, refusal)
            : await Submits.AsJobAsync(call, op, new FailoverInstance(Named(call)) { TimeoutSeconds = op.Number("shutdown_timeout", 120) });
    }

    public static async Task<ReadOnlyMemory<byte>> Migrate(RapiCall call)
    {
        var op = (await ReadAsync(call, "INSTANCE_MIGRATE")).Only("instance_name target_node allow_failover mode live");
        if (op.Text("mode") == "non-live" || op.Maybe("live") == false) { throw RapiError.Missing("Instances are migrated live here, never stopped for it"); }
        return await Submits.AsJobAsync(call, op, new MigrateInstance(Named(call)) { To = op.Text("target_node"), AllowFailover = op.Flag("allow_failover") });
    }

    /// <summary>A new secondary (named or chosen), or the present one's copy made equal again.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReplaceDisks(RapiCall call)
    {
        var mode = call.Text("mode");
        var op = await ReadAsync(call, "INSTANCE_REPLACE_DISKS", ("mode", mode), ("remote_node", call.Text("remote_node") is { Length: > 0 } n ? n : null), ("iallocator", call.Text("iallocator") is { Length: > 0 } i ? i : null),
            ("disks", call.Text("disks") is { Length: > 0 } disks ? DisksOf(disks) : null));
        op.Only("instance_name mode remote_node");
        return op.Text("mode") switch
        {
            "replace_on_primary" => throw RapiError.Missing("The primary's own copy cannot be replaced in place: fail the instance over, then replace its secondary"),
            "replace_on_secondary" => await Submits.AsJobAsync(call, op, new ResyncInstance(Named(call))),
            _ => await Submits.AsJobAsync(call, op, new ReplaceSecondary(Named(call)) { Node = op.Text("remote_node") }),
        };
    }

    /// <summary>beparams.auto_balance is whether the cluster counts on its second copy: here, whether it is recovered by itself.</summary>
    public static async Task<ReadOnlyMemory<byte>> Modify(RapiCall call)
    {
        var op = await Opcodes.ReadAsync(call, "INSTANCE_SET_PARAMS", Fixed(call), ("custom_beparams", "beparams"), ("custom_hvparams", "hvparams"));
        op.Only("instance_name beparams");
        bool? balance = null;
        foreach (var parameter in op.Find("beparams")?.EnumerateObject() ?? default)
        {
            if (parameter.Name != "auto_balance") { throw RapiError.Missing($"beparams.{parameter.Name} cannot be changed here yet"); }
            balance = parameter.Value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => throw new RapiError(400, "Invalid body parameters: (\"Parameter 'OP_INSTANCE_SET_PARAMS.beparams' fails validation\", 'wrong_input')"),
            };
        }
        if (balance is null) { return call.Parts.Answers.Add(call, op, new Refusal("instance.nothing-to-change", "No changes submitted") { Field = "beparams" }); }
        return await Submits.AsJobAsync(call, op, new ModifyInstance(Named(call)) { AutoRecover = balance });
    }

    /// <summary>All that is known of it, as the result of a job.</summary>
    public static Task<ReadOnlyMemory<byte>> Info(RapiCall call)
    {
        var op = Opcodes.Read("INSTANCE_QUERY_DATA", JsonElement.Parse("{}"), [("instances", new[] { call.Name }), ("static", call.Flag("static")), ("use_locking", true)]);
        return Task.FromResult(Seen.Instance(call.Engine, call.Sight, call.Name) is { } seen
            ? call.Parts.Answers.Add(call, op, new Dictionary<string, object?> { [seen.Stored.Name] = InstanceInfo.Of(seen, call.Flag("static")) })
            : call.Parts.Answers.Add(call, op, new Refusal("instance.unknown", $"Instance '{call.Name}' not known")));
    }

    /// <summary>The whole name behind a short one; the door says what is wrong with one that there is not.</summary>
    public static string Named(RapiCall call) => Seen.Instance(call.Engine, call.Sight, call.Name)?.Stored.Name ?? call.Name;

    private static Task<Opcode> ReadAsync(RapiCall call, string name, params (string, object?)[] more) => Opcodes.ReadAsync(call, name, [.. Fixed(call), .. more.Where(m => m.Item2 is not null)]);

    private static IEnumerable<(string, object?)> Fixed(RapiCall call) => Seen.Instance(call.Engine, call.Sight, call.Name) is { } seen ? [("instance_name", seen.Stored.Name), ("instance_uuid", seen.Stored.Id)] : [("instance_name", call.Name)];

    private static object? Query(RapiCall call, string key) => call.HasQuery(key) ? call.Flag(key) : null;

    private static List<int> DisksOf(string text)
    {
        try { return [.. text.Split(',').Select(t => int.Parse(t, System.Globalization.CultureInfo.InvariantCulture))]; }
        catch (Exception ex) when (ex is FormatException or OverflowException) { throw new RapiError(400, $"Invalid disk index passed: {text}"); }
    }

    private static Refusal? Elsewhere(RapiCall call, Opcode op) => op.Text("target_node") is { } to && Seen.Instance(call.Engine, call.Sight, call.Name) is { } seen && seen.Stored.Secondary != to
        ? new Refusal("failover.elsewhere", $"{seen.Stored.Name} is not failed over to {to}: its other node is {seen.Stored.Secondary ?? "none"}.") { Field = "target_node" }
        : null;
}

/// <summary>The answer of OP_INSTANCE_QUERY_DATA.</summary>
internal static class InstanceInfo
{
    public static Dictionary<string, object?> Of(InstanceSeen seen, bool stored)
    {
        var (i, now) = (seen.Stored, seen.Now);
        var (group, other) = (now.GroupOf(i.Primary), i.Secondary is { } s ? now.GroupOf(s) : null);
        return new Dictionary<string, object?>
        {
            ["name"] = i.Name, ["config_state"] = i.Wanted == AdminState.Up ? "up" : "down", ["run_state"] = stored ? null : seen.Runs ? "up" : "down",
            ["pnode"] = i.Primary, ["pnode_group_uuid"] = group?.Id, ["pnode_group_name"] = group?.Name,
            ["snodes"] = Some(i.Secondary), ["snodes_group_uuids"] = Some(other?.Id.ToString()), ["snodes_group_names"] = Some(other?.Name),
            ["os"] = i.Image,
            ["nics"] = i.Nics.Select(n => new object?[] { null, InstanceFields.NicId(i, n), n.Ip?.Split('/')[0], n.Mac, InstanceFields.Mode(n), InstanceFields.Link(n), "", null, null }),
            ["disk_template"] = InstanceFields.Template(i.Template),
            ["disks"] = i.Disks.Select(d => new Dictionary<string, object?> { ["iv_name"] = $"disk/{d.Index}", ["dev_type"] = InstanceFields.Template(i.Template), ["size"] = d.SizeMiB, ["uuid"] = d.Id, ["mode"] = "rw", ["children"] = Array.Empty<object>() }),
            ["hypervisor"] = InstanceFields.Hypervisor(seen.Kind), ["network_port"] = null,
            ["hv_instance"] = new Dictionary<string, object>(), ["hv_actual"] = new Dictionary<string, object>(),
            ["be_instance"] = Parsed(j => InstanceFields.CustomBeParams(j, i)), ["be_actual"] = Parsed(j => InstanceFields.BeParams(j, seen, withAlias: false)),
            ["os_instance"] = i.OsParams, ["os_actual"] = i.OsParams, ["serial_no"] = i.Revision,
            ["mtime"] = Parsed(j => j.Seconds(i.CreatedAt)), ["ctime"] = Parsed(j => j.Seconds(i.CreatedAt)), ["uuid"] = i.Id,
        };
    }

    private static string[] Some(string? one) => one is null ? [] : [one];

    private static JsonElement Parsed(Action<Utf8JsonWriter> write) => JsonElement.Parse(Json.Of(write).Span);
}
