// The REST API as tests use it: typed answers, problems as values.
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Contracts.Api;

namespace WebManager.Testing.E2E;

/// <summary>application/problem+json.</summary>
public sealed record Problem(int Status, string? Code, string? Title, string? Detail, string? Field, string? Remedy)
{
    public string Text => $"{Title} {Detail} {Remedy}".Trim();
}

public sealed class ApiException(string message) : Exception(message);

public sealed record Reply(int Status, string Body)
{
    public bool Ok => Status is >= 200 and < 300;
    public T As<T>() => Ok ? JsonSerializer.Deserialize<T>(Body, WireJson.Options)! : throw new ApiException($"{Status}: {Body}");
    public Problem Problem => JsonSerializer.Deserialize<Problem>(Body, WireJson.Options)!;
}

public sealed class Api : IDisposable
{
    private readonly HttpClient _http;

    public Api(Uri portal, string? token)
    {
        _http = new HttpClient { BaseAddress = new Uri(portal, "/api/v1/"), Timeout = TimeSpan.FromSeconds(60) };
        if (token is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public Task<IReadOnlyList<NodeView>> NodesAsync() => GetAsync<IReadOnlyList<NodeView>>("nodes");
    public Task<NodeView> NodeAsync(string name) => GetAsync<NodeView>($"nodes/{name}");
    public Task<IReadOnlyList<InstanceView>> InstancesAsync() => GetAsync<IReadOnlyList<InstanceView>>("instances");
    public Task<InstanceView> InstanceAsync(string name) => GetAsync<InstanceView>($"instances/{name}");
    public Task<IReadOnlyList<JobView>> JobsAsync(int limit = 100) => GetAsync<IReadOnlyList<JobView>>($"jobs?limit={limit}");
    public Task<IReadOnlyList<EventView>> EventsAsync(int limit = 100) => GetAsync<IReadOnlyList<EventView>>($"events?limit={limit}");
    public Task<LabView> LabAsync() => GetAsync<LabView>("lab");
    public Task<LabView> LabAsync(string node, string verb) => PostAsync<LabView>($"lab/nodes/{node}/{verb}");
    public Task<LabView> CutAsync(string node, string? from = null) => PostAsync<LabView>($"lab/nodes/{node}/cut{(from is null ? "" : $"?from={from}")}");
    public Task<LabView> HealAsync() => PostAsync<LabView>("lab/heal");

    /// <summary>The instance, or null when there is none of that name.</summary>
    public async Task<InstanceView?> FindAsync(string name) => (await InstancesAsync()).FirstOrDefault(i => i.Name == name);

    public async Task<long> CreateAsync(CreateInstanceRequest request) => (await SendAsync(HttpMethod.Post, "instances", request)).As<JobAccepted>().Job;
    public async Task<long> ActAsync(string name, string verb, int? timeout = null) =>
        (await SendAsync(HttpMethod.Post, $"instances/{name}/{verb}", new InstanceActionRequest { TimeoutSeconds = timeout })).As<JobAccepted>().Job;
    public async Task<long> RemoveAsync(string name) => (await SendAsync(HttpMethod.Delete, $"instances/{name}")).As<JobAccepted>().Job;

    /// <summary>The ended job; the portal may restart meanwhile.</summary>
    public Task<JobView> EndOfAsync(long job, TimeSpan? limit = null) => Until.SomeAsync(async () =>
        await GetAsync<JobView>($"jobs/{job}/wait?seconds=5") is { Status: "success" or "error" or "canceled" } ended ? ended : null, limit ?? TimeSpan.FromSeconds(60), $"end of job {job}");

    public async Task SucceedsAsync(Task<long> submit, TimeSpan? limit = null)
    {
        var job = await EndOfAsync(await submit, limit);
        if (job.Status != "success") throw new ApiException($"Job {job.Id}, {job.Summary}: {job.Status}: {job.Error} {job.Remedy}\n  {string.Join("\n  ", await LogAsync(job.Id))}");
    }

    public async Task<IReadOnlyList<string>> LogAsync(long job) => [.. (await GetAsync<IReadOnlyList<JobLogLineView>>($"jobs/{job}/log")).Select(l => l.Text)];

    public async Task<T> GetAsync<T>(string path) => (await SendAsync(HttpMethod.Get, path)).As<T>();
    public async Task<T> PostAsync<T>(string path) => (await SendAsync(HttpMethod.Post, path)).As<T>();

    public Task<Reply> SendAsync<T>(HttpMethod method, string path, T body) => SendContentAsync(method, path, JsonContent.Create(body, options: WireJson.Options));
    public Task<Reply> SendJsonAsync(HttpMethod method, string path, string json) => SendContentAsync(method, path, new StringContent(json, Encoding.UTF8, "application/json"));

    public Task<Reply> SendAsync(HttpMethod method, string path) => SendContentAsync(method, path, null);

    private async Task<Reply> SendContentAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var answer = await _http.SendAsync(request);
        return new Reply((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public void Dispose() => _http.Dispose();
}
