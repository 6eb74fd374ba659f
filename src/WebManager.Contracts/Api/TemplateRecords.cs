// The API's records about instance templates.
namespace WebManager.Contracts.Api;

/// <summary>
/// GET /api/v1/templates, /api/v1/templates/{nameOrId}: those one has a right on. Sizes in MiB. Template: the disk template. Owner: the name of the user
/// whose it is; empty: the cluster's.
/// </summary>
public sealed record TemplateView(Guid Id, string Name, string Owner, string Description, string Image, int Vcpus, int MemoryMiB, string Template, IReadOnlyList<long> DisksMiB)
{
    public int Nics { get; init; } = 1;
    public IReadOnlyDictionary<string, string> OsParams { get; init; } = new Dictionary<string, string>();

    /// <summary>Instances from it are started.</summary>
    public bool Start { get; init; } = true;

    /// <summary>Who uses it may choose vcpus, memoryMiB and disksMiB (as many as it has).</summary>
    public bool SizesFree { get; init; }

    /// <summary>False: its owner may not create instances any more, so nobody can use it who may not create without it.</summary>
    public bool Stands { get; init; } = true;

    /// <summary>What the caller may: admin, use.</summary>
    public IReadOnlyList<string> Rights { get; init; } = [];
    public DateTimeOffset At { get; init; }
}

/// <summary>POST /api/v1/templates. DisksMiB: empty for diskless.</summary>
public sealed record AddTemplateRequest(string Name, string Image, int Vcpus, int MemoryMiB, string Template, IReadOnlyList<long> DisksMiB)
{
    public string Description { get; init; } = "";
    public int Nics { get; init; } = 1;
    public IReadOnlyDictionary<string, string>? OsParams { get; init; }
    public bool Start { get; init; } = true;
    public bool SizesFree { get; init; }
    public string? Reason { get; init; }
}

/// <summary>PATCH /api/v1/templates/{name}; what is left out stays as it is.</summary>
public sealed record ModifyTemplateRequest
{
    public string? NewName { get; init; }
    public string? Description { get; init; }
    public string? Image { get; init; }
    public int? Vcpus { get; init; }
    public int? MemoryMiB { get; init; }
    public string? Template { get; init; }
    public IReadOnlyList<long>? DisksMiB { get; init; }
    public int? Nics { get; init; }
    public IReadOnlyDictionary<string, string>? OsParams { get; init; }
    public bool? Start { get; init; }
    public bool? SizesFree { get; init; }
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/templates/{name}/copy.</summary>
public sealed record CopyTemplateRequest(string NewName)
{
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/templates/from-instance: with what the instance has now.</summary>
public sealed record TemplateFromInstanceRequest(string Instance, string Name)
{
    public string Description { get; init; } = "";
    public bool SizesFree { get; init; }
    public string? Reason { get; init; }
}
