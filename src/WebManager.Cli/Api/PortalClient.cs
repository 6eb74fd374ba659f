// Calls to /api/v1: the record and the exact text that came, or a WmException with the portal's own words.
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace WebManager.Cli.Api;

public sealed record Answer<T>(T Value, string Json);

public sealed class PortalClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly Access _access;
    private readonly string _terms;

    /// <param name="terms">A query that goes with every change.</param>
    public PortalClient(Access access, string terms = "")
    {
        (_access, _terms) = (access, terms);
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            UseProxy = !access.Portal.IsLoopback,
            UseCookies = false,
            AllowAutoRedirect = false,
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri(access.Portal, "api/v1/"), Timeout = TimeSpan.FromSeconds(100) };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("wm", typeof(PortalClient).Assembly.GetName().Version?.ToString(3)));
        if (access.Token is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", access.Token);
    }

    public Task<Answer<T>> GetAsync<T>(string path, JsonTypeInfo<T> reply, CancellationToken ct) => SendAsync(HttpMethod.Get, path, null, reply, ct);

    /// <summary>Copies what comes, of whatever size.</summary>
    public async Task DownloadAsync(string path, Stream to, CancellationToken ct)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, path);
        try
        {
            using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, ct);
            if (!response.IsSuccessStatusCode) throw Refused(response, await response.Content.ReadAsStringAsync(ct));
            await response.Content.CopyToAsync(to, ct);
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw Unreachable(e);
        }
    }

    public Task<Answer<TReply>> PostAsync<TRequest, TReply>(string path, TRequest body, JsonTypeInfo<TRequest> request, JsonTypeInfo<TReply> reply, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, path, JsonSerializer.Serialize(body, request), reply, ct);

    public Task<Answer<TReply>> PatchAsync<TRequest, TReply>(string path, TRequest body, JsonTypeInfo<TRequest> request, JsonTypeInfo<TReply> reply, CancellationToken ct) =>
        SendAsync(HttpMethod.Patch, path, JsonSerializer.Serialize(body, request), reply, ct);

    public Task<Answer<TReply>> PutAsync<TRequest, TReply>(string path, TRequest body, JsonTypeInfo<TRequest> request, JsonTypeInfo<TReply> reply, CancellationToken ct) =>
        SendAsync(HttpMethod.Put, path, JsonSerializer.Serialize(body, request), reply, ct);

    public Task<Answer<T>> PostAsync<T>(string path, JsonTypeInfo<T> reply, CancellationToken ct) => SendAsync(HttpMethod.Post, path, null, reply, ct);

    public async Task PostAsync(string path, CancellationToken ct) => await SendAsync(HttpMethod.Post, path, null, ct);

    public Task<Answer<T>> DeleteAsync<T>(string path, JsonTypeInfo<T> reply, CancellationToken ct) => SendAsync(HttpMethod.Delete, path, null, reply, ct);

    public async Task DeleteAsync(string path, CancellationToken ct) => await SendAsync(HttpMethod.Delete, path, null, ct);

    private async Task<Answer<T>> SendAsync<T>(HttpMethod method, string path, string? body, JsonTypeInfo<T> reply, CancellationToken ct)
    {
        var json = await SendAsync(method, path, body, ct);
        try
        {
            if (JsonSerializer.Deserialize(json, reply) is { } value) return new Answer<T>(value, json);
        }
        catch (JsonException)
        {
            // Falls through: something else than a portal, or a much newer one, answered.
        }
        throw new WmException(ExitCode.Refused, $"What answers at {_access.Portal} does not speak the portal's API.", remedy: "Check the address and port.");
    }

    private async Task<string> SendAsync(HttpMethod method, string path, string? body, CancellationToken ct)
    {
        if (method != HttpMethod.Get && _terms.Length > 0) path += (path.Contains('?', StringComparison.Ordinal) ? '&' : '?') + _terms;
        using var message = new HttpRequestMessage(method, path);
        if (body is not null) message.Content = new StringContent(body, Encoding.UTF8, "application/json");
        try
        {
            using var response = await _http.SendAsync(message, ct);
            var text = await response.Content.ReadAsStringAsync(ct);
            return response.IsSuccessStatusCode ? text : throw Refused(response, text);
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw Unreachable(e);
        }
    }

    private WmException Unreachable(Exception e)
    {
        var why = e is HttpRequestException ? (e.InnerException ?? e).Message : "it did not answer in time";
        return new WmException(ExitCode.Unreachable, $"Cannot reach the portal at {_access.Portal}: {why}.",
            remedy: "Is it running (./run.sh)? Another address: --url or WEBMANAGER_URL.");
    }

    private WmException Refused(HttpResponseMessage response, string text)
    {
        if (ReadProblem(text) is { } p && (p.Detail ?? p.Title) is { } said)
        {
            var remedy = p.Remedy ?? (response.StatusCode == HttpStatusCode.Unauthorized ? SignIn : null);
            return new WmException(ExitCode.Refused, said, p.Field, remedy) { Code = p.Code };
        }
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => new WmException(ExitCode.Refused, _access.Token is null ? "You are not signed in." : "The portal does not accept this token.", remedy: SignIn),
            HttpStatusCode.Forbidden => new WmException(ExitCode.Refused, "You may not do this."),
            HttpStatusCode.NotFound => new WmException(ExitCode.Refused, $"The portal at {_access.Portal} knows nothing under {response.RequestMessage?.RequestUri?.AbsolutePath}."),
            var status => new WmException(ExitCode.Refused, $"The portal answered {(int)status} {response.ReasonPhrase}."),
        };
    }

    private const string SignIn = "Sign in with wm login, or set WEBMANAGER_TOKEN.";

    private static Problem? ReadProblem(string text)
    {
        try
        {
            return text.StartsWith('{') ? JsonSerializer.Deserialize(text, CliJson.Default.Problem) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Dispose() => _http.Dispose();
}
