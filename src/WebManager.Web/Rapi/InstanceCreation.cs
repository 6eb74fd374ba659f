// New instances, one or many.
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal static class InstanceCreation
{
    private const int UsualMemory = 128;
    private const string Takes = "instance_name mode os_type disk_template disks nics beparams osparams pnode snode start tags";

    public static async Task<ReadOnlyMemory<byte>> Create(RapiCall call)
    {
        var body = await call.BodyAsync() is { } given ? given : JsonElement.Parse("{}");
        if (body.ValueKind != JsonValueKind.Object) { throw RapiCall.WrongType(body, "dict"); }
        var version = body.TryGetProperty("__version__", out var v) ? v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var n) ? n : -1 : 0;
        if (version == 0) { throw new RapiError(400, "Instance creation request version 0 is no longer supported"); }
        if (version != 1) { throw new RapiError(400, $"Unsupported request data version {version}"); }
        var op = Read(body) with { DryRun = call.DryRun };
        return await Submits.AsJobAsync(call, op, RequestOf(op));
    }

    /// <summary>Each as a job of its own; the answer's job says which.</summary>
    public static async Task<ReadOnlyMemory<byte>> CreateMany(RapiCall call)
    {
        var op = await Opcodes.ReadAsync(call, "INSTANCE_MULTI_ALLOC", []);
        var all = op.Find("instances")!.Value.EnumerateArray().Select(i => i.ValueKind == JsonValueKind.Object ? Read(i) : throw RapiCall.WrongType(i, "dict")).ToList();
        var asked = all.Select(o => (Opcode: o, Request: RequestOf(o))).ToList();   // all are read before the first is begun
        if (op.DryRun) { return Submits.Trial(call, op, asked.Select(a => call.Engine.WouldRefuse(a.Request, call.Caller)).FirstOrDefault(r => r is not null)); }
        var (jobs, placed, failed) = (new List<object[]>(), new List<string>(), new List<string>());
        foreach (var (_, request) in asked)
        {
            var job = await Submits.TryAsync(call, request);
            if (job.Ok) { jobs.Add([true, job.Value]); }
            (job.Ok ? placed : failed).Add(request.Instance);
        }
        return call.Parts.Answers.Add(call, op, new Dictionary<string, object> { ["allocatable"] = placed, ["failed"] = failed, ["jobs"] = jobs });
    }

    private static Opcode Read(JsonElement body)
    {
        var fields = JsonSerializer.SerializeToElement(body.EnumerateObject().Where(p => p.Name != "__version__").ToDictionary(p => p.Name, p => p.Value));
        var op = Opcodes.Read("INSTANCE_CREATE", fields, [], ("os", "os_type"), ("name", "instance_name"));
        if (op.Text("mode") != "create") { throw RapiError.Missing("Instances are made new here; imports come later"); }
        return op.Only(Takes);
    }

    private static CreateInstance RequestOf(Opcode op)
    {
        var (memory, vcpus) = SizeOf(op);
        var nics = Nics(op);
        return new CreateInstance(op.Text("instance_name")!, ImageOf(op.Text("os_type")), vcpus, memory, TemplateOf(op.Text("disk_template")), DisksOf(op))
        {
            Primary = op.Text("pnode"), Secondary = op.Text("snode"), Start = op.Maybe("start") ?? true, Nics = nics, Tags = op.Texts("tags"),
            OsParams = op.Find("osparams")?.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ToString()) ?? [],
        };
    }

    /// <summary>"debian" and "debian+default" are the same: images have no variants.</summary>
    private static string ImageOf(string? os) => os is null ? "" : os.EndsWith("+default", StringComparison.Ordinal) ? os[..^"+default".Length] : os;

    /// <summary>There is no ballooning: what it may have at most it has.</summary>
    private static (int Memory, int Vcpus) SizeOf(Opcode op)
    {
        var (memory, vcpus) = (UsualMemory, 1);
        foreach (var p in op.Find("beparams")?.EnumerateObject() ?? default)
        {
            switch (p.Name)
            {
                case "maxmem" or "memory": memory = Whole(p); break;
                case "vcpus": vcpus = Whole(p); break;
                case "minmem": _ = Whole(p); break;
                case "auto_balance" when p.Value.ValueKind == JsonValueKind.True: break;
                case "always_failover" when p.Value.ValueKind == JsonValueKind.False: break;
                case "spindle_use": break;
                default: throw RapiError.Missing($"beparams.{p.Name} is not supported here");
            }
        }
        return (memory, vcpus);
    }

    private static int Whole(JsonProperty p) => p.Value.ValueKind == JsonValueKind.Number && p.Value.TryGetInt32(out var n) ? n
        : throw new RapiError(400, "Invalid body parameters: (\"Parameter 'OP_INSTANCE_CREATE.beparams' fails validation\", 'wrong_input')");

    private static DiskTemplate TemplateOf(string? word) => word switch
    {
        null or "drbd" => DiskTemplate.Mirror,
        "file" => DiskTemplate.File,
        "diskless" => DiskTemplate.Diskless,
        _ => throw RapiError.Missing($"The disk template {word} is not here: use drbd, file or diskless"),
    };

    private static List<long> DisksOf(Opcode op) => [.. op.Find("disks")!.Value.EnumerateArray().Select(disk =>
    {
        if (disk.EnumerateObject().FirstOrDefault(p => p.Name is not ("size" or "mode")) is { Value.ValueKind: not JsonValueKind.Undefined } more) { throw RapiError.Missing($"The disk parameter {more.Name} is not supported here"); }
        return disk.TryGetProperty("size", out var size) && size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out var mib) ? mib
            : throw new RapiError(400, "Invalid body parameters: (\"Parameter 'OP_INSTANCE_CREATE.disks' fails validation\", 'wrong_input')");
    })];

    /// <summary>How many cards, each with the cluster's next address; mode and link are the cluster's.</summary>
    private static int Nics(Opcode op)
    {
        var nics = op.Find("nics")!.Value.EnumerateArray().ToList();
        foreach (var p in nics.SelectMany(n => n.EnumerateObject()).Where(p => p.Value.ValueKind != JsonValueKind.Null && p.Name is not ("mode" or "link" or "vlan" or "bridge" or "name")))
        {
            throw RapiError.Missing($"The network parameter {p.Name} is not supported here: addresses are given by the cluster");
        }
        return nics.Count;
    }
}
