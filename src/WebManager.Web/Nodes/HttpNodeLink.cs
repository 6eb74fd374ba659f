// Calls one agent.
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Ports;
using WebManager.Web.Hosting;

namespace WebManager.Web.Nodes;

/// <summary>Beats, other calls and the event stream each have their own connection, so that none waits for another.</summary>
internal sealed class HttpNodeLink : INodeLink, IFileLink, IDisposable
{
    private readonly string _node;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lane _beats, _calls, _events;

    public HttpNodeLink(string node, string address, ClusterAuthority authority, TimeProvider time, ILogger log)
    {
        (_node, Address, _time, _log) = (node, address, time, log);
        Lane New() => new(() => NodeHandlers.Make(node, authority, log), time);
        (_beats, _calls, _events) = (New(), New(), New());
    }

    public string Address { get; }

    public Task<Outcome<TReply>> CallAsync<TReply>(IAgentCall<TReply> call, TimeSpan limit, CancellationToken ct)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(call, call.GetType(), WireJson.Options));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return SendAsync(call is BeatRequest ? _beats : _calls, HttpMethod.Post, call.Path, content, ReadAsync<TReply>, limit, ct);
    }

    /// <summary>PUTs a file's bytes.</summary>
    public async Task<Outcome<Done>> PutFileAsync(string path, string file, TimeSpan limit, CancellationToken ct)
    {
        await using var bytes = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: true);
        return await SendAsync(_calls, HttpMethod.Put, path, new StreamContent(bytes), (_, _) => Task.FromResult<Outcome<Done>>(Done.Value), limit, ct);
    }

    public async IAsyncEnumerable<AgentEvent> EventsAsync([EnumeratorCancellation] CancellationToken ct)
    {
        using var lane = _events.Take();
        using var request = Request(HttpMethod.Get, "/v1/events", null);
        using var response = await OpenAsync(lane, request, ct);
        if (response is null) { yield break; }
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        await using var items = SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize<AgentEvent>(data, WireJson.Options)!).EnumerateAsync(ct).GetAsyncEnumerator(ct);
        while (await NextAsync(lane, items))
        {
            if (items.Current.Data is { } happened) { yield return happened; }
        }
    }

    public void Dispose()
    {
        _beats.Dispose();
        _calls.Dispose();
        _events.Dispose();
    }

    private async Task<Outcome<TReply>> SendAsync<TReply>(Lane lane, HttpMethod method, string path, HttpContent content,
        Func<HttpResponseMessage, CancellationToken, Task<Outcome<TReply>>> read, TimeSpan limit, CancellationToken ct)
    {
        using var request = Request(method, path, content);
        using var time = new CancellationTokenSource(limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, ct);
        Lane.Use use;
        try { use = lane.Take(); }
        catch (ObjectDisposedException) { return Unreachable(path, "the link was closed"); }
        using (use)
        {
            try
            {
                using var response = await use.Http.SendAsync(request, either.Token);
                use.Answered();
                return response.StatusCode switch
                {
                    >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => await read(response, either.Token),
                    HttpStatusCode.Conflict or HttpStatusCode.InsufficientStorage => await RefusalAsync(response, either.Token),
                    var other => new Refusal("node.wrong-answer", $"Node {_node} answered {path} with status {(int)other}.", "Its agent's log says why."),
                };
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                use.Retire();
                return Unreachable(path, $"no answer within {limit.TotalSeconds:0.#} s");
            }
            catch (Exception ex) when (ex is HttpRequestException or IOException)
            {
                use.Retire();
                return Unreachable(path, ex.InnerException?.Message ?? ex.Message);
            }
            catch (JsonException ex)
            {
                return new Refusal("node.wrong-answer", $"Node {_node} answered {path} with something else than was asked: {ex.Message}", "Is its agent of another version?");
            }
        }
    }

    private async Task<HttpResponseMessage?> OpenAsync(Lane.Use lane, HttpRequestMessage request, CancellationToken ct)
    {
        try
        {
            var response = await lane.Http.SendAsync(request, ct);
            lane.Answered();
            if (response.IsSuccessStatusCode) { return response; }
            response.Dispose();
        }
        catch (Exception ex) when (ex is HttpRequestException or IOException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            Unreachable("/v1/events", ex.Message);
        }
        lane.Retire();
        return null;
    }

    private static async Task<bool> NextAsync(Lane.Use lane, IAsyncEnumerator<SseItem<AgentEvent>> items)
    {
        try { return await items.MoveNextAsync(); }
        catch (Exception ex) when (ex is HttpRequestException or IOException or JsonException)
        {
            lane.Retire();
            return false;
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, HttpContent? content) => new(method, $"https://{Address}{path}")
    {
        Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content,
    };

    private static async Task<Outcome<TReply>> ReadAsync<TReply>(HttpResponseMessage response, CancellationToken ct)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        return await JsonSerializer.DeserializeAsync<TReply>(stream, WireJson.Options, ct) ?? throw new JsonException("The answer is null.");
    }

    private static async Task<Refusal> RefusalAsync(HttpResponseMessage response, CancellationToken ct)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        return await JsonSerializer.DeserializeAsync<Refusal>(stream, WireJson.Options, ct) ?? throw new JsonException("The refusal is null.");
    }

    private Refusal Unreachable(string path, string why)
    {
        _log.NodeUnreachable(_node, path, why);
        return new Refusal("node.unreachable", $"Node {_node} did not answer: {why}.", "See whether the node and its agent run.");
    }
}
