// The REST API's records about node groups and tags.
namespace WebManager.Contracts.Api;

/// <summary>GET /api/v1/groups, /api/v1/groups/{name}. AutoRecover false: instances whose primary is in it are not started elsewhere by themselves.</summary>
public sealed record GroupView(Guid Id, string Name, bool AutoRecover, IReadOnlyList<string> Nodes);

/// <summary>POST /api/v1/groups. DELETE /api/v1/groups/{name}?reason= takes an empty one away.</summary>
public sealed record AddGroupRequest(string Name)
{
    public string? Reason { get; init; }
}

/// <summary>PATCH /api/v1/groups/{name}; what is left out stays as it is.</summary>
public sealed record ModifyGroupRequest
{
    public bool? AutoRecover { get; init; }
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/groups/{name}/rename.</summary>
public sealed record RenameGroupRequest(string NewName)
{
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/groups/{name}/assign-nodes. Force: also where the two copies of an instance come into two groups.</summary>
public sealed record AssignNodesRequest(IReadOnlyList<string> Nodes)
{
    public bool Force { get; init; }
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/cluster/add-tags|remove-tags, /api/v1/nodes/{name}/add-tags|remove-tags, /api/v1/instances/{name}/add-tags|remove-tags; GET .../tags lists them.</summary>
public sealed record TagsRequest(IReadOnlyList<string> Tags)
{
    public string? Reason { get; init; }
}
