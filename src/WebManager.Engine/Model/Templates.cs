// Instance templates: named sets of what an instance is made with, and what can be asked about them.
using System.Text.Json.Serialization;
using WebManager.Contracts;

namespace WebManager.Engine.Model;

/// <summary>Rights on one instance template. Use: make instances from it. Admin: change, copy, remove it and give rights on it, and use it.</summary>
[Flags]
public enum TemplateRights { None = 0, Admin = 1, Use = 2 }

/// <summary>Owner: the key of the user whose it is, empty: the cluster's. By: who made it, a user's id or empty.</summary>
public sealed record InstanceTemplate(Guid Id, string Name, string Owner, string By, TemplateParameters Parameters, DateTimeOffset At, long Revision)
{
    public string Description { get; init; } = "";
}

/// <summary>What instances from it are made with. Sizes in MiB. SizesFree: who uses it may choose vcpus, memory and the sizes of the disks.</summary>
public sealed record TemplateParameters(string Image, int Vcpus, int MemoryMiB, DiskTemplate Template, IReadOnlyList<long> DisksMiB)
{
    public int Nics { get; init; } = 1;
    public IReadOnlyDictionary<string, string> OsParams { get; init; } = new Dictionary<string, string>();
    public bool Start { get; init; } = true;
    public bool SizesFree { get; init; }
}

/// <summary>Template: an instance template's name, or its id.</summary>
public abstract record TemplateRequest(string Template) : OperationRequest
{
    public string Template { get; init; } = Template;
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"template:{Template}"];
}

/// <summary>An administrator's is the cluster's, anybody else's is one's own.</summary>
public sealed record AddTemplate(string Template, TemplateParameters Parameters) : TemplateRequest(Template)
{
    [JsonIgnore] public override string Name => "template.add";
    public string Description { get; init; } = "";
}

/// <summary>Null: left as it is.</summary>
public sealed record ModifyTemplate(string Template) : TemplateRequest(Template)
{
    [JsonIgnore] public override string Name => "template.modify";
    public string? NewName { get; init; }

    /// <summary>The revision that was looked at; null: whatever it is by now.</summary>
    public long? Seen { get; init; }
    public TemplateParameters? Parameters { get; init; }
    public string? Description { get; init; }
}

public sealed record CopyTemplate(string Template, string NewName) : TemplateRequest(Template) { [JsonIgnore] public override string Name => "template.copy"; }

/// <summary>Its instances stay; rights on it go.</summary>
public sealed record RemoveTemplate(string Template) : TemplateRequest(Template) { [JsonIgnore] public override string Name => "template.remove"; }

/// <summary>Of what the instance has now. Template: the new one's name.</summary>
public sealed record TemplateFromInstance(string Instance, string Template) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "template.from-instance";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"template:{Template}"];
    public string Description { get; init; } = "";
    public bool SizesFree { get; init; }
}

/// <summary>
/// An instance made from a template. Null: as the template says; what else differs from it is refused, except sizes where it leaves them free. The
/// door makes a CreateInstance of it, which is what is stored.
/// </summary>
public sealed record CreateFromTemplate(string Instance, string Template) : OperationRequest
{
    [JsonIgnore] public override string Name => "instance.create-from-template";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"instance:{Instance}"];
    public string? Image { get; init; }
    public int? Vcpus { get; init; }
    public int? MemoryMiB { get; init; }
    public DiskTemplate? DiskTemplate { get; init; }
    public IReadOnlyList<long>? DisksMiB { get; init; }
    public int? Nics { get; init; }
    public IReadOnlyDictionary<string, string>? OsParams { get; init; }
    public bool? Start { get; init; }
    public string? Primary { get; init; }
    public string? Secondary { get; init; }
    public IReadOnlyList<string> SshKeys { get; init; } = [];

    /// <summary>The key of who owns it and is charged; null: the caller.</summary>
    public string? Owner { get; init; }
    public bool Force { get; init; }

    public string OwnerFor(Caller caller) => CreateInstance.OwnerOr(Owner, caller);
}
