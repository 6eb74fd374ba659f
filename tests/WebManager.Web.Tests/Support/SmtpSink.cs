using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace WebManager.Web.Tests.Support;

/// <summary>A mail server that takes every letter and keeps it.</summary>
internal sealed class SmtpSink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Channel<string> _letters = Channel.CreateUnbounded<string>();
    private readonly Task _serving;

    public SmtpSink()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public (string, string)[] Settings => [("Mail:Host", "127.0.0.1"), ("Mail:Port", $"{((IPEndPoint)_listener.LocalEndpoint).Port}"), ("Mail:From", "portal@example.org")];

    public int Waiting => _letters.Reader.Count;

    public async Task<string> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        return await _letters.Reader.ReadAsync(limit.Token);
    }

    private async Task ServeAsync()
    {
        try { while (true) { await TakeAsync(await _listener.AcceptTcpClientAsync()); } }
        catch (Exception ex) when (ex is SocketException or ObjectDisposedException) { }
    }

    private async Task TakeAsync(TcpClient client)
    {
        using var closes = client;
        using var reader = new StreamReader(client.GetStream());
        await using var writer = new StreamWriter(client.GetStream()) { NewLine = "\r\n", AutoFlush = true };
        await writer.WriteLineAsync("220 sink");
        var letter = new List<string>();
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("RCPT TO:", StringComparison.Ordinal)) { letter.Add(line); }
            if (line == "DATA")
            {
                await writer.WriteLineAsync("354 go on");
                while (await reader.ReadLineAsync() is { } text && text != ".") { letter.Add(text); }
                _letters.Writer.TryWrite(string.Join('\n', letter));
                letter.Clear();
            }
            await writer.WriteLineAsync(line == "QUIT" ? "221 bye" : "250 ok");
            if (line == "QUIT") { return; }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
    }
}
