// The QMP commands of a live migration; the sequence was tried on QEMU 7.2 with TLS, several disks and the return path.
using System.Text.Json;
using System.Text.Json.Nodes;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Storage;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Migration;

/// <summary>What query-migrate says.</summary>
/// <param name="Passes">How often the memory was gone through; the first pass sends all of it.</param>
public sealed record MigrationFacts(string Status, long Sent, long Left, long Total, long Passes, string? Error)
{
    /// <summary>Of the memory as it was at the begin.</summary>
    public double Percent => Total == 0 ? 0 : Passes > 1 ? 100 : Math.Clamp(100.0 * (Total - Left) / Total, 0, 100);

    public static MigrationFacts Read(JsonElement answer)
    {
        var status = answer.TryGetProperty("status", out var s) ? s.GetString() ?? "" : "";
        var error = answer.TryGetProperty("error-desc", out var e) ? e.GetString() : null;
        if (!answer.TryGetProperty("ram", out var ram)) return new MigrationFacts(status, 0, 0, 0, 0, error);
        long Of(string name) => ram.TryGetProperty(name, out var value) ? value.GetInt64() : 0;
        return new MigrationFacts(status, Of("transferred"), Of("remaining"), Of("total"), Of("dirty-sync-count"), error);
    }
}

public sealed class MigrationQmp(QmpClient qmp)
{
    // return-path: the source counts it as completed only when the target has said that it loaded everything.
    private static readonly string[] ForSource = ["events", "pause-before-switchover", "auto-converge", "return-path"];

    public async Task<MigrationFacts> QueryAsync(CancellationToken ct) => MigrationFacts.Read(await qmp.ExecuteAsync("query-migrate", null, ct));

    public async Task<string> RunStateAsync(CancellationToken ct) => (await qmp.ExecuteAsync("query-status", null, ct)).GetProperty("status").GetString() ?? "";

    /// <param name="tlsName">The node that the target must show itself to be; null: not encrypted.</param>
    /// <param name="downtime">The pause that the rest may cost; zero: the memory is gone through once, then the guest is paused whatever is left.</param>
    public async Task SendAsync(MigrationAddress to, string? tlsName, int rateMiB, TimeSpan downtime, CancellationToken ct)
    {
        await CapabilitiesAsync(ForSource, ct);
        await qmp.ExecuteAsync("migrate-set-parameters", new JsonObject
        {
            ["max-bandwidth"] = (long)rateMiB << 20, ["downtime-limit"] = (long)downtime.TotalMilliseconds,
            ["tls-creds"] = tlsName is null ? "" : NodeTls.CredentialsId, ["tls-hostname"] = tlsName ?? "",
        }, ct);
        await qmp.ExecuteAsync("migrate", new JsonObject { ["uri"] = Uri(to.Host, to.Port) }, ct);
    }

    public Task DowntimeAsync(TimeSpan limit, CancellationToken ct) =>
        qmp.ExecuteAsync("migrate-set-parameters", new JsonObject { ["downtime-limit"] = (long)limit.TotalMilliseconds }, ct);

    public Task ContinueAsync(CancellationToken ct) => qmp.ExecuteAsync("migrate-continue", new JsonObject { ["state"] = "pre-switchover" }, ct);

    /// <summary>
    /// Cuts the connection to the target, out of band: the last of the memory is sent with QEMU's main lock held, so that over a silent link no other
    /// command is answered any more.
    /// </summary>
    public async Task YankAsync(CancellationToken ct)
    {
        try { await qmp.ExecuteOobAsync("yank", new JsonObject { ["instances"] = new JsonArray(new JsonObject { ["type"] = "migration" }) }, ct); }
        catch (QmpException)
        {
            // Nothing is being sent.
        }
    }

    public Task CancelAsync(CancellationToken ct) => qmp.ExecuteAsync("migrate_cancel", null, ct);

    // QEMU announces the guest's address as soon as it is here, also when it goes on at its source after all, which then announces it again.
    // "announce-rounds" 0 would keep it quiet, but leaves virtio-net without a timer that its next reset stops: QEMU 7.2 crashes there.
    /// <summary>Listens on a free port, which it answers.</summary>
    public async Task<int> ListenAsync(string host, bool encrypted, CancellationToken ct)
    {
        await CapabilitiesAsync(["events"], ct);
        await qmp.ExecuteAsync("migrate-set-parameters", new JsonObject { ["tls-creds"] = encrypted ? NodeTls.IncomingId : "" }, ct);
        await qmp.ExecuteAsync("migrate-incoming", new JsonObject { ["uri"] = Uri(host, 0) }, ct);
        var listens = (await qmp.ExecuteAsync("query-migrate", null, ct)).GetProperty("socket-address").EnumerateArray().First();
        return int.Parse(listens.GetProperty("port").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
    }

    private Task CapabilitiesAsync(string[] names, CancellationToken ct) => qmp.ExecuteAsync("migrate-set-capabilities", new JsonObject
    {
        ["capabilities"] = new JsonArray([.. names.Select(n => new JsonObject { ["capability"] = n, ["state"] = true })]),
    }, ct);

    private static string Uri(string host, int port) => host.Contains(':', StringComparison.Ordinal) ? $"tcp:[{host}]:{port}" : $"tcp:{host}:{port}";
}

/// <summary>A guest that changes its memory quickly: how long a pause it gets for the rest, and when it is given up. Pure.</summary>
public static class Convergence
{
    public static readonly TimeSpan First = TimeSpan.FromMilliseconds(30);

    /// <summary>The pause that the rest may cost, by the time since all memory was sent once; null: it does not converge. QEMU slows the guest down meanwhile.</summary>
    public static TimeSpan? Downtime(TimeSpan since, TimeSpan patience) =>
        since < patience / 6 ? First : since < patience / 3 ? TimeSpan.FromMilliseconds(100) : since < patience ? TimeSpan.FromMilliseconds(250) : null;
}
