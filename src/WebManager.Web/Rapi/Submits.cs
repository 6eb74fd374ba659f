// Every change goes through the engine's one door. What the door refuses becomes a failed job, because that is where Ganeti's clients look for it.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal static class Submits
{
    /// <summary>The job's id. With dry-run: of a job that tells what the door would say.</summary>
    public static async Task<ReadOnlyMemory<byte>> AsJobAsync(RapiCall call, Opcode opcode, OperationRequest request)
    {
        if (opcode.DryRun) { return Trial(call, opcode, call.Engine.WouldRefuse(request, call.Caller)); }
        var job = await TryAsync(call, request, opcode.Terms);
        return job.Ok ? Json.Number(job.Value) : call.Parts.Answers.Add(call, opcode, job.Refusal);
    }

    /// <summary>Not the request's token: a caller that hangs up must not leave it open whether the job was stored.</summary>
    public static async Task<Outcome<long>> TryAsync(RapiCall call, OperationRequest request, JobTerms? terms = null)
    {
        var job = await call.Engine.SubmitAsync(request, call.Caller, call.Why, terms ?? JobTerms.Usual, CancellationToken.None);
        return job.Ok ? job : Permitted(call, job.Refusal);
    }

    public static ReadOnlyMemory<byte> Trial(RapiCall call, Opcode opcode, Refusal? refusal) => refusal is null
        ? call.Parts.Answers.Add(call, opcode, null, " - INFO: dry-run mode requested, not actually executing the operation")
        : call.Parts.Answers.Add(call, opcode, Permitted(call, refusal));

    /// <summary>Who may not gets 403 and no job, and a portal that stands still 503.</summary>
    private static Refusal Permitted(RapiCall call, Refusal refusal) =>
        refusal.Code is "right.missing" or "right.read-only" ? throw RapiError.Forbidden(refusal)
        : refusal.Code == "queue.drained" ? throw new RapiError(503, "Job queue is drained, refusing job")
        : refusal.Code == "queue.full" ? throw new RapiError(503, "Job queue is full")
        : call.Engine.Halted is { } halted ? throw new RapiError(503, halted.Message)
        : refusal;
}
