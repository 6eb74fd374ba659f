// How often: tries to sign in per address and per name, calls of the API per account (or address). Who is over it gets 429 and is told when to come back.
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Web.Api;

namespace WebManager.Web.Hosting;

/// <summary>Section Limits. 0: no limit.</summary>
public sealed class LimitOptions
{
    /// <summary>Tries to sign in, set up or join in a minute from one address (IPv6: one /64).</summary>
    [Range(0, 1_000_000)] public int SignInsPerAddress { get; set; } = 60;

    /// <summary>Tries to sign in in a minute with one name, whether there is such a user or not.</summary>
    [Range(0, 1_000_000)] public int SignInsPerName { get; set; } = 20;

    /// <summary>Calls of the API in a second by one account, in the long run.</summary>
    [Range(0, 1_000_000)] public int CallsPerAccount { get; set; } = 1000;

    /// <summary>The same for who is not signed in, by address.</summary>
    [Range(0, 1_000_000)] public int CallsPerAddress { get; set; } = 50;

    /// <summary>So many seconds' worth of calls may come at once.</summary>
    [Range(1, 600)] public int Burst { get; set; } = 10;
}

internal static class Limits
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    public static IServiceCollection AddLimits(this IServiceCollection services)
    {
        services.AddOptions<LimitOptions>().BindConfiguration("Limits").ValidateDataAnnotations().ValidateOnStart();
        services.AddRateLimiter(_ => { });
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<LimitOptions>>((limiter, limits) =>
        {
            limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(
                PartitionedRateLimiter.Create<HttpContext, string>(http => SignInOf(http, limits.Value)),
                PartitionedRateLimiter.Create<HttpContext, string>(http => NameOf(http, limits.Value)),
                PartitionedRateLimiter.Create<HttpContext, string>(http => CallOf(http, limits.Value)));
            limiter.OnRejected = (context, _) => RefuseAsync(context);
        });
        return services;
    }

    /// <summary>After the sign-in is known.</summary>
    public static void UseLimits(this WebApplication app)
    {
        app.Use(async (http, next) =>
        {
            if (IsSignIn(http.Request)) { await SignInName.ReadAsync(http); }
            await next(http);
        });
        app.UseRateLimiter();
    }

    private static RateLimitPartition<string> SignInOf(HttpContext http, LimitOptions limits) =>
        limits.SignInsPerAddress > 0 && IsSignIn(http.Request) ? PerMinute("from " + AddressOf(http), limits.SignInsPerAddress) : RateLimitPartition.GetNoLimiter("");

    private static RateLimitPartition<string> NameOf(HttpContext http, LimitOptions limits) =>
        limits.SignInsPerName > 0 && SignInName.Of(http) is { } name ? PerMinute("as " + name, limits.SignInsPerName) : RateLimitPartition.GetNoLimiter("");

    // The host's own token is not limited: who has it has the portal's files.
    private static RateLimitPartition<string> CallOf(HttpContext http, LimitOptions limits)
    {
        if (!http.Request.Path.StartsWithSegments("/api")) { return RateLimitPartition.GetNoLimiter(""); }
        var account = http.User.Identity?.IsAuthenticated == true ? http.User.FindFirstValue(ClaimTypes.NameIdentifier) : null;
        var rate = account is null ? limits.CallsPerAddress : limits.CallsPerAccount;
        return rate == 0 || account == "local" ? RateLimitPartition.GetNoLimiter("")
            : RateLimitPartition.GetTokenBucketLimiter(account is null ? "from " + AddressOf(http) : "by " + account, _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = rate * limits.Burst, TokensPerPeriod = rate, ReplenishmentPeriod = TimeSpan.FromSeconds(1), QueueLimit = 0,
            });
    }

    private static RateLimitPartition<string> PerMinute(string who, int limit) => RateLimitPartition.GetSlidingWindowLimiter(who, _ => new SlidingWindowRateLimiterOptions
    {
        PermitLimit = limit, Window = s_minute, SegmentsPerWindow = 6, QueueLimit = 0,
    });

    // Everything that takes a secret from somebody who is not signed in yet, and the way to the OpenID provider.
    private static bool IsSignIn(HttpRequest request) => request.Path.StartsWithSegments("/account/openid") || HttpMethods.IsPost(request.Method)
        && (request.Path.StartsWithSegments("/account") && !request.Path.StartsWithSegments("/account/logout") || request.Path.StartsWithSegments("/setup")
            || request.Path.StartsWithSegments("/join") || request.Path.StartsWithSegments("/api/v1/session"));

    private static string AddressOf(HttpContext http) => http.Connection.RemoteIpAddress switch
    {
        null => "nowhere",
        { IsIPv4MappedToIPv6: true } mapped => mapped.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } v6 => Convert.ToHexStringLower(v6.GetAddressBytes().AsSpan(0, 8)),
        var v4 => v4.ToString(),
    };

    private static async ValueTask RefuseAsync(OnRejectedContext context)
    {
        var http = context.HttpContext;
        var wait = Math.Max(1, (int)Math.Ceiling((context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : IsSignIn(http.Request) ? s_minute : TimeSpan.FromSeconds(1)).TotalSeconds));
        http.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
        if (http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal) && !http.Request.Path.StartsWithSegments("/api"))
        {
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            http.Response.ContentType = "text/html; charset=utf-8";
            await http.Response.WriteAsync($"<!DOCTYPE html><html lang=\"en\"><title>Too many tries</title><link rel=\"stylesheet\" href=\"/css/tokens.css\"><link rel=\"stylesheet\" href=\"/css/app.css\">"
                + $"<main class=\"plain\"><div class=\"plain-card\"><h1>Too many tries</h1><p>Wait {wait} seconds, then try again.</p><p><a href=\"/login\">To the sign-in</a></p></div></main></html>");
            return;
        }
        await Problems.WriteAsync(http, new Refusal("limit.too-often", "That was asked too often.", $"Wait {wait} seconds."), StatusCodes.Status429TooManyRequests);
    }
}
