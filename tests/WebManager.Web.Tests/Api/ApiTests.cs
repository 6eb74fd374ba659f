using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Support;
using Xunit;

namespace WebManager.Web.Tests.Api;

public sealed class ApiTests(ApiTests.Portal shared) : IClassFixture<ApiTests.Portal>
{
    public sealed class Portal : IDisposable
    {
        public TestPortal Test { get; } = new();
        public void Dispose() => Test.Dispose();
    }

    private readonly TestPortal _portal = shared.Test;

    [Theory]
    [InlineData("""{"name":"web1","image":"x","vcpus":1,"memoryMiB":"lots","template":"file","disksMiB":[1]}""", 400, "request.invalid-json", "memoryMiB")]
    [InlineData("""{"name":"web1","image":"x","vcpus":1,"memoryMiB":99999999999999999999,"template":"file","disksMiB":[1]}""", 400, "request.invalid-json", "memoryMiB")]
    [InlineData("""{"name":"web1","image":"x","vcpus":1,"memoryMiB":1,"template":"file","disksMiB":[1],"colour":"red"}""", 400, "request.invalid-json", "colour")]
    [InlineData("""{"name":"web1","vcpus":1,"memoryMiB":1,"template":"file","disksMiB":[1]}""", 400, "request.invalid-json", "image")]
    [InlineData("""{"name":null,"image":"x","vcpus":1,"memoryMiB":1,"template":"file","disksMiB":[1]}""", 400, "request.invalid-json", "name")]
    [InlineData("""{"name":""", 400, "request.invalid-json", "name")]
    [InlineData("""{"name":"web1","image":"x","vcpus":1,"memoryMiB":1,"template":"tape","disksMiB":[1]}""", 422, "instance.template-unknown", "template")]
    [InlineData("""{"name":"Web 1","image":"x","vcpus":1,"memoryMiB":1,"template":"file","disksMiB":[1]}""", 422, "name.invalid", "name")]
    [InlineData("""{"name":"web1","image":"x","vcpus":1,"memoryMiB":1,"template":"file","disksMiB":[1]}""", 422, "image.unknown", "image")]
    public async Task Bad_requests_name_the_field(string body, int status, string code, string? field)
    {
        using var api = _portal.Api();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        await AssertProblemAsync(await api.PostAsync("/api/v1/instances", content), status, code, field);
    }

    [Theory]
    [InlineData("GET", "/api/v1/instances/nope", "instance.not-found")]
    [InlineData("POST", "/api/v1/instances/nope/start", "instance.unknown")]
    [InlineData("DELETE", "/api/v1/instances/nope", "instance.unknown")]
    [InlineData("GET", "/api/v1/instances/nope/serial", "instance.not-found")]
    [InlineData("GET", "/api/v1/nodes/nope", "node.not-found")]
    [InlineData("DELETE", "/api/v1/nodes/nope", "node.unknown")]
    [InlineData("PATCH", "/api/v1/instances/nope", "instance.unknown")]
    [InlineData("PATCH", "/api/v1/nodes/nope", "node.unknown")]
    [InlineData("POST", "/api/v1/nodes/nope/power-off", "node.unknown")]
    [InlineData("POST", "/api/v1/nodes/nope/maintenance", "node.unknown")]
    [InlineData("POST", "/api/v1/nodes/nope/restart-agent", "node.unknown")]
    [InlineData("GET", "/api/v1/nodes/nope/maintenance", "node.not-found")]
    [InlineData("GET", "/api/v1/groups/nope", "group.not-found")]
    [InlineData("DELETE", "/api/v1/groups/nope", "group.unknown")]
    [InlineData("PATCH", "/api/v1/groups/nope", "group.unknown")]
    [InlineData("GET", "/api/v1/nodes/nope/tags", "node.not-found")]
    [InlineData("GET", "/api/v1/jobs/12345", "job.not-found")]
    [InlineData("GET", "/api/v1/jobs/12345/wait?seconds=1", "job.not-found")]
    [InlineData("GET", "/api/v1/nothing", "route.not-found")]
    public async Task What_is_not_there_is_404(string method, string path, string code)
    {
        using var api = _portal.Api();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST" && path.EndsWith("maintenance", StringComparison.Ordinal)) { request.Content = JsonContent.Create(new { on = true }); }
        if (method == "PATCH" || path.EndsWith("power-off", StringComparison.Ordinal)) { request.Content = JsonContent.Create(method == "PATCH" ? (object)new { reason = "test" } : new { confirm = "nope" }); }
        await AssertProblemAsync(await api.SendAsync(request), 404, code, code.EndsWith(".unknown", StringComparison.Ordinal) ? "name" : null);
    }

