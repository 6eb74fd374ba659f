using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using WebManager.Agent.Node;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Host;

/// <summary>One way for every IAgentCall record: POST its Path, 200 with the reply, 409 with the refusal, 400 naming the field of malformed JSON.</summary>
internal static class Calls
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(8);

    /// <summary>A missing field is the caller's mistake, not a null for a handler to trip over.</summary>
    internal static readonly JsonSerializerOptions Strict = new(WireJson.Options)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { AllowAbsentNulls } },
    };

    public static void MapCall<TCall, TReply>(this IEndpointRouteBuilder app, Func<TCall, HttpContext, Task<Outcome<TReply>>> handler, Task? ready = null)
        where TCall : IAgentCall<TReply>
    {
        Task Serve(HttpContext http) => GuardAsync(http, ready, async () =>
        {
            var call = await JsonSerializer.DeserializeAsync<TCall>(http.Request.Body, Strict, http.RequestAborted);
            if (call is null) throw new JsonException("The body is empty.");
            var outcome = await handler(call, http);
            if (outcome.Ok) await WriteAsync(http, 200, outcome.Value);
            else await WriteAsync(http, 409, outcome.Refusal);
        });
        app.MapPost(PathOf<TCall, TReply>(), Serve);
    }

    public static void MapOrder<TOrder, TReply>(this IEndpointRouteBuilder app, OrderDesk desk, Task ready, Func<TOrder, Guid?> instance, Func<TOrder, CancellationToken, Task<Outcome<TReply>>> handler)
        where TOrder : IAgentCall<TReply>, IOrder
    {
        Task Serve(HttpContext http) => GuardAsync(http, ready, async () =>
        {
            var order = await JsonSerializer.DeserializeAsync<TOrder>(http.Request.Body, Strict, http.RequestAborted);
            if (order is null) throw new JsonException("The body is empty.");
            // The handler's token is not the request's: an order is carried out to its end.
            var result = await desk.TakeAsync<TOrder, TReply>(order, instance(order), o => handler(o, CancellationToken.None), http.RequestAborted);
            await WriteAsync(http, result.Status, result.Body);
        });
        app.MapPost(PathOf<TOrder, TReply>(), Serve);
    }

    public static Task WriteAsync<T>(HttpContext http, int status, T body)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(body, WireJson.Options, "application/json", CancellationToken.None);
    }

    /// <summary>Path is the same for all values of a record type, so an empty one tells it.</summary>
    public static string PathOf<TCall, TReply>() where TCall : IAgentCall<TReply> => ((TCall)RuntimeHelpers.GetUninitializedObject(typeof(TCall))).Path;

    /// <summary>The wire leaves nulls out, so a field that may be null may be absent.</summary>
    private static void AllowAbsentNulls(JsonTypeInfo type)
    {
        foreach (var property in type.Properties.Where(p => p.IsRequired))
            if (property.AssociatedParameter is { IsNullable: true } || Nullable.GetUnderlyingType(property.PropertyType) is not null) property.IsRequired = false;
    }

    /// <summary>Errors of the system; .NET gives them on as they are.</summary>
    private const int IoError = 5, NoSpace = 28, ReadOnly = 30;

    public static async Task GuardAsync(HttpContext http, Task? ready, Func<Task> work)
    {
        try
        {
            if (ready is not null) await ready.WaitAsync(StartLimit, http.RequestAborted);
            await work();
        }
        catch (JsonException ex)
        {
            var field = ex.Path?.TrimStart('$').TrimStart('.');
            await WriteAsync(http, 400, new Refusal("request.malformed", ex.Message) { Field = string.IsNullOrEmpty(field) ? null : field });
        }
        catch (TimeoutException)
        {
            await WriteAsync(http, 503, new Refusal("agent.starting", "The agent has not found its keeper yet.", "Look at keeper/keeper.log on the node."));
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
        }
        catch (IOException ex) when (ex.HResult is NoSpace or IoError or ReadOnly)
        {
            if (!http.Response.HasStarted) await WriteAsync(http, 507, new Refusal("node.disk-error", $"The node's disk takes no writes: {ex.Message}", "Free some space on the node, or repair its disk."));
        }
        catch (Exception ex)
        {
            http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Calls").CallFailed(http.Request.Path, ex);
            if (!http.Response.HasStarted) await WriteAsync(http, 500, new Refusal("agent.failed", ex.Message, "Look at agent.log on the node."));
        }
    }
}
