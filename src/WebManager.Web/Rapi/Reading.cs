// Resources that only tell: lists, single objects, the cluster, consoles.
using System.Text.Json;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal static class Reading
{
    public static Task<ReadOnlyMemory<byte>> Fixed(string json) => Task.FromResult<ReadOnlyMemory<byte>>(System.Text.Encoding.UTF8.GetBytes(json));

    public static Task<ReadOnlyMemory<byte>> Instances(RapiCall call) => Task.FromResult(call.Bulk
        ? call.Parts.Bulk.Get("instances", call, () => Rows(Seen.Instances(call.Engine, call.Sight), InstanceFields.All))
        : call.Parts.Bulk.Get("instance-names", call, () => Names("id", "instances", Seen.Instances(call.Engine, call.Sight).Select(i => i.Stored.Name))));

    public static Task<ReadOnlyMemory<byte>> Nodes(RapiCall call) => Task.FromResult(call.Bulk
        ? call.Parts.Bulk.Get("nodes", call, () => Rows(Seen.Nodes(call.Engine, call.Sight), NodeFields.All))
        : call.Parts.Bulk.Get("node-names", call, () => Names("id", "nodes", Seen.Nodes(call.Engine, call.Sight).Select(n => n.Stored.Name))));

    public static Task<ReadOnlyMemory<byte>> Groups(RapiCall call) => Task.FromResult(call.Bulk
        ? call.Parts.Bulk.Get("groups", call, () => Rows(Seen.Groups(call.Engine, call.Sight), GroupFields.All))
        : call.Parts.Bulk.Get("group-names", call, () => Names("name", "groups", Seen.Groups(call.Engine, call.Sight).Select(g => g.Stored.Name))));

    public static Task<ReadOnlyMemory<byte>> Instance(RapiCall call) => One(Seen.Instance(call.Engine, call.Sight, call.Name), InstanceFields.All);

    public static Task<ReadOnlyMemory<byte>> Group(RapiCall call) => One(Seen.Group(call.Engine, call.Sight, call.Name), GroupFields.All);

    public static Task<ReadOnlyMemory<byte>> Node(RapiCall call)
    {
        var node = Seen.Node(call.Engine, call.Sight, call.Name) ?? throw RapiError.NotFound;
        return Task.FromResult(Json.Of(json => NodeFields.All.WriteObject(json, node, "secondary_ip")));
    }

    public static Task<ReadOnlyMemory<byte>> Role(RapiCall call) =>
        Task.FromResult(Json.Text(NodeFields.RoleWord((Seen.Node(call.Engine, call.Sight, call.Name) ?? throw Gone("node", call.Name)).Stored)));

    public static Task<ReadOnlyMemory<byte>> OperatingSystems(RapiCall call) => Task.FromResult(Json.Of(json => json.Texts(call.Parts.Images.Images.Select(i => i.Name).Order(StringComparer.Ordinal))));

    public static Task<ReadOnlyMemory<byte>> ClusterTags(RapiCall call) => Task.FromResult(Json.Of(json => json.Texts(call.Engine.Cluster.Tags)));

    public static Task<ReadOnlyMemory<byte>> NodeTags(RapiCall call) =>
        Task.FromResult(Json.Of(json => json.Texts((Seen.Node(call.Engine, call.Sight, call.Name) ?? throw Gone("node", call.Name)).Stored.Tags)));

    /// <summary>Its owner's among them.</summary>
    public static Task<ReadOnlyMemory<byte>> InstanceTags(RapiCall call) =>
        Task.FromResult(Json.Of(json => json.Texts((Seen.Instance(call.Engine, call.Sight, call.Name) ?? throw Gone("instance", call.Name)).Row.Tags)));

    /// <summary>They have none yet; whether there is such a group is answered all the same.</summary>
    public static Task<ReadOnlyMemory<byte>> GroupTags(RapiCall call) => Seen.Group(call.Engine, call.Sight, call.Name) is null ? throw Gone("group", call.Name) : Fixed("[]");

    /// <summary>Consoles lead through the portal: there is no port of a node that a client could be sent to.</summary>
    public static Task<ReadOnlyMemory<byte>> Console(RapiCall call)
    {
        var seen = Seen.Instance(call.Engine, call.Sight, call.Name) ?? throw RapiError.NotFound;
        if (call.Caller.ReadOnly || !call.Sight.RightsOn(seen.Stored.Id, seen.Stored.Owner).HasFlag(InstanceRights.Console)) { throw new RapiError(403, $"You may not use the console of {seen.Stored.Name}."); }
        if (!seen.Runs) { throw new RapiError(503, "Instance console unavailable"); }
        return Task.FromResult(Json.Of(json =>
        {
            json.WriteStartObject();
            json.WriteString("instance", seen.Stored.Name);
            json.WriteString("kind", "msg");
            json.WriteString("message", $"The console of {seen.Stored.Name} is on its page in the portal, /instances/{seen.Stored.Name}.");
            json.WriteEndObject();
        }));
    }

    /// <summary>Ganeti answers 500 where it reads single values of what is not there.</summary>
    public static RapiError Gone(string kind, string name) => new(500, $"('{char.ToUpperInvariant(kind[0])}{kind[1..]} {name} not found', 'unknown_entity')");

    private static Task<ReadOnlyMemory<byte>> One<T>(T? row, Fields<T> fields) where T : class =>
        row is null ? throw RapiError.NotFound : Task.FromResult(Json.Of(json => fields.WriteObject(json, row)));

    private static ReadOnlyMemory<byte> Rows<T>(IEnumerable<T> rows, Fields<T> fields) => Json.Of(json =>
    {
        json.WriteStartArray();
        foreach (var row in rows) { fields.WriteObject(json, row); }
        json.WriteEndArray();
    });

    public static ReadOnlyMemory<byte> Names(string key, string path, IEnumerable<string> names) => Json.Of(json =>
    {
        json.WriteStartArray();
        foreach (var name in names)
        {
            json.WriteStartObject();
            json.WriteString(key, name);
            json.WriteString("uri", $"/2/{path}/{name}");
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}
