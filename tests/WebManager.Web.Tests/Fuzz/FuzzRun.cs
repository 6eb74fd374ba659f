using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace WebManager.Web.Tests.Fuzz;

/// <summary>What a run found: each fault with the number of the request that shows it. Answers: how many of each status came.</summary>
public sealed record FuzzReport(int Requests, int Routes, IReadOnlyList<string> Faults, IReadOnlyDictionary<int, int> Answers);

/// <summary>
/// Random and mutated requests to every route of a running portal, by seed. First by nobody and with tokens that are none, then by a user without
/// rights: nothing may change. Then by an administrator as well. No answer may be a fault of the portal or show its inside.
/// </summary>
public sealed partial class FuzzRun
{
    private const int AtOnce = 4, LongestBody = 1 << 20;
    private readonly int _seed;
    private readonly FuzzPortal _portal;
    private readonly FuzzRoutes _routes;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, MaxConnectionsPerServer = AtOnce }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly ConcurrentDictionary<string, string> _faults = new();
    private readonly ConcurrentDictionary<int, int> _answers = new();
    private string _userToken;

    private enum Who { Nobody, Stranger, User, Administrator }

    private FuzzRun(int seed, FuzzPortal portal, FuzzRoutes routes, string userToken) => (_seed, _portal, _routes, _userToken) = (seed, portal, routes, userToken);

    public static async Task<FuzzReport> GoAsync(int count, int seed, int? only = null, Action<string>? say = null)
    {
        using var portal = await FuzzPortal.StartAsync();
        using var admin = portal.Portal.Api(portal.AdminToken);
        var routes = await FuzzRoutes.OfAsync(portal.Portal, admin);
        var run = new FuzzRun(seed, portal, routes, await portal.NewUserTokenAsync());
        if (only is { } one) { await run.OneAsync(one, WhoOf(one, count, seed), say); }
        else { await run.AllAsync(count); }
        run._http.Dispose();
        return new FuzzReport(count, routes.All.Count, [.. run._faults.Select(f => $"{f.Key}: {f.Value}").Order(StringComparer.Ordinal)], run._answers);
    }

    private async Task AllAsync(int count)
    {
        var before = await _portal.PictureAsync(people: true);
        await PartAsync(0, count / 4, count);
        Same(before, await _portal.PictureAsync(people: true), "nobody and strangers");
        before = await _portal.PictureAsync(people: false);
        await PartAsync(count / 4, count / 2, count);
        Same(before, await _portal.PictureAsync(people: false), "a user without rights");
        await PartAsync(count / 2, count, count);
    }

    private static Who WhoOf(int number, int count, int seed) =>
        number < count / 4 ? (number % 2 == 0 ? Who.Nobody : Who.Stranger)
        : number < count / 2 ? Who.User
        : new Random(HashCode.Combine(seed, number, 7)).Next(10) switch { 0 => Who.Nobody, 1 => Who.Stranger, 2 or 3 => Who.User, _ => Who.Administrator };

    private Task PartAsync(int from, int to, int count) => Parallel.ForEachAsync(Enumerable.Range(from, to - from), new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
        async (number, _) => await OneAsync(number, WhoOf(number, count, _seed), null));

    private async Task OneAsync(int number, Who who, Action<string>? say)
    {
        var random = new Random(unchecked(_seed * 1_000_003 + number));
        var route = _routes.All[number % _routes.All.Count];   // each of them gets its share
        var token = who switch { Who.Nobody => null, Who.Stranger => "no-such-token", Who.User => _userToken, Who.Administrator => _portal.AdminToken, _ => null };
        HttpRequestMessage request;
        try { request = new FuzzMaker(random, _routes).Make(_portal.Portal.Address, route); }
        catch (UriFormatException) { return; }
        using (request)
        {
            FuzzMaker.Sign(request, token);
            say?.Invoke($"{request}\n{(request.Content is null ? "" : await request.Content.ReadAsStringAsync())}");
            try { await AskAsync(number, route, who, request, say); }
            catch (TaskCanceledException) when (route.Template.EndsWith("/wait", StringComparison.Ordinal)) { }   // it waits for a job that goes on: that is what it is for
            catch (HttpRequestException ex) when (ex.InnerException is IOException or HttpProtocolException || ex.HttpRequestError != HttpRequestError.Unknown) { Fault(route, who, number, "the connection broke: " + ex.Message); }
            catch (HttpRequestException) { }   // a request that the client itself does not send
            catch (OperationCanceledException) { Fault(route, who, number, "no answer in 30 s"); }
        }
    }

    private async Task AskAsync(int number, FuzzRoute route, Who who, HttpRequestMessage request, Action<string>? say)
    {
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var text = await ReadAsync(answer);
        say?.Invoke($"{(int)answer.StatusCode} {answer.Content.Headers.ContentType}\n{text[..Math.Min(text.Length, 2000)]}");
        var status = (int)answer.StatusCode;
        _answers.AddOrUpdate(status, 1, (_, n) => n + 1);
        if (Inside().Match(text) is { Success: true } inside) { Fault(route, who, number, $"{status} shows the inside: {inside.Value}"); }
        if (answer.Headers.Contains("X-Injected")) { Fault(route, who, number, "a header was injected"); }
        var api = request.RequestUri!.AbsolutePath.StartsWith("/api/v1", StringComparison.OrdinalIgnoreCase) && route.IsApi;
        if (status >= 500 && !(status == 503 && (CodeOf(text) is not null || route.Template == "/healthz"))) { Fault(route, who, number, $"answers {status}: {text[..Math.Min(text.Length, 200)]}"); }
        // What is no HTTP, or too long, the web server refuses by itself and hangs up: the portal never sees it.
        var unseen = status is 400 or 414 or 431 && text.Length == 0 && answer.Headers.ConnectionClose == true;
        if (api && status >= 400 && request.Method != HttpMethod.Head && !unseen)
        {
            if (answer.Content.Headers.ContentType?.MediaType != "application/problem+json" || CodeOf(text) is null) { Fault(route, who, number, $"{status} without a problem: {answer.Content.Headers.ContentType} {text[..Math.Min(text.Length, 120)]}"); }
        }
        if (api && who is Who.Nobody or Who.Stranger && status is >= 200 and < 300 && !route.Template.StartsWith("/api/v1/session", StringComparison.Ordinal) && api && request.Method != HttpMethod.Options) { Fault(route, who, number, $"{status} without sign-in"); }
        if (who == Who.User && status == 401) { _userToken = await _portal.NewUserTokenAsync(); }
    }

    private static async Task<string> ReadAsync(HttpResponseMessage answer)
    {
        await using var body = await answer.Content.ReadAsStreamAsync();
        var bytes = new byte[LongestBody];
        var got = await body.ReadAtLeastAsync(bytes, LongestBody, throwOnEndOfStream: false);
        // A backup is not text: what looks like a trace in it is chance.
        return answer.Content.Headers.ContentType?.MediaType == "application/gzip" ? "" : System.Text.Encoding.UTF8.GetString(bytes, 0, got);
    }

    private static string? CodeOf(string text)
    {
        try { return (string?)JsonNode.Parse(text)?["code"]; }
        catch (Exception ex) when (ex is JsonException or InvalidOperationException) { return null; }
    }

    // One example of each kind is enough.
    private void Fault(FuzzRoute route, Who who, int number, string what) => _faults.TryAdd($"{route.Name} {what[..Math.Min(what.Length, 40)]}", $"request {number} by {who}: {what}");

    private void Same(string before, string after, string who)
    {
        if (before == after) { return; }
        var (old, now) = (before.Split('\n'), after.Split('\n'));
        _faults.TryAdd($"changed by {who}", string.Join('\n', now.Except(old).Take(5).Concat(old.Except(now).Take(5).Select(l => "was: " + l)).Select(l => l[..Math.Min(l.Length, 600)])));
    }

    [GeneratedRegex(@"^\s+at [\w.<>`]+\(.*\)|\.cs:line \d+|\bSystem\.\w+(\.\w+)*Exception\b|Microsoft\.\w+\.\w+|SqliteException|SQLite Error", RegexOptions.Multiline)]
    private static partial Regex Inside();
}
