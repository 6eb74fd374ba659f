// One HTTP connection's worth of calls to a node, replaced as a whole when it fails.
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using WebManager.Web.Hosting;

namespace WebManager.Web.Nodes;

/// <summary>
/// A broken HTTP/2 connection can swallow every call until TCP gives up. So a call that got no answer retires the lane's handler: the
/// next call connects anew, calls still under way keep the old one until they end. A connection that is only just being made is given
/// some time beyond its first call, otherwise a slow handshake would be begun again and again and never end.
/// </summary>
internal sealed class Lane(Func<SocketsHttpHandler> make, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan s_handshake = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private Held? _current;
    private bool _disposed;

    /// <summary>The handler for one call; dispose when that has ended.</summary>
    public Use Take()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _current ??= new Held(make(), time.GetTimestamp());
            _current.Users++;
            return new Use(this, _current);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            RetireCurrent();
        }
    }

    private void Retire(Held held)
    {
        lock (_gate)
        {
            if (_current == held && (held.Answered || time.GetElapsedTime(held.Since) > s_handshake)) { RetireCurrent(); }
        }
    }

    private void RetireCurrent()
    {
        if (_current is { Users: 0 } idle) { idle.Http.Dispose(); }
        _current = null;
    }

    private void Release(Held held)
    {
        lock (_gate)
        {
            if (--held.Users == 0 && held != _current) { held.Http.Dispose(); }
        }
    }

    private sealed class Held(SocketsHttpHandler handler, long since)
    {
        public long Since => since;
        public volatile bool Answered;
        public HttpMessageInvoker Http { get; } = new(handler);
        public int Users;
    }

    public readonly struct Use : IDisposable
    {
        private readonly Lane _lane;
        private readonly Held _held;

        internal Use(Lane lane, object held) => (_lane, _held) = (lane, (Held)held);

        public HttpMessageInvoker Http => _held.Http;
        public void Answered() => _held.Answered = true;
        public void Retire() => _lane.Retire(_held);
        public void Dispose() => _lane.Release(_held);
    }
}

internal static class NodeHandlers
{
    /// <summary>Shows the engine's certificate, accepts only that node's.</summary>
    public static SocketsHttpHandler Make(string node, ClusterAuthority authority, ILogger log) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(3),
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
        // Notices a connection that was cut silently while a long call or the event stream waits on it.
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        KeepAlivePingDelay = TimeSpan.FromSeconds(2),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(2),
        SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificateContext = authority.EngineContext,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => IsNode(node, certificate, authority, log),
        },
    };

    private static bool IsNode(string node, X509Certificate? certificate, ClusterAuthority authority, ILogger log)
    {
        if (authority.WrongNode(node, certificate) is not { } why) { return true; }
        log.WrongCertificate(node, why);
        return false;
    }
}
