// One operation: who may ask for it, what must hold, what it does.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

/// <summary>What a caller needs. Owner: the instance's owner or an administrator.</summary>
public enum Right { Administrator, InstancePower, InstanceRemove, InstanceModify, CreateInstance, WatcherOnly }

/// <summary>What an operation takes from or gives back to the owner's quota.</summary>
public enum QuotaRule { None, TakesAllocated, TakesRunning, ReturnsRunning, ReturnsAll }

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
    public abstract Task<Outcome<Done>> RunAsync(TRequest request, JobContext job, CancellationToken ct);

    IEnumerable<string> IOperation.Locks(OperationRequest request) => Locks((TRequest)request);
    Refusal? IOperation.Check(OperationRequest request, Picture now, EngineParts parts) => Check((TRequest)request, now, parts);
    Task<Outcome<Done>> IOperation.RunAsync(OperationRequest request, JobContext job, CancellationToken ct) => RunAsync((TRequest)request, job, ct);
}

public interface IOperation
{
    Right Right { get; }
    QuotaRule Quota { get; }
    IEnumerable<string> Locks(OperationRequest request);
    Refusal? Check(OperationRequest request, Picture now, EngineParts parts);
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
