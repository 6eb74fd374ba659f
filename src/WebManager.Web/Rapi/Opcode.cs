// An opcode with its parameters, as it was sent and with Ganeti's defaults for the rest; refused where Ganeti refuses it.
using System.Text.Json;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

/// <param name="Name">Without OP_: INSTANCE_CREATE.</param>
/// <param name="Given">In the order of Ganeti's own list; those that were not given have their default, or are left out.</param>
internal sealed record Opcode(string Name, IReadOnlyList<KeyValuePair<string, JsonElement>> Given)
{
    public bool DryRun { get; init; }

    /// <summary>Null: nothing in particular.</summary>
    public string? Comment { get; init; }

    /// <summary>Its priority, and the jobs that it waits for.</summary>
    public JobTerms Terms { get; init; } = JobTerms.Usual;

    public JsonElement? Find(string parameter) => Given.FirstOrDefault(p => p.Key == parameter) is { Key: not null, Value: { ValueKind: not JsonValueKind.Null } value } ? value : null;
    public string? Text(string parameter) => Find(parameter)?.GetString();
    public bool Flag(string parameter) => Find(parameter) is { ValueKind: JsonValueKind.True };
    public bool? Maybe(string parameter) => Find(parameter)?.GetBoolean();
    public int Number(string parameter, int otherwise) => Find(parameter) is { } n ? (int)Math.Clamp(n.GetInt64(), int.MinValue, int.MaxValue) : otherwise;
    public IReadOnlyList<string> Texts(string parameter) => Find(parameter) is { } list ? [.. list.EnumerateArray().Select(e => e.ToString())] : [];

    /// <summary>"INSTANCE_CREATE(web1)".</summary>
    public string Summary => Name is not ("GROUP_RENAME" or "TAGS_SET" or "TAGS_DEL") && (Text("instance_name") ?? Text("node_name") ?? Text("group_name") ?? Text("network_name")) is { } about ? $"{Name}({about})" : Name;

    /// <summary>
    /// Refuses a parameter that would change something here if it were heeded, and is not. takes: those that are heeded; ignores: those whose meaning
    /// nothing has here (docs/rapi.md says which and why).
    /// </summary>
    public Opcode Only(string takes)
    {
        var known = takes.Split(' ');
        foreach (var (parameter, value) in Given)
        {
            if (known.Contains(parameter) || Opcodes.Harmless.Contains(parameter) || IsNothing(value) || Opcodes.IsDefault(Name, parameter, value)) { continue; }
            throw RapiError.Missing($"The parameter {parameter} of OP_{Name} is not supported here");
        }
        return this;
    }

    private static bool IsNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => false,
    };
}

internal static class Opcodes
{
    /// <summary>Nothing here depends on them: names are not looked up, one allocator places, sizes are not checked against a policy, agents wait for no lock.</summary>
    public static readonly HashSet<string> Harmless = ["instance_uuid", "name_check", "ip_check", "conflicts_check", "wait_for_sync", "force_variant", "ignore_ipolicy", "opportunistic_locking", "iallocator",
        "identify_defaults", "hypervisor", "file_driver", "force", "ignore_failures", "ignore_offline_nodes", "ignore_secondaries", "early_release", "allow_runtime_changes", "ignore_hvversions",
        "ignore_soft_errors", "auto_promote", "use_locking", "source_shutdown_timeout", "compress", "admin_state_source", "helper_startup_timeout", "helper_shutdown_timeout", "hotplug", "hotplug_if_possible"];

    private static readonly HashSet<string> s_common = ["dry_run", "debug_level", "priority", "depends", "comment", "reason"];

    private static readonly Dictionary<string, IReadOnlyList<Parameter>> s_all = OpcodeText.All.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(line => line.Split(' ')).ToDictionary(words => words[0], words => (IReadOnlyList<Parameter>)[.. words.Skip(1).Select(Parameter.Read)]);

    /// <summary>From a request's body. fixed: what the path and the query say. Renamed: the body's name for a parameter, and the opcode's.</summary>
    public static async Task<Opcode> ReadAsync(RapiCall call, string name, IEnumerable<(string, object?)> fixedOnes, params (string Body, string Opcode)[] renamed)
    {
        var body = await call.ObjectAsync();
        return Read(name, body, fixedOnes, renamed) with { DryRun = call.DryRun };
    }

