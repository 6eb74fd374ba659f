// A job in Ganeti's words; the engine's jobs have one opcode each.
using System.Text.Json;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

/// <summary>Result: raw JSON. Trail: who or what asked, why, when.</summary>
internal sealed record JobSeen(long Id, Opcode Opcode, JobStatus Status, DateTimeOffset ReceivedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, JsonElement? Result,
    IReadOnlyList<JobLogLine> Log, IReadOnlyList<ReasonEntry> Trail)
{
    public bool Ended => Status is JobStatus.Canceled or JobStatus.Success or JobStatus.Error;

    public JobPriority Priority { get; init; }
    public IReadOnlyList<JobDependency> Depends { get; init; } = [];

    /// <summary>Not among those that the portal keeps at hand, which are Ganeti's queue.</summary>
    public bool Archived { get; init; }

    public static JobSeen Of(Job job, IReadOnlyList<JobLogLine> log, Picture now)
    {
        JsonElement? result = job switch
        {
            { Status: JobStatus.Error, Error: { } e } => JsonSerializer.SerializeToElement(new object[] { "OpExecError", new object[] { $"{e.Message} {e.Remedy}".TrimEnd() } }),
            { Status: JobStatus.Success } when EngineOpcodes.ResultOf(job.Request, now) is { } gave => JsonSerializer.SerializeToElement(gave),
            _ => null,
        };
        return new JobSeen(job.Id, EngineOpcodes.Of(job.Request, now), job.Status, job.ReceivedAt, job.StartedAt ?? (job.Ended ? job.ReceivedAt : null), job.EndedAt, result, log, job.Reason)
        {
            Archived = !now.Jobs.ContainsKey(job.Id), Priority = job.Priority, Depends = job.Depends,
        };
    }

    public static JobSeen Of(AnswerJob job) => new(job.Id, job.Opcode, job.Failed ? JobStatus.Error : JobStatus.Success, job.At, job.At, job.At, job.Result,
        [.. job.Log.Select((text, n) => new JobLogLine(job.Id, n + 1, job.At, text))], [new ReasonEntry($"{RapiServer.Face}:{job.UserId}", job.Why, job.At)]);
}

internal static class JobFields
{
    public static readonly Fields<JobSeen> All = new(Plain(), "id ops status summary opstatus received_ts start_ts end_ts");
    public static readonly Fields<JobSeen> Whole = new(Plain(), "id ops status summary opstatus received_ts start_ts end_ts oplog opresult");

    /// <summary>Those that need the job's log read.</summary>
    public const string Log = "oplog";

    private static IEnumerable<Field<JobSeen>> Plain() =>
    [
        new("id", (j, x) => j.WriteNumberValue(x.Id)),
        new("status", (j, x) => j.WriteStringValue(Word(x.Status))),
        new("summary", (j, x) => One(j, () => j.WriteStringValue(x.Opcode.Summary))),
        new("ops", (j, x) => One(j, () => Op(j, x))),
        new("opstatus", (j, x) => One(j, () => j.WriteStringValue(Word(x.Status)))),
        new("opresult", (j, x) => One(j, () => { if (x.Result is { } r) { r.WriteTo(j); } else { j.WriteNullValue(); } })),
        new("oplog", (j, x) => One(j, () => Lines(j, x.Log))),
        new("opstart", (j, x) => One(j, () => j.Moment(x.StartedAt))),
        new("opexec", (j, x) => One(j, () => j.Moment(x.StartedAt))),
        new("opend", (j, x) => One(j, () => j.Moment(x.EndedAt))),
        new("oppriority", (j, x) => One(j, () => j.WriteNumberValue((int)x.Priority))),
        new("priority", (j, x) => j.WriteNumberValue((int)x.Priority)),
        new("received_ts", (j, x) => j.Moment(x.ReceivedAt)),
        new("start_ts", (j, x) => j.Moment(x.StartedAt)),
        new("end_ts", (j, x) => j.Moment(x.EndedAt)),
        new("archived", (j, x) => j.WriteBooleanValue(x.Archived)),
    ];

    public static string Word(JobStatus status) => status.ToString().ToLowerInvariant();

    public static void Lines(Utf8JsonWriter json, IEnumerable<JobLogLine> lines)
    {
        json.WriteStartArray();
        foreach (var line in lines)
        {
            json.WriteStartArray();
            json.WriteNumberValue(line.Serial);
            json.Moment(line.At);
            json.WriteStringValue("message");
            json.WriteStringValue(line.Text);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static void One(Utf8JsonWriter json, Action write)
    {
        json.WriteStartArray();
        write();
        json.WriteEndArray();
    }

    private static void Op(Utf8JsonWriter json, JobSeen job)
    {
        json.WriteStartObject();
        json.WriteBoolean("dry_run", job.Opcode.DryRun);
        json.WriteNumber("debug_level", 0);
        json.WriteNumber("priority", (int)job.Priority);
        Depends(json, job.Depends);
        json.WriteString("comment", job.Opcode.Comment);
        json.WriteStartArray("reason");
        foreach (var entry in job.Trail) { Trail(json, entry.Source, entry.Text, entry.At); }
        Trail(json, $"gnt:opcode:{job.Opcode.Name.ToLowerInvariant()}", $"job={job.Id};index=0", job.ReceivedAt);
        json.WriteEndArray();
        json.WriteString("OP_ID", "OP_" + job.Opcode.Name);
        foreach (var (name, value) in job.Opcode.Given)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
        json.WriteEndObject();
    }

    private static void Depends(Utf8JsonWriter json, IReadOnlyList<JobDependency> jobs)
    {
        if (jobs.Count == 0) { json.WriteNull("depends"); return; }
        json.WriteStartArray("depends");
        foreach (var (job, statuses) in jobs)
        {
            json.WriteStartArray();
            json.WriteNumberValue(job);
            json.Texts(statuses.Select(Word));
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static void Trail(Utf8JsonWriter json, string source, string text, DateTimeOffset at)
    {
        json.WriteStartArray();
        json.WriteStringValue(source);
        json.WriteStringValue(text);
        json.WriteNumberValue(Json.Nanoseconds(at));
        json.WriteEndArray();
    }
}
