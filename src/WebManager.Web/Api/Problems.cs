// The one place that turns refusals and broken requests into HTTP: application/problem+json with code, field and remedy.
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using WebManager.Contracts;
using WebManager.Web.Hosting;

namespace WebManager.Web.Api;

internal static partial class Problems
{
    private const int LongestMessage = 1000;

    /// <summary>
    /// 404 for what is not there, 403 for what the caller may not, 503 for a node that does not answer, 422 for a value that is refused,
    /// 409 for what the state of things does not allow. (400 is kept for requests that cannot be read, 401 for callers without sign-in.)
    /// </summary>
    public static int StatusOf(Refusal refusal) => refusal.Code[(refusal.Code.LastIndexOf('.') + 1)..] switch
    {
        "not-found" => StatusCodes.Status404NotFound,
        // The engine's word for a name it does not know: the thing asked for itself, or a value within the request.
        "unknown" when refusal.Field is null || refusal.Code == refusal.Field + ".unknown" && refusal.Field is "instance" or "node" or "group" => StatusCodes.Status404NotFound,
        "missing" or "read-only" when refusal.Code.StartsWith("right.", StringComparison.Ordinal) => StatusCodes.Status403Forbidden,
        "forbidden" => StatusCodes.Status403Forbidden,
        "drained" or "full" when refusal.Code.StartsWith("queue.", StringComparison.Ordinal) => StatusCodes.Status503ServiceUnavailable,
        "unreachable" => StatusCodes.Status503ServiceUnavailable,
        "exists" or "taken" or "changed" or "busy" => StatusCodes.Status409Conflict,
        _ => refusal.Field is null ? StatusCodes.Status409Conflict : StatusCodes.Status422UnprocessableEntity,
    };

    public static ProblemHttpResult From(Refusal refusal) => With(refusal, StatusOf(refusal));

    public static ProblemHttpResult With(Refusal refusal, int status) => TypedResults.Problem(Details(refusal, status));

    public static async Task WriteAsync(HttpContext http, Refusal refusal, int status)
    {
        http.Response.StatusCode = status;
        await http.Response.WriteAsJsonAsync(Details(refusal, status), WireJson.Options, "application/problem+json", http.RequestAborted);
    }

    /// <summary>What a request that could not be read is told.</summary>
    public static Refusal Unreadable(BadHttpRequestException broken)
    {
        if (broken.InnerException is not JsonException json)
            return new Refusal("request.unreadable", broken.Message);
        var named = Missing().Match(json.Message) is { Success: true } missing ? missing : Unmapped().Match(json.Message);
        var field = named.Success ? named.Groups[1].Value : FieldOf(json.Path);
        var text = named.Success && json.Message.Contains("could not be mapped", StringComparison.Ordinal) ? $"There is no field {field}."
            : named.Success ? $"The field {field} is missing."
            : field is null ? "The body is not the JSON that this request wants."
            : $"The field {field} has a value of the wrong type or out of range.";
        return new Refusal("request.invalid-json", text, "See /openapi/v1.json for the fields and their types.") { Field = field };
    }

    private static ProblemDetails Details(Refusal refusal, int status) => new()
    {
        Status = status,
        Title = Short(refusal.Message),
        Extensions = new Dictionary<string, object?> { ["code"] = refusal.Code, ["field"] = WireField(refusal.Field), ["remedy"] = refusal.Remedy }
            .Where(e => e.Value is not null).ToDictionary(),
    };

    // A message may quote what was sent; nobody gets ten thousand characters back.
    private static string Short(string message) => message.Length <= LongestMessage ? message : message[..LongestMessage] + "…";

    // The engine's requests call the subject by its kind; the API's call it name.
    private static string? WireField(string? field) => field is "instance" or "node" or "group" ? "name" : field;

    // "$.disksMiB[0]" -> "disksMiB"
    private static string? FieldOf(string? path) => path is { Length: > 2 } && path.StartsWith("$.", StringComparison.Ordinal) ? path[2..].Split('.', '[')[0] : null;

    [GeneratedRegex("required properties including: '([^']+)'")]
    private static partial Regex Missing();

    [GeneratedRegex("JSON property '([^']+)' could not be mapped")]
    private static partial Regex Unmapped();
}

/// <summary>Exceptions as problems, without anything of the inside; bugs go to the log.</summary>
internal sealed class ProblemHandler(ILogger<ProblemHandler> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested) { return true; }
        if (exception is BadHttpRequestException broken)
        {
            await Problems.WriteAsync(httpContext, Problems.Unreadable(broken), broken.StatusCode);
            return true;
        }
        if (exception is AntiforgeryValidationException)
        {
            await Problems.WriteAsync(httpContext, new Refusal("form.unreadable", "The form cannot be read.", "Load its page again."), StatusCodes.Status400BadRequest);
            return true;
        }
        log.RequestFailed(exception, httpContext.Request.Method, httpContext.Request.Path);
        if (!httpContext.Request.Path.StartsWithSegments("/api") && !httpContext.Request.Path.StartsWithSegments("/join")) { return false; }
        await Problems.WriteAsync(httpContext, new Refusal("internal", "The portal failed to do this.", "Its log says why."), StatusCodes.Status500InternalServerError);
        return true;
    }
}
