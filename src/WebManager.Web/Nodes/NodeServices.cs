// Registers the links to the nodes, joining and consoles; maps /join and /console.
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Api;
using WebManager.Web.Hosting;
using WebManager.Web.Identity;

namespace WebManager.Web.Nodes;

public static class NodeServices
{
    public static IServiceCollection AddNodeLinks(this IServiceCollection services)
    {
        services.AddSingleton<ClusterAuthority>();
        services.AddSingleton<INodeLinks, HttpNodeLinks>();
        services.AddSingleton<JoinTokens>();
        services.AddSingleton<IJoinTokens>(s => s.GetRequiredService<JoinTokens>());
        services.AddSingleton<NodeSerial>();
        services.AddSingleton<IConsoleTickets, ConsoleTickets>();
        services.AddSingleton<IRandomness, Randomness>();
        services.AddOptions<FencingOptions>().BindConfiguration("Engine:Fencing").ValidateOnStart();
        services.AddSingleton<IValidateOptions<FencingOptions>, FencingCheck>();
        services.AddSingleton<IPowerControl, PowerCommands>();
        return services;
    }

    public static void MapNodeRoutes(this WebApplication app)
    {
        app.MapPost("/join", async (JoinRequest request, JoinTokens tokens, CancellationToken ct) =>
        {
            var reply = await tokens.UseAsync(request, ct);
            return reply.Ok ? (IResult)TypedResults.Ok(reply.Value) : Problems.From(reply.Refusal);
        }).AllowAnonymous().DisableAntiforgery().WithTags("nodes").Produces<JoinReply>().ProducesProblem(409).ProducesProblem(422);
        app.MapGet("/console/{instance}/serial", SerialAsync).ExcludeFromDescription();
    }

    private static async Task<IResult> SerialAsync(string instance, string? ticket, HttpContext http, IClusterEngine engine, IConsoleTickets tickets, NodeSerial serial, Sessions sessions, IHostApplicationLifetime life, TimeProvider time)
    {
        if (!http.WebSockets.IsWebSocketRequest) { return Problems.With(new Refusal("console.not-websocket", "A console is a WebSocket."), StatusCodes.Status400BadRequest); }
        if (engine.FindInstance(instance) is not { } found || !tickets.Redeem(ticket ?? "", Callers.From(http).UserId, found.Id))
            return Problems.With(new Refusal("console.ticket-invalid", "This ticket is not valid (any more).", "Open the console anew."), StatusCodes.Status403Forbidden);
        using var signedIn = await sessions.WatchAsync(http.User);   // whose sign-in ends, loses the console
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, life.ApplicationStopping, signedIn.Ended);
        var caller = Callers.From(http);
        var sight = engine.SightOf(caller);
        // Who is in a console types: a token that may only look reads its last lines by the API.
        bool May(InstanceRow row) => !caller.ReadOnly && row.Id == found.Id && sight.RightsOn(row.Id, row.OwnerKey).HasFlag(InstanceRights.Console);
        using var allowed = engine.Feeds.Instances.Subscribe(May);
        if (allowed.Snapshot.Count == 0) { return Problems.With(new Refusal("right.missing", $"You may not use the console of {instance}."), StatusCodes.Status403Forbidden); }
        using var agent = await serial.OpenAsync(instance, ends.Token);
        if (agent is null) { return Problems.From(new Refusal("node.unreachable", $"The console of {instance} cannot be reached.", "See whether its node is online.")); }
        using var browser = await http.WebSockets.AcceptWebSocketAsync();
        var watch = EndWithRightAsync(allowed, time, ends);
        await NodeSerial.JoinAsync(browser, agent, ends.Token);
        await ends.CancelAsync();
        await watch;
        return TypedResults.Empty;
    }

    /// <summary>A right that is taken ends what is open by it.</summary>
    private static async Task EndWithRightAsync(LiveFeed<Guid, InstanceRow>.Subscription allowed, TimeProvider time, CancellationTokenSource ends)
    {
        try
        {
            await foreach (var batch in allowed.BatchesAsync(TimeSpan.FromMilliseconds(100), time, ends.Token))
            {
                if (batch.Values.Any(row => row is null)) { await ends.CancelAsync(); }
            }
        }
        catch (OperationCanceledException) { }
    }
}
