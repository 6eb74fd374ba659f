// A portal that answers what a test says, and remembers what it was asked.
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace WebManager.Web.Tests.Cli;

public sealed record Asked(string Method, string Path, string Body, string? Token);

public sealed class FakePortal : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Queue<(int Status, string Body)>> _answers = new();
    private readonly WebApplication _app;

    private FakePortal(WebApplication app) => _app = app;

    public ConcurrentQueue<Asked> Requests { get; } = new();
    public string Url => _app.Urls.First();

    public static async Task<FakePortal> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var portal = new FakePortal(builder.Build());
        portal._app.Run(portal.AnswerAsync);
        await portal._app.StartAsync();
        return portal;
    }

    /// <summary>The answers to "GET /nodes", one after the other; the last one stays.</summary>
    public FakePortal On(string request, int status, params string[] bodies)
    {
        _answers[request] = new Queue<(int, string)>(bodies.Select(b => (status, b)));
        return this;
    }

    private async Task AnswerAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var path = http.Request.Path.Value!["/api/v1".Length..];
        Requests.Enqueue(new Asked(http.Request.Method, path + http.Request.QueryString, await reader.ReadToEndAsync(), http.Request.Headers.Authorization.ToString() is { Length: > 0 } t ? t : null));
        if (!_answers.TryGetValue($"{http.Request.Method} {path}", out var queue))
        {
            http.Response.StatusCode = 404;
            return;
        }
        var (status, body) = queue.Count > 1 ? queue.Dequeue() : queue.Peek();
        http.Response.StatusCode = status;
        http.Response.ContentType = status < 400 ? "application/json" : "application/problem+json";
        await http.Response.WriteAsync(body);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
