using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using WebManager.Agent.Host;
using WebManager.Agent.Keeper;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Upgrade;

/// <summary>
/// What takes a new process its time is code that runs for the first time, and a successor has time before its turn: it beats itself once,
/// over TLS on a port of its own, so that the engine's first beat does not wait for that. Nothing depends on it.
/// </summary>
internal static class Warm
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public static async Task UpAsync(NodeCertificates certificates, string node, Action<ListenOptions> secure, ILoggerFactory log)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, secure));
        builder.Services.AddRouting().AddSingleton(log);
        await using var app = builder.Build();
        app.Use(AgentHost.AllowAsync);
        app.UseWebSockets();
        app.MapCall<PeerChallenge, PeerAnswer>((challenge, _) => Task.FromResult<Outcome<PeerAnswer>>(new PeerAnswer(challenge.Nonce, challenge.Generations)));
        app.MapCall<BeatRequest, BeatReply>((_, _) => Task.FromResult<Outcome<BeatReply>>(new Refusal("agent.starting", "Not yet.")));
        using var limit = new CancellationTokenSource(Limit, TimeProvider.System);
        try
        {
            await app.StartAsync(limit.Token);
            using var link = new PeerLink(certificates);
            await link.ChallengeAsync(node, $"127.0.0.1:{new Uri(app.Urls.First()).Port}", new PeerChallenge(node, "", []), limit.Token);
            await app.StopAsync(limit.Token);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or InvalidOperationException) { }
        Words();
    }

    /// <summary>What beats and the keeper's answers are made of, read and written once.</summary>
    private static void Words()
    {
        var record = new GenerationRecord(Guid.Empty, 1, "", "", "", SyncState.Alone);
        Again(new BeatRequest("", 1, "") { StandsBehind = [record], Peers = new Dictionary<string, string> { [""] = "" } }, WireJson.Options);
        Again(new BeatReply("", Guid.Empty, Guid.Empty, 1) { Instances = [new InstanceReport(Guid.Empty) { Stored = record }], Keeper = new KeeperFacts("", false) }, WireJson.Options);
        Again(new KeeperReply(1) { Status = new KeeperStatus(Guid.Empty, 1, [new LiveProcess("", 1, record, default, null)], []) }, KeeperJson.Default.Options);
        Again(new KeeperRequest(1, KeeperVerb.Answer) { Records = [record] }, KeeperJson.Default.Options);
    }

    private static void Again<T>(T value, System.Text.Json.JsonSerializerOptions options) =>
        System.Text.Json.JsonSerializer.Deserialize<T>(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(value, options), options);
}
