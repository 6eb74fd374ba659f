// /2/jobs: list, show, wait for a change, cancel.
using System.Globalization;
using System.Text.Json;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal static class JobResources
{
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(10);

    public static async Task<ReadOnlyMemory<byte>> List(RapiCall call)
    {
        var jobs = await AllAsync(call, []);
        return Json.Of(json =>
        {
            json.WriteStartArray();
            foreach (var job in jobs)
            {
                if (call.Bulk) { JobFields.All.WriteObject(json, job); continue; }
                json.WriteStartObject();
                json.WriteNumber("id", job.Id);
                json.WriteString("uri", $"/2/jobs/{job.Id}");
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
    }

    /// <summary>Those at hand that may be seen; their logs are read when a field needs them.</summary>
    public static async Task<IReadOnlyList<JobSeen>> AllAsync(RapiCall call, IReadOnlyList<string> fields)
    {
        var (now, all) = (call.Engine.Now, new List<JobSeen>());
        foreach (var job in now.Jobs.Values.Where(call.Sight.Job))
        {
            all.Add(JobSeen.Of(job, fields.Contains(JobFields.Log) ? await call.Parts.Store.JobLogAsync(job.Id, call.Aborted) : [], now));
        }
        return all;
    }

    /// <summary>One that is not there is told with nothing in it, as Ganeti does.</summary>
    public static async Task<ReadOnlyMemory<byte>> Show(RapiCall call) => await FindAsync(call) is { } job ? Json.Of(json => JobFields.Whole.WriteObject(json, job))
        : "{\"id\":null,\"ops\":null,\"status\":null,\"summary\":null,\"opstatus\":null,\"received_ts\":null,\"start_ts\":null,\"end_ts\":null,\"oplog\":null,\"opresult\":null}"u8.ToArray();

    /// <summary>Until one of the fields is another than the caller knows, or the log has more lines; null after ten seconds.</summary>
    public static async Task<ReadOnlyMemory<byte>> Wait(RapiCall call)
    {
        var body = await call.ObjectAsync();
        var fields = body.TryGetProperty("fields", out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Select(f => f.ToString()).ToList() : throw new RapiError(400, "Required parameter 'fields' is missing");
        if (fields.Count > Query.MostFields || fields.Distinct(StringComparer.Ordinal).Count() < fields.Count) { throw new RapiError(400, "Invalid body parameters: too many fields, or one twice"); }
        if (fields.FirstOrDefault(f => JobFields.All.Find(f) is null) is { } unknown) { throw new RapiError(400, $"Unknown field '{unknown}'"); }
        var known = body.TryGetProperty("previous_job_info", out var info) && info.ValueKind == JsonValueKind.Array ? info : (JsonElement?)null;
        var serial = body.TryGetProperty("previous_log_serial", out var last) && last.ValueKind == JsonValueKind.Number && last.TryGetInt32(out var n) ? n : 0;
        using var rows = call.Engine.Feeds.Jobs.Subscribe(r => r.Id == IdOf(call));
        using var limit = new CancellationTokenSource(s_longestWait, call.Parts.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, call.Aborted);
        try
        {
            if (await ChangeAsync(call, fields, known, serial) is { } at) { return at; }
            // A line of the log changes its job's row, too.
            await foreach (var _ in rows.BatchesAsync(TimeSpan.FromMilliseconds(20), call.Parts.Time, either.Token))
            {
                if (await ChangeAsync(call, fields, known, serial) is { } changed) { return changed; }
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !call.Aborted.IsCancellationRequested) { }
        return Json.Null;
    }

    /// <summary>Whether it is, or will be, and in words.</summary>
    public static async Task<ReadOnlyMemory<byte>> Cancel(RapiCall call)
    {
        var (id, done) = (IdOf(call), false);
        string said;
        if (await FindAsync(call) is null or { Ended: true }) { said = $"Job {call.Name} not found in queue"; }
        else
        {
            var asked = await Submits.TryAsync(call, new CancelJob(id));
            (done, said) = asked.Ok ? (true, call.Engine.Now.Jobs.GetValueOrDefault(id) is { Ended: false } ? $"Job {id} will be canceled" : $"Job {id} canceled") : (false, $"{asked.Refusal.Message} {asked.Refusal.Remedy}".TrimEnd());
        }
        return Json.Of(json =>
        {
            json.WriteStartArray();
            json.WriteBooleanValue(done);
            json.WriteStringValue(said);
            json.WriteEndArray();
        });
    }

    private static async Task<ReadOnlyMemory<byte>?> ChangeAsync(RapiCall call, List<string> fields, JsonElement? known, int serial)
    {
        if (await FindAsync(call) is not { } job) { throw new RapiError(500, "Can't load job file"); }
        var values = Json.Of(json =>
        {
            json.WriteStartArray();
            foreach (var field in fields) { JobFields.All.Find(field)!.Write(json, job); }
            json.WriteEndArray();
        });
        var lines = job.Log.Where(l => l.Serial > serial).ToList();
        if (lines.Count == 0 && known is { } before && JsonElement.DeepEquals(before, JsonElement.Parse(values.Span))) { return null; }
        return Json.Of(json =>
        {
            json.WriteStartObject();
            json.WritePropertyName("job_info");
            json.WriteRawValue(values.Span);
            json.WritePropertyName("log_entries");
            JobFields.Lines(json, lines);
            json.WriteEndObject();
        });
    }

    private static async Task<JobSeen?> FindAsync(RapiCall call)
    {
        var id = IdOf(call);
        if (call.Parts.Answers.Find(id, call.Caller) is { } answer) { return JobSeen.Of(answer); }
        var (now, log) = (call.Engine.Now, await call.Parts.Store.JobLogAsync(id, call.Aborted));
        var job = now.Jobs.GetValueOrDefault(id) ?? await call.Parts.Store.JobAsync(id, call.Aborted);
        return job is not null && call.Sight.Job(job) ? JobSeen.Of(job, log, call.Engine.Now) : null;
    }

    private static long IdOf(RapiCall call) => long.TryParse(call.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw RapiError.NotFound;
}
