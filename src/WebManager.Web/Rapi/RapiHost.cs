// Ganeti's remote API on a port of its own: a second Kestrel in this process, so that nothing of the portal is reachable there and nothing of it here.
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using WebManager.Web.Data;
using WebManager.Web.Nodes;

namespace WebManager.Web.Rapi;

/// <summary>Address is known once it has started; null when the port could not be had, which the log says.</summary>
public sealed class RapiHost : IHostedService
{
    private readonly RapiOptions _options;
    private readonly RapiServer _server;
    private readonly ClusterAuthority _authority;
    private readonly DataFolder _folder;
    private readonly ILogger<RapiHost> _log;
    private WebApplication? _app;
    private X509Certificate2? _certificate;

    internal RapiHost(IOptions<RapiOptions> options, RapiServer server, ClusterAuthority authority, DataFolder folder, ILogger<RapiHost> log) =>
        (_options, _server, _authority, _folder, _log) = (options.Value, server, authority, folder, log);

    public Uri? Address { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!_options.Enabled) { return; }
        _certificate = _authority.RapiCertificate(_folder, ["localhost", "127.0.0.1", "::1", Dns.GetHostName(), .. Parts(_options.Names)]);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrel(Listen);
        var app = builder.Build();
        app.Run(_server.AnswerAsync);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception ex) when (ex is IOException or SocketException)
        {
            // Two portals on one machine: the other one has it. This one is of use without.
            _log.RapiNotServed(_options.Port, ex.Message);
            await app.DisposeAsync();
            return;
        }
        _app = app;
        var port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First().Replace("[::]", "127.0.0.1", StringComparison.Ordinal)).Port;
        Address = new Uri($"https://localhost:{port}/");
        _log.RapiServed(Address);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_app is { } app)
        {
            _app = null;
            await app.StopAsync(cancellationToken);
            await app.DisposeAsync();
        }
        _certificate?.Dispose();
    }

    private void Listen(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = RapiCall.LargestBody;
        void Endpoint(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(_certificate!);
        }
        var addresses = Parts(_options.Addresses);
        // "localhost" is both loopback addresses, but not with a port chosen by the system.
        if (addresses.Length == 0 && _options.Port != 0) { kestrel.ListenLocalhost(_options.Port, Endpoint); }
        else if (addresses.Length == 0) { kestrel.Listen(IPAddress.Loopback, 0, Endpoint); }
        else if (addresses is ["*"]) { kestrel.ListenAnyIP(_options.Port, Endpoint); }
        else { foreach (var address in addresses) { kestrel.Listen(IPAddress.Parse(address), _options.Port, Endpoint); } }
    }

    private static string[] Parts(string text) => text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
