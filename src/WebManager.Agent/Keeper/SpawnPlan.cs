using System.Text.RegularExpressions;
using WebManager.Contracts;

namespace WebManager.Agent.Keeper;

/// <summary>From a request to the argument list that is really started. Each prefix execs the next, so the pid stays the program's own.</summary>
internal static partial class SpawnPlan
{
    /// <summary>Exports need no lease: they serve the primary's writes, they make none.</summary>
    public static bool Leased(SpawnRequest request) => request.Record is not null && request.Id.StartsWith("guest:", StringComparison.Ordinal);

    public static Refusal? Check(SpawnRequest request)
    {
        if (!Ids().IsMatch(request.Id)) return new Refusal("process.id", $"'{request.Id}' is no process id.") { Field = "id" };
        if (request.Arguments.Count == 0) return new Refusal("process.arguments", "No program was named.") { Field = "arguments" };
        if (request.Arguments.Any(a => a.Contains('\0', StringComparison.Ordinal)))
            return new Refusal("process.arguments", "An argument contains a zero byte.") { Field = "arguments" };
        if (!ProcFacts.IsOnPath(request.Arguments[0]))
            return new Refusal("program.missing", $"{request.Arguments[0]} is not installed on this node.", "Install it or choose another hypervisor.") { Field = "arguments" };
        if (request.NetworkNamespace is not { } name) return null;
        if (!Names().IsMatch(name)) return new Refusal("network.namespace", $"'{name}' is no namespace name.") { Field = "networkNamespace" };
        return File.Exists(NamespaceFile(name)) ? null
            : new Refusal("network.namespace", $"There is no network namespace {name}.", "ip netns add it, or join without --netns.") { Field = "networkNamespace" };
    }

    public static IReadOnlyList<string> Arguments(SpawnRequest request)
    {
        var all = new List<string>();
        // The namespace first: whatever happens to credentials there clears PDEATHSIG, so that is set last.
        if (request.NetworkNamespace is { } name) all.AddRange(["nsenter", "--net=" + NamespaceFile(name), "--"]);
        if (request.DieWithKeeper) all.AddRange(["setpriv", "--pdeathsig", "KILL", "--"]);
        all.AddRange(request.Arguments);
        return all;
    }

    private static string NamespaceFile(string name) => "/run/netns/" + name;

    [GeneratedRegex(@"\A[a-z][a-z0-9]{0,15}:[A-Za-z0-9._:-]{1,80}\z")]
    private static partial Regex Ids();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex Names();
}