    [Fact]
    public async Task Other_sites_cannot_use_the_portal_through_a_browser()
    {
        using var api = _portal.Api();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/instances/web1/start");
        request.Headers.Add("Origin", "http://localhost:1");
        Assert.Equal(HttpStatusCode.Forbidden, (await api.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task The_description_lists_every_route()
    {
        using var api = _portal.Api();
        var paths = (await api.GetFromJsonAsync<JsonObject>("/openapi/v1.json"))!["paths"]!.AsObject().Select(p => p.Key).ToList();
        string[] wanted = ["/api/v1/session", "/api/v1/cluster", "/api/v1/nodes", "/api/v1/nodes/{name}", "/api/v1/instances", "/api/v1/instances/{name}",
            "/api/v1/instances/{name}/start", "/api/v1/instances/{name}/stop", "/api/v1/instances/{name}/reboot", "/api/v1/instances/{name}/failover",
            "/api/v1/instances/{name}/resync", "/api/v1/instances/{name}/migrate", "/api/v1/instances/{name}/confirm", "/api/v1/backup", "/api/v1/audit", "/api/v1/audit/export", "/api/v1/audit/verify", "/api/v1/instances/{name}/serial", "/api/v1/jobs", "/api/v1/jobs/{id}", "/api/v1/jobs/{id}/wait",
            "/api/v1/jobs/{id}/log", "/api/v1/events", "/api/v1/images", "/api/v1/cluster/unfreeze", "/api/v1/nodes/{name}/power-off", "/api/v1/nodes/{name}/maintenance", "/api/v1/nodes/{name}/restart-agent",
            "/api/v1/groups", "/api/v1/groups/{name}", "/api/v1/groups/{name}/rename", "/api/v1/groups/{name}/assign-nodes", "/api/v1/cluster/tags", "/api/v1/cluster/add-tags", "/api/v1/nodes/{name}/tags", "/api/v1/nodes/{name}/remove-tags",
            "/api/v1/templates", "/api/v1/templates/{name}", "/api/v1/templates/{name}/copy", "/api/v1/templates/from-instance"];
        Assert.Empty(wanted.Except(paths.Select(p => p.TrimEnd('/'))));
    }

    [Fact]
    public async Task The_hub_sends_a_picture_first()
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {_portal.LocalToken}");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await socket.ConnectAsync(new Uri($"ws://{_portal.Address.Authority}/hubs/cluster"), limit.Token);
        await SendAsync("""{"protocol":"json","version":1}""");
        await SendAsync("""{"type":4,"invocationId":"1","target":"Follow","arguments":[]}""");
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        while (!text.ToString().Contains("\"type\":2", StringComparison.Ordinal))
        {
            var got = await socket.ReceiveAsync(buffer, limit.Token);
            text.Append(Encoding.UTF8.GetString(buffer, 0, got.Count));
        }
        Assert.Contains("\"snapshot\":true", text.ToString(), StringComparison.Ordinal);
        async Task SendAsync(string frame) => await socket.SendAsync(Encoding.UTF8.GetBytes(frame + '\u001e'), WebSocketMessageType.Text, true, limit.Token);
    }

    [Theory]
    [InlineData("PATCH", "cluster", "{}", 409, "cluster.nothing-to-change", null)]
    [InlineData("PATCH", "cluster", """{"autoRecover":"maybe"}""", 400, "request.invalid-json", "autoRecover")]
    [InlineData("PATCH", "cluster", """{"replaceAfterSeconds":-1}""", 422, "replace.time-invalid", "replaceAfterSeconds")]
    [InlineData("POST", "instances/web1/replace-secondary", """{"secondary":3}""", 400, "request.invalid-json", "secondary")]
    [InlineData("POST", "instances/web1/replace-secondary", "{}", 404, "instance.unknown", "name")]
    [InlineData("POST", "nodes/n1/maintenance", """{"return":true}""", 400, "request.invalid-json", "on")]
    [InlineData("POST", "nodes/n1/restart-agent", """{"timeoutSeconds":"soon"}""", 400, "request.invalid-json", "timeoutSeconds")]
    [InlineData("POST", "nodes/n9/restart-agent", """{"timeoutSeconds":10}""", 404, "node.unknown", "name")]
    [InlineData("POST", "nodes/n1/maintenance", """{"on":"maybe"}""", 400, "request.invalid-json", "on")]
    [InlineData("POST", "cluster/unfreeze", "{}", 409, "recovery.not-frozen", null)]
    [InlineData("PATCH", "instances/web1", """{"priority":"urgent"}""", 422, "instance.priority-unknown", "priority")]
    [InlineData("PATCH", "instances/web1", """{"priority":"7"}""", 422, "instance.priority-unknown", "priority")]
    [InlineData("POST", "groups", """{"name":"West Wing"}""", 422, "name.invalid", "name")]
    [InlineData("POST", "groups", """{"name":"default"}""", 409, "group.exists", "name")]
    [InlineData("DELETE", "groups/default", "{}", 422, "group.last", "name")]
    [InlineData("PATCH", "groups/default", "{}", 409, "group.nothing-to-change", null)]
    [InlineData("POST", "groups/default/rename", """{"newName":"-"}""", 422, "name.invalid", "newName")]
    [InlineData("POST", "groups/default/assign-nodes", """{"nodes":["n9"]}""", 422, "node.unknown", "nodes")]
    [InlineData("POST", "cluster/add-tags", """{"tags":["a b"]}""", 422, "tag.invalid", "tags")]
    [InlineData("POST", "cluster/add-tags", """{"tags":["a",null]}""", 400, "request.invalid-json", "tags")]
    [InlineData("POST", "debug/delay", """{"seconds":1,"shared":null}""", 400, "request.invalid-json", "shared")]
    [InlineData("POST", "instances", """{"name":"web1","image":"x","vcpus":1,"memoryMiB":1,"template":"file","disksMiB":[1],"osParams":{"a":null}}""", 400, "request.invalid-json", "osParams")]
    [InlineData("POST", "cluster/remove-tags", """{"tags":["a"]}""", 422, "tag.absent", "tags")]
    [InlineData("POST", "nodes/n1/add-tags", "{}", 400, "request.invalid-json", "tags")]
    [InlineData("PATCH", "nodes/n1", """{"offline":1}""", 400, "request.invalid-json", "offline")]
    [InlineData("POST", "nodes/n1/power-off", "{}", 400, "request.invalid-json", "confirm")]
    public async Task Bad_changes_of_recovery_name_the_field(string method, string path, string body, int status, string code, string? field)
    {
        using var api = _portal.Api();
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1/" + path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        await AssertProblemAsync(await api.SendAsync(request), status, code, field);
    }

    [Fact]
    public async Task Recovery_is_switched_for_the_cluster_and_audited()
    {
        using var portal = new TestPortal();
        using var api = portal.Api();
        var accepted = await (await api.PatchAsJsonAsync("/api/v1/cluster", new ModifyClusterRequest { AutoRecover = false, Reason = "maintenance" }, WireJson.Options)).Content.ReadFromJsonAsync<JobAccepted>(WireJson.Options);
        var ended = await api.GetFromJsonAsync<JobView>($"/api/v1/jobs/{accepted!.Job}/wait?seconds=10", WireJson.Options);
        Assert.Equal(("cluster.modify", "cluster.modify cluster", "success"), (ended!.Operation, ended.Summary, ended.Status));
        Assert.False((await api.GetFromJsonAsync<ClusterView>("/api/v1/cluster", WireJson.Options))!.AutoRecover);
    }

    [Fact]
    public async Task Groups_are_made_switched_and_tags_kept()
    {
        using var portal = new TestPortal();
        using var api = portal.Api();
        async Task DoAsync(HttpMethod method, string path, object body)
        {
            using var request = new HttpRequestMessage(method, "/api/v1/" + path) { Content = JsonContent.Create(body) };
            var accepted = await (await api.SendAsync(request)).Content.ReadFromJsonAsync<JobAccepted>(WireJson.Options);
            Assert.Equal("success", (await api.GetFromJsonAsync<JobView>($"/api/v1/jobs/{accepted!.Job}/wait?seconds=10", WireJson.Options))!.Status);
        }
        await DoAsync(HttpMethod.Post, "groups", new { name = "west" });
        await DoAsync(HttpMethod.Patch, "groups/west", new { autoRecover = false });
        await DoAsync(HttpMethod.Post, "cluster/add-tags", new { tags = new[] { "htools:nlocation:rack" } });
        var groups = (await api.GetFromJsonAsync<GroupView[]>("/api/v1/groups", WireJson.Options))!;
        Assert.Equal([("default", true), ("west", false)], groups.Select(g => (g.Name, g.AutoRecover)));
        Assert.Equal(["htools:nlocation:rack"], (await api.GetFromJsonAsync<string[]>("/api/v1/cluster/tags", WireJson.Options))!);
        await DoAsync(HttpMethod.Delete, "groups/west", new { });
        Assert.Equal("default", Assert.Single((await api.GetFromJsonAsync<GroupView[]>("/api/v1/groups", WireJson.Options))!).Name);
    }

    [Fact]
    public async Task A_job_can_be_waited_for_and_read()
    {
        using var api = _portal.Api();
        using var portal = new TestPortal();
        using var other = portal.Api();
        var joined = await Joins.JoinAsync(portal, other, "n1", "127.0.0.1:9");
        Assert.Equal(HttpStatusCode.OK, joined.StatusCode);
        var job = (await other.GetFromJsonAsync<List<JobView>>("/api/v1/jobs", WireJson.Options))!.Single();
        var ended = await other.GetFromJsonAsync<JobView>($"/api/v1/jobs/{job.Id}/wait?seconds=10", WireJson.Options);
        Assert.Equal(("node.add", "success", "local"), (ended!.Operation, ended.Status, ended.By));
        Assert.NotEmpty((await other.GetFromJsonAsync<List<JobLogLineView>>($"/api/v1/jobs/{job.Id}/log", WireJson.Options))!);
        Assert.Equal("joining", (await other.GetFromJsonAsync<NodeView>("/api/v1/nodes/n1", WireJson.Options))!.Health);
        using var anyone = new HttpClient { BaseAddress = portal.Address };
        var health = await anyone.GetAsync("/healthz");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "n1 is joining\n"), (health.StatusCode, await health.Content.ReadAsStringAsync()));
    }

    internal static async Task AssertProblemAsync(HttpResponseMessage answer, int status, string code, string? field = null)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonSerializer.Deserialize<JsonObject>(text)!;
        Assert.Equal((status, code, field), ((int)answer.StatusCode, (string?)problem["code"], (string?)problem["field"]));
        Assert.DoesNotContain(" at ", text, StringComparison.Ordinal);
    }
}
