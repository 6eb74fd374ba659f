// Instance templates are made, changed, copied, removed; and an instance is made from one.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Quota;

namespace WebManager.Engine.Operations;

internal abstract class TemplateOperation<TRequest> : InstantOperation<TRequest> where TRequest : TemplateRequest
{
    public override Right Right => Right.TemplateAdmin;

    public override Refusal? Check(TRequest request, Picture now, EngineParts parts) => now.FindTemplate(request.Template) is { } template ? Check(request, template, now, parts) : TemplateRules.Unknown(request.Template);

    public override void Change(TRequest request, Caller caller, Picture now, StepChanges changes, EngineParts parts) => Change(request, now.FindTemplate(request.Template)!, caller, now, changes, parts);

    protected abstract Refusal? Check(TRequest request, InstanceTemplate template, Picture now, EngineParts parts);
    protected abstract void Change(TRequest request, InstanceTemplate template, Caller caller, Picture now, StepChanges changes, EngineParts parts);
}

internal sealed class AddTemplateOperation : InstantOperation<AddTemplate>
{
    public override Right Right => Right.MakeTemplate;

    public override Refusal? Check(AddTemplate request, Picture now, EngineParts parts) =>
        TemplateRules.Free(request.Template, "name", now) ?? TemplateRules.Text(request.Description) ?? TemplateRules.Parameters(request.Parameters, parts);

    public override Refusal? CheckFor(AddTemplate request, Caller caller, Picture now) => TemplateRules.TooMany(TemplateRules.OwnerFor(caller, now), now);

    public override void Change(AddTemplate request, Caller caller, Picture now, StepChanges changes, EngineParts parts) =>
        Add(request.Template, request.Parameters, request.Description, caller, now, changes, parts);

    public static InstanceTemplate Add(string name, TemplateParameters parameters, string description, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var made = new InstanceTemplate(parts.Random.NewGuid(), name, TemplateRules.OwnerFor(caller, now), caller.Account ? caller.UserId : "", parameters, parts.Clock.GetUtcNow(), 1) { Description = description.Trim() };
        changes.Text = $"Instance template {name} is there.";
        changes.Raw.Templates.Add(made);
        return made;
    }
}

internal sealed class ModifyTemplateOperation : TemplateOperation<ModifyTemplate>
{
    protected override Refusal? Check(ModifyTemplate request, InstanceTemplate template, Picture now, EngineParts parts) =>
        (request.Seen is { } seen && seen != template.Revision ? new Refusal("template.changed", $"Somebody has changed the instance template {template.Name} meanwhile.", "Look at it again, then repeat your change.") : null)
        ?? (request is { NewName: null, Parameters: null, Description: null } ? new Refusal("template.nothing-to-change", "Nothing was given to change.") : null)
        ?? (request.NewName is { } name && name != template.Name ? TemplateRules.Free(name, "newName", now) : null)
        ?? (request.Description is { } text ? TemplateRules.Text(text) : null)
        ?? (request.Parameters is { } parameters ? TemplateRules.Parameters(parameters, parts) : null);

    protected override void Change(ModifyTemplate request, InstanceTemplate template, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"Instance template {template.Name} was changed{(request.NewName is { } name && name != template.Name ? $" and is called {name} now" : "")}. Instances that were made from it stay as they are.";
        changes.Raw.Templates.Add(template with
        {
            Name = request.NewName ?? template.Name, Parameters = request.Parameters ?? template.Parameters, Description = request.Description?.Trim() ?? template.Description, Revision = template.Revision + 1,
        });
    }
}

/// <summary>One's own copy; of who may make none of one's own it is the former's, with admin on it.</summary>
internal sealed class CopyTemplateOperation : TemplateOperation<CopyTemplate>
{
    protected override Refusal? Check(CopyTemplate request, InstanceTemplate template, Picture now, EngineParts parts) => TemplateRules.Free(request.NewName, "newName", now);

    public override Refusal? CheckFor(CopyTemplate request, Caller caller, Picture now) => TemplateRules.TooMany(OwnerOf(request, caller, now), now);

