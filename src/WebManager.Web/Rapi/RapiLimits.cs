// How often, on this port: the same figures as on the portal's (section Limits).
using System.Net.Sockets;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using WebManager.Web.Hosting;
using WebManager.Web.Identity;

namespace WebManager.Web.Rapi;

internal sealed class RapiLimits : IDisposable
{
    private readonly PartitionedRateLimiter<string> _tries, _names, _calls;

    public RapiLimits(IOptions<LimitOptions> options)
    {
        var limits = options.Value;
        _tries = PartitionedRateLimiter.Create<string, string>(address => PerMinute(address, limits.SignInsPerAddress));
        _names = PartitionedRateLimiter.Create<string, string>(name => PerMinute(name, limits.SignInsPerName));
        _calls = PartitionedRateLimiter.Create<string, string>(account => limits.CallsPerAccount == 0 ? RateLimitPartition.GetNoLimiter(account)
            : RateLimitPartition.GetTokenBucketLimiter(account, _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = limits.CallsPerAccount * limits.Burst, TokensPerPeriod = limits.CallsPerAccount, ReplenishmentPeriod = TimeSpan.FromSeconds(1), QueueLimit = 0,
            }));
    }

    /// <summary>Before a password is looked at.</summary>
    public void CountTry(HttpContext http, string name)
    {
        Take(_tries, AddressOf(http), 60, http);
        Take(_names, name.Trim().ToUpperInvariant(), 60, http);
    }

    /// <summary>The host's own token is not limited: who has it has the portal's files.</summary>
    public void Count(HttpContext http, ClaimsPrincipal who)
    {
        var account = who.FindFirstValue(ClaimTypes.NameIdentifier) ?? "";
        if (account != ApiTokens.LocalUser) { Take(_calls, account, 1, http); }
    }

    private static void Take(PartitionedRateLimiter<string> limiter, string key, int wait, HttpContext http)
    {
        using var lease = limiter.AttemptAcquire(key);
        if (lease.IsAcquired) { return; }
        http.Response.Headers.RetryAfter = wait.ToString(System.Globalization.CultureInfo.InvariantCulture);
        throw new RapiError(429, $"That was asked too often. Wait {wait} seconds.");
    }

    private static RateLimitPartition<string> PerMinute(string key, int limit) => limit == 0 ? RateLimitPartition.GetNoLimiter(key)
        : RateLimitPartition.GetSlidingWindowLimiter(key, _ => new SlidingWindowRateLimiterOptions { PermitLimit = limit, Window = TimeSpan.FromMinutes(1), SegmentsPerWindow = 6, QueueLimit = 0 });

    private static string AddressOf(HttpContext http) => http.Connection.RemoteIpAddress switch
    {
        null => "nowhere",
        { IsIPv4MappedToIPv6: true } mapped => mapped.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } v6 => Convert.ToHexStringLower(v6.GetAddressBytes().AsSpan(0, 8)),
        var v4 => v4.ToString(),
    };

    public void Dispose()
    {
        _tries.Dispose();
        _names.Dispose();
        _calls.Dispose();
    }
}
