// Jobs that exist only here: what Ganeti answers by a job although nothing of the cluster changes (a trial run, a question), and what the engine's
// door refused, which is a failed job for Ganeti's clients.
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

/// <summary>Result: the raw JSON of the opcode's result, or of its error.</summary>
internal sealed record AnswerJob(long Id, string UserId, Opcode Opcode, bool Failed, JsonElement Result, IReadOnlyList<string> Log, string Why, DateTimeOffset At);

/// <summary>Kept in memory, the newest of each user. Their ids are far above those of the engine's jobs, and grow over a restart.</summary>
internal sealed class AnswerJobs(TimeProvider time)
{
    private const int MostOfOneUser = 200, MostUsers = 1000, LongestValue = 1000;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedList<AnswerJob>> _byUser = new(StringComparer.Ordinal);
    private long _last;

    public ReadOnlyMemory<byte> Add(RapiCall call, Opcode opcode, object? result, params string[] log) => Add(call, opcode, failed: false, JsonSerializer.SerializeToElement(result), log);

    /// <summary>What the door said, as Ganeti's prerequisites say it.</summary>
    public ReadOnlyMemory<byte> Add(RapiCall call, Opcode opcode, Refusal refusal) =>
        Add(call, opcode, failed: true, JsonSerializer.SerializeToElement(new object[] { "OpPrereqError", new object[] { $"{refusal.Message} {refusal.Remedy}".TrimEnd(), CodeOf(refusal) } }), []);

    public ReadOnlyMemory<byte> AddFailed(RapiCall call, Opcode opcode, string text, params string[] log) =>
        Add(call, opcode, failed: true, JsonSerializer.SerializeToElement(new object[] { "OpExecError", new object[] { text } }), log);

    private ReadOnlyMemory<byte> Add(RapiCall call, Opcode opcode, bool failed, JsonElement result, string[] log)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            _last = Math.Max(_last + 1, now.ToUnixTimeMilliseconds() * 1000);
            if (!_byUser.TryGetValue(call.Caller.UserId, out var own))
            {
                if (_byUser.Count >= MostUsers) { _byUser.Remove(_byUser.MinBy(u => u.Value.Last!.Value.At).Key); }
                _byUser[call.Caller.UserId] = own = [];
            }
            own.AddLast(new AnswerJob(_last, call.Caller.UserId, Kept(opcode), failed, result, log, call.Why, now));
            if (own.Count > MostOfOneUser) { own.RemoveFirst(); }
            return Json.Number(_last);
        }
    }

    /// <summary>Without what is long, and apart from the request's body, which would be kept whole with it.</summary>
    private static Opcode Kept(Opcode opcode) => opcode with
    {
        Given = [.. opcode.Given.Select(g => (g.Key, Text: g.Value.ValueKind == JsonValueKind.Undefined ? "null" : g.Value.GetRawText())).Where(g => g.Text.Length <= LongestValue).Select(g => KeyValuePair.Create(g.Key, JsonElement.Parse(g.Text)))],
    };

    /// <summary>Only who caused it sees it.</summary>
    public AnswerJob? Find(long id, Caller caller)
    {
        lock (_gate) { return _byUser.TryGetValue(caller.UserId, out var own) ? own.FirstOrDefault(j => j.Id == id) : null; }
    }

    /// <summary>Ganeti's error codes for the engine's refusals.</summary>
    private static string CodeOf(Refusal refusal) => refusal.Code[(refusal.Code.LastIndexOf('.') + 1)..] switch
    {
        "unknown" or "not-found" or "absent" => "unknown_entity",
        "exists" or "taken" => "already_exists",
        "no-room" or "no-memory" or "no-disk" => "insufficient_resources",
        _ when refusal.Code.StartsWith("quota.", StringComparison.Ordinal) => "insufficient_resources",
        _ => refusal.Field is null ? "wrong_state" : "wrong_input",
    };
}