    protected override void Change(CopyTemplate request, InstanceTemplate template, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var copy = template with { Id = parts.Random.NewGuid(), Name = request.NewName, Owner = OwnerOf(request, caller, now), By = caller.Account ? caller.UserId : "", At = parts.Clock.GetUtcNow(), Revision = 1 };
        changes.Text = $"Instance template {copy.Name} is a copy of {template.Name}. Nobody was given rights on it yet.";
        changes.Raw.Templates.Add(copy);
        if (!Access.Authoriser.MayMakeTemplates(caller, now)) { changes.Raw.Grants.Add(new Grant(Keys.User(caller.UserId), Keys.Template(copy.Id), ["admin"], copy.At, 1)); }
    }

    private static string OwnerOf(CopyTemplate request, Caller caller, Picture now) =>
        Access.Authoriser.MayMakeTemplates(caller, now) ? TemplateRules.OwnerFor(caller, now) : now.FindTemplate(request.Template)!.Owner;
}

internal sealed class RemoveTemplateOperation : TemplateOperation<RemoveTemplate>
{
    protected override Refusal? Check(RemoveTemplate request, InstanceTemplate template, Picture now, EngineParts parts) => null;

    protected override void Change(RemoveTemplate request, InstanceTemplate template, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"Instance template {template.Name} is gone. Instances that were made from it stay, and those that are being made are made.";
        changes.Raw.TemplatesRemoved.Add(template.Id);
        var key = Keys.Template(template.Id);
        changes.Raw.GrantsRemoved.AddRange(now.Grants.Values.Where(g => g.Target == key).Select(g => g.Key));
    }
}

internal sealed class TemplateFromInstanceOperation : InstanceOperation<TemplateFromInstance>, IInstantOperation
{
    public override Right Right => Right.TemplateOfInstance;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(TemplateFromInstance request) => [];
    public override Task<Outcome<Done>> RunAsync(TemplateFromInstance request, JobContext job, CancellationToken ct) => Task.FromResult<Outcome<Done>>(Done.Value);

    protected override Refusal? Check(TemplateFromInstance request, Instance i, Picture now, EngineParts parts) =>
        TemplateRules.Free(request.Template, "name", now) ?? TemplateRules.Text(request.Description) ?? TemplateRules.Parameters(Of(request, i), parts);

    public override Refusal? CheckFor(TemplateFromInstance request, Caller caller, Picture now) => TemplateRules.TooMany(TemplateRules.OwnerFor(caller, now), now);

    void IInstantOperation.Change(OperationRequest request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var from = (TemplateFromInstance)request;
        AddTemplateOperation.Add(from.Template, Of(from, now.Find(from.Instance)!), from.Description, caller, now, changes, parts);
    }

    private static TemplateParameters Of(TemplateFromInstance request, Instance i) => new(i.Image, i.Vcpus, i.MemoryMiB, i.Template, [.. i.Disks.OrderBy(d => d.Index).Select(d => d.SizeMiB)])
    {
        Nics = i.Nics.Count, OsParams = i.OsParams, Start = i.Wanted == AdminState.Up, SizesFree = request.SizesFree,
    };
}

/// <summary>Never a job of its own: the door goes on with the creation that comes of it.</summary>
internal sealed class CreateFromTemplateOperation : Operation<CreateFromTemplate>, IMergedOperation
{
    public override Right Right => Right.UseTemplate;
    public override QuotaRule Quota => QuotaRule.TakesAllocated;
    public override IEnumerable<string> Locks(CreateFromTemplate request) => [];
    public override Refusal? Check(CreateFromTemplate request, Picture now, EngineParts parts) => Merge(request, now).Refusal;
    public override Task<Outcome<Done>> RunAsync(CreateFromTemplate request, JobContext job, CancellationToken ct) => throw new InvalidOperationException("A creation from a template is stored as a creation.");

    public override Reservation? Reserves(CreateFromTemplate request, Caller caller, Picture now) =>
        Merge(request, now).Value is CreateInstance create ? ((IOperation)new CreateInstanceOperation()).Reserves(create, caller, now) : null;

    public Outcome<OperationRequest> Merge(OperationRequest request, Picture now)
    {
        var from = (CreateFromTemplate)request;
        if (now.FindTemplate(from.Template) is not { } template) { return TemplateRules.Unknown(from.Template, "fromTemplate"); }
        var filled = TemplateRules.Fill(from, template);
        return filled.Ok ? filled.Value : filled.Refusal;
    }
}
