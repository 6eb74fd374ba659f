// Registers the links to the nodes, joining and consoles; maps /join and /console.
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine;
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

    private static async Task<IResult> SerialAsync(string instance, string? ticket, HttpContext http, IClusterEngine engine, IConsoleTickets tickets, NodeSerial serial, Sessions sessions, IHostApplicationLifetime life)
    {
        if (!http.WebSockets.IsWebSocketRequest) { return Problems.With(new Refusal("console.not-websocket", "A console is a WebSocket."), StatusCodes.Status400BadRequest); }
        if (engine.FindInstance(instance) is not { } found || !tickets.Redeem(ticket ?? "", Callers.From(http).UserId, found.Id))
            return Problems.With(new Refusal("console.ticket-invalid", "This ticket is not valid (any more).", "Open the console anew."), StatusCodes.Status403Forbidden);
        using var signedIn = await sessions.WatchAsync(http.User);   // whose sign-in ends, loses the console
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, life.ApplicationStopping, signedIn.Ended);
        using var agent = await serial.OpenAsync(instance, ends.Token);
        if (agent is null) { return Problems.From(new Refusal("node.unreachable", $"The console of {instance} cannot be reached.", "See whether its node is online.")); }
        using var browser = await http.WebSockets.AcceptWebSocketAsync();
        await NodeSerial.JoinAsync(browser, agent, ends.Token);
        return TypedResults.Empty;
    }
}