    public static Opcode Read(string name, JsonElement body, IEnumerable<(string Key, object? Value)> fixedOnes, params (string Body, string Opcode)[] renamed)
    {
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var p in body.EnumerateObject()) { values[renamed.FirstOrDefault(r => r.Body == p.Name).Opcode ?? p.Name] = p.Value; }
        foreach (var (key, value) in fixedOnes) { values[key] = JsonSerializer.SerializeToElement(value); }
        if (values.Keys.FirstOrDefault(k => !s_common.Contains(k) && s_all[name].All(p => p.Name != k)) is { } unknown)
            throw new RapiError(400, $"Invalid body parameters: Object {ClassOf(name)} doesn't support the parameter '{unknown}'");
        return new Opcode(name, [.. Checked(name, values)]) { Terms = TermsOf(values) };
    }

    /// <summary>For a job of the engine: what is known of it, the rest by default.</summary>
    public static Opcode Of(string name, params (string Key, object? Value)[] known)
    {
        var values = known.Where(k => k.Value is not null).ToDictionary(k => k.Key, k => JsonSerializer.SerializeToElement(k.Value));
        if (!s_all.TryGetValue(name, out var parameters)) { return new Opcode(name, [.. values]); }
        return new Opcode(name, [.. parameters.Select(p => KeyValuePair.Create(p.Name, values.TryGetValue(p.Name, out var v) ? v : p.Default)).Where(p => p.Value.ValueKind != JsonValueKind.Undefined)]);
    }

    public static bool IsDefault(string name, string parameter, JsonElement value) =>
        s_all[name].First(p => p.Name == parameter).Default is { ValueKind: not JsonValueKind.Undefined } usual && JsonElement.DeepEquals(usual, value);

    /// <summary>What any opcode may carry: priority -10, 0 or 10, and depends [[job, ["success"]], ...].</summary>
    private static JobTerms TermsOf(Dictionary<string, JsonElement> values)
    {
        var priority = 0;
        if (values.TryGetValue("priority", out var given) && !(given.ValueKind == JsonValueKind.Number && given.TryGetInt32(out priority) && priority is -10 or 0 or 10)) { throw Invalid("priority"); }
        if (!values.TryGetValue("depends", out var depends) || depends.ValueKind == JsonValueKind.Null) { return new JobTerms { Priority = (JobPriority)priority }; }
        return depends.ValueKind != JsonValueKind.Array ? throw Invalid("depends") : new JobTerms { Priority = (JobPriority)priority, Depends = [.. depends.EnumerateArray().Select(Dependency)] };
    }

    private static JobDependency Dependency(JsonElement one)
    {
        if (one.ValueKind != JsonValueKind.Array || one.GetArrayLength() != 2 || one[0].ValueKind != JsonValueKind.Number || !one[0].TryGetInt64(out var job) || job < 1 || one[1].ValueKind != JsonValueKind.Array) { throw Invalid("depends"); }
        var statuses = one[1].EnumerateArray().Select(s => s.ValueKind == JsonValueKind.String ? Api.Submit.StatusOf(s.GetString()!) : null).ToList();
        return statuses.Any(s => s is not (JobStatus.Canceled or JobStatus.Success or JobStatus.Error)) ? throw Invalid("depends") : new JobDependency(job, [.. statuses.OfType<JobStatus>()]);
    }

    private static RapiError Invalid(string parameter) => new(400, $"Invalid body parameters: (\"Parameter '{parameter}' fails validation\", 'wrong_input')");

    private static IEnumerable<KeyValuePair<string, JsonElement>> Checked(string name, Dictionary<string, JsonElement> values)
    {
        foreach (var parameter in s_all[name])
        {
            if (!values.TryGetValue(parameter.Name, out var value))
            {
                if (parameter.Required) { throw new RapiError(400, $"Invalid body parameters: (\"Required parameter 'OP_{name}.{parameter.Name}' missing\", 'wrong_input')"); }
                if (parameter.Default.ValueKind != JsonValueKind.Undefined) { yield return KeyValuePair.Create(parameter.Name, parameter.Default); }
                continue;
            }
            if (!parameter.Fits(value)) { throw new RapiError(400, $"Invalid body parameters: (\"Parameter 'OP_{name}.{parameter.Name}' fails validation\", 'wrong_input')"); }
            if (value.ValueKind != JsonValueKind.Null) { yield return KeyValuePair.Create(parameter.Name, value); }
        }
    }

    // INSTANCE_CREATE -> OpInstanceCreate
    private static string ClassOf(string name) => "Op" + string.Concat(name.Split('_').Select(w => char.ToUpperInvariant(w[0]) + w[1..].ToLowerInvariant()));

    private sealed record Parameter(string Name, bool Required, bool Nullable, string Kind, JsonElement Default)
    {
        public static Parameter Read(string word)
        {
            var colon = word.IndexOf(':', StringComparison.Ordinal);
            var (name, kind) = (word[..colon], word[(colon + 1)..]);
            var usual = default(JsonElement);
            if (kind.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at) { (kind, usual) = (kind[..at], JsonElement.Parse(kind[(at + 1)..])); }
            return new Parameter(name.TrimEnd('!'), name.EndsWith('!'), kind.StartsWith('?'), kind.TrimStart('?'), usual);
        }

        public bool Fits(JsonElement value) => value.ValueKind == JsonValueKind.Null ? Nullable : Kind switch
        {
            "any" => true,
            "bool" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "int" => Whole(value, long.MinValue, long.MaxValue),
            "int0" => Whole(value, 0, long.MaxValue),
            "int1" => Whole(value, 1, long.MaxValue),
            "disk" => Whole(value, 0, 15),
            "num" => value.ValueKind == JsonValueKind.Number,
            "str" => value.ValueKind == JsonValueKind.String,
            "str+" => value.ValueKind == JsonValueKind.String && value.GetString()!.Length > 0,
            "dict" => value.ValueKind == JsonValueKind.Object,
            "list" => value.ValueKind == JsonValueKind.Array,
            "strs" => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String),
            "dicts" => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.Object),
            _ => value.ValueKind == JsonValueKind.String && Kind.Trim('{', '}').Split('|').Contains(value.GetString()),
        };

        private static bool Whole(JsonElement value, long least, long most) => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var n) && n >= least && n <= most;
    }
}
