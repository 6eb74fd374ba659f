// A caller's own address and scheme behind a reverse proxy: only what a configured proxy says is believed.
using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace WebManager.Web.Hosting;

internal static class Proxies
{
    /// <summary>Portal:Proxies: addresses and networks, with semicolons between. Empty: X-Forwarded-For and -Proto mean nothing.</summary>
    public static void UseProxies(this WebApplication app)
    {
        var known = app.Services.GetRequiredService<IOptions<PortalOptions>>().Value.Proxies.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (known.Length == 0) { return; }
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var one in known)
        {
            if (IPAddress.TryParse(one, out var address)) { options.KnownProxies.Add(address); }
            else if (System.Net.IPNetwork.TryParse(one, out var network)) { options.KnownIPNetworks.Add(network); }
            else { throw new InvalidOperationException($"Portal:Proxies: {one} is neither an address nor a network like 10.0.0.0/8."); }
        }
        app.UseForwardedHeaders(options);
    }
}
