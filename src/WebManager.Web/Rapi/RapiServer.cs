// One request from its line to its answer: who asks, which resource, what it says; every failure in Ganeti's words.
using WebManager.Engine;
using WebManager.Engine.Ports;
using WebManager.Web.Identity;

namespace WebManager.Web.Rapi;

/// <summary>What resources answer from.</summary>
internal sealed record RapiParts(IClusterEngine Engine, IClusterStore Store, IImageCatalog Images, TimeProvider Time, AnswerJobs Answers, BulkAnswers Bulk);

internal sealed class RapiServer(RapiParts parts, RapiSignIn signIn, RapiLimits limits, ILogger<RapiServer> log)
{
    public const string Face = "rapi";

    public async Task AnswerAsync(HttpContext http)
    {
        try
        {
            var body = await CarryOutAsync(http);
            await WriteAsync(http, StatusCodes.Status200OK, body);
        }
        catch (RapiError error)
        {
            await RefuseAsync(http, error);
        }
        catch (BadHttpRequestException broken)
        {
            await RefuseAsync(http, new RapiError(broken.StatusCode, broken.Message));
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested) { }
        catch (Exception ex) when (!http.Response.HasStarted)
        {
            log.RapiFailed(ex, http.Request.Method, http.Request.Path);
            await RefuseAsync(http, new RapiError(500, "The portal failed to do this; its log says why."));
        }
    }

    private async Task<ReadOnlyMemory<byte>> CarryOutAsync(HttpContext http)
    {
        // A browser that once got a password for this port sends it for other sites' forms, too; Ganeti's clients are no browsers.
        if (!HttpMethods.IsGet(http.Request.Method) && http.Request.Headers.Origin.Count > 0) { throw new RapiError(403, "This request comes from a page in a browser"); }
        var who = await signIn.FindAsync(http);
        limits.Count(http, who);
        var (resource, names) = Resources.Find(http.Request.Path.Value ?? "/");
        if (!resource.TryGetValue(http.Request.Method, out var handler))
            throw new RapiError(501, $"Method {http.Request.Method} is unsupported for path {http.Request.Path.Value}");
        var call = new RapiCall(http, parts, Callers.From(who, Face, http.Connection.RemoteIpAddress?.ToString()), names);
        // Sync queries hold the cluster's lock in Ganeti, which refuses them too.
        if (HttpMethods.IsGet(http.Request.Method) && call.Flag("lock")) { throw new RapiError(500, "('Sync queries are not allowed', 'wrong_input')"); }
        return await handler(call);
    }

    private static Task RefuseAsync(HttpContext http, RapiError error)
    {
        if (http.Response.HasStarted) { return Task.CompletedTask; }
        if (error.Status == StatusCodes.Status401Unauthorized) { http.Response.Headers.WWWAuthenticate = $"Basic realm=\"{RapiSignIn.Realm}\""; }
        return WriteAsync(http, error.Status, error.Body());
    }

    private static Task WriteAsync(HttpContext http, int status, ReadOnlyMemory<byte> body)
    {
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        return response.Body.WriteAsync(body, http.RequestAborted).AsTask();
    }
}
