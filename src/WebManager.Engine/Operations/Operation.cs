// One operation: who may ask for it, what must hold, what it does.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

/// <summary>What a caller needs (Access/Authoriser). Administrator: of the cluster. Superuser: of the portal.</summary>
public enum Right { Superuser, Administrator, Migrate, ReplaceDisks, ClusterTags, InstanceAdmin, InstancePower, InstanceRemove, InstanceModify, InstanceTags, CreateInstance, GroupAdmin, GrantOn, Account, OwnQuota, Decide, OwnRequest, OwnKeys, MakeTemplate, TemplateAdmin, TemplateOfInstance, UseTemplate, OwnJob, WatcherOnly }

/// <summary>
/// What an operation takes from or gives back to the owner's quota. Takes*: it reserves (Reserves is not null). Returns*: the ledger follows by
/// itself, as it does for everything that changes an instance.
/// </summary>
public enum QuotaRule { None, TakesAllocated, TakesRunning, ReturnsRunning, ReturnsAll }

/// <summary>Whether a job that runs can be cancelled. AtSteps: before the next step or order, and what was done is undone. Itself: the operation looks.</summary>
public enum CancelRule { Never, AtSteps, Itself }

/// <summary>
/// Check is pure and runs twice: at the door, and again once the locks are held. Run may change the world, step by step; it must come
/// to the same end when it is begun anew after a crash at any step boundary.
/// </summary>
public abstract class Operation<TRequest> : IOperation where TRequest : OperationRequest
{
    public abstract Right Right { get; }
    public abstract QuotaRule Quota { get; }
    public abstract IEnumerable<string> Locks(TRequest request);
    public abstract Refusal? Check(TRequest request, Picture now, EngineParts parts);

    /// <summary>What only has to stay as it is: others may need the same at the same time.</summary>
    public virtual IEnumerable<string> SharedLocks(TRequest request, Picture now) => [];

    public virtual CancelRule Cancel => CancelRule.Never;
    public abstract Task<Outcome<Done>> RunAsync(TRequest request, JobContext job, CancellationToken ct);

    /// <summary>What the instance may come to hold by it, as a whole; null: it takes nothing. The request has passed its check.</summary>
    public virtual Reservation? Reserves(TRequest request, Caller caller, Picture now) => null;

    /// <summary>What depends on who asks, beyond the right. The request has passed its check.</summary>
    public virtual Refusal? CheckFor(TRequest request, Caller caller, Picture now) => null;

    /// <summary>An administrator's word that the quota does not count this time.</summary>
    public virtual bool Forced(TRequest request) => false;

    IEnumerable<string> IOperation.Locks(OperationRequest request) => Locks((TRequest)request);
    IEnumerable<string> IOperation.SharedLocks(OperationRequest request, Picture now) => SharedLocks((TRequest)request, now);
    Refusal? IOperation.Check(OperationRequest request, Picture now, EngineParts parts) => Check((TRequest)request, now, parts);
    Reservation? IOperation.Reserves(OperationRequest request, Caller caller, Picture now) => Reserves((TRequest)request, caller, now);
    Refusal? IOperation.CheckFor(OperationRequest request, Caller caller, Picture now) => CheckFor((TRequest)request, caller, now);
    bool IOperation.Forced(OperationRequest request) => Forced((TRequest)request);
    Task<Outcome<Done>> IOperation.RunAsync(OperationRequest request, JobContext job, CancellationToken ct) => RunAsync((TRequest)request, job, ct);
}

public interface IOperation
{
    Right Right { get; }
    QuotaRule Quota { get; }
    CancelRule Cancel { get; }
    IEnumerable<string> Locks(OperationRequest request);
    IEnumerable<string> SharedLocks(OperationRequest request, Picture now);
    Refusal? Check(OperationRequest request, Picture now, EngineParts parts);
    Reservation? Reserves(OperationRequest request, Caller caller, Picture now);
    Refusal? CheckFor(OperationRequest request, Caller caller, Picture now);
    bool Forced(OperationRequest request);
    Task<Outcome<Done>> RunAsync(OperationRequest request, JobContext job, CancellationToken ct);
}

/// <summary>An operation on one existing instance: its lock, and the refusal when it is not there.</summary>
public abstract class InstanceOperation<TRequest> : Operation<TRequest> where TRequest : InstanceRequest
{
    public override IEnumerable<string> Locks(TRequest request) => [$"3:instance:{request.Instance}"];

    public sealed override Refusal? Check(TRequest request, Picture now, EngineParts parts) =>
        now.Find(request.Instance) is { } instance
            ? (instance.Doubt is not null && request is not ConfirmInstance ? Rules.InDoubt(instance) : Check(request, instance, now, parts))
            : new Refusal("instance.unknown", $"There is no instance {Shown.Name(request.Instance)}.") { Field = "instance" };

    protected abstract Refusal? Check(TRequest request, Instance instance, Picture now, EngineParts parts);
}

/// <summary>Filled from what is stored once the caller has the right: the door goes on with the request that comes of it.</summary>
public interface IMergedOperation : IOperation
{
    Outcome<OperationRequest> Merge(OperationRequest request, Picture now);
}

/// <summary>Done in the transaction that accepts it: nothing but what is stored changes, so there is nothing to wait for.</summary>
public interface IInstantOperation : IOperation
{
    /// <summary>Only after the check has passed on the same picture. The step's text says for people what was done.</summary>
    void Change(OperationRequest request, Caller caller, Picture now, StepChanges changes, EngineParts parts);
}

public abstract class InstantOperation<TRequest> : Operation<TRequest>, IInstantOperation where TRequest : OperationRequest
{
    public override QuotaRule Quota => QuotaRule.None;
    public sealed override IEnumerable<string> Locks(TRequest request) => [];
    public sealed override Task<Outcome<Done>> RunAsync(TRequest request, JobContext job, CancellationToken ct) => Task.FromResult<Outcome<Done>>(Done.Value);
    public abstract void Change(TRequest request, Caller caller, Picture now, StepChanges changes, EngineParts parts);

    void IInstantOperation.Change(OperationRequest request, Caller caller, Picture now, StepChanges changes, EngineParts parts) => Change((TRequest)request, caller, now, changes, parts);
}
