// Instance templates over the API of a whole portal: kept, seen and changed by who may.
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine.Ports;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Api;

public sealed class TemplateApiTests
{
    private static AddTemplateRequest Small(string name) => new(name, "tiny", 1, 512, "mirror", [64, 128]) { Description = "for the course" };

    [Fact]
    public async Task Template_is_made_read_changed_copied_and_removed()
    {
        using var portal = WithImage();
        using var root = portal.Api();
        await DoneAsync(root.PostAsJsonAsync("/api/v1/templates", Small("small"), WireJson.Options));
        var made = await root.GetFromJsonAsync<TemplateView>("/api/v1/templates/small", WireJson.Options);
        Assert.Equal(("small", "", "for the course", 1, 512, "mirror", 1, true, false), (made!.Name, made.Owner, made.Description, made.Vcpus, made.MemoryMiB, made.Template, made.Nics, made.Start, made.SizesFree));
        Assert.Equal([64, 128], made.DisksMiB);
        Assert.Equal(["admin", "use"], made.Rights);
        await DoneAsync(root.PatchAsJsonAsync("/api/v1/templates/small", new ModifyTemplateRequest { NewName = "tiny", Vcpus = 2, Template = "diskless", SizesFree = true }, WireJson.Options));
        var changed = await root.GetFromJsonAsync<TemplateView>($"/api/v1/templates/{made.Id}", WireJson.Options);
        Assert.Equal(("tiny", 2, 512, "diskless", 0, true, "for the course"), (changed!.Name, changed.Vcpus, changed.MemoryMiB, changed.Template, changed.DisksMiB.Count, changed.SizesFree, changed.Description));
        await DoneAsync(root.PostAsJsonAsync("/api/v1/templates/tiny/copy", new CopyTemplateRequest("second"), WireJson.Options));
        await ApiTests.AssertProblemAsync(await root.PostAsJsonAsync("/api/v1/templates/tiny/copy", new CopyTemplateRequest("second"), WireJson.Options), 409, "template.exists", "newName");
        await ApiTests.AssertProblemAsync(await root.PostAsJsonAsync("/api/v1/templates", Small("x") with { Template = "tape" }, WireJson.Options), 422, "instance.template-unknown", "template");
        await ApiTests.AssertProblemAsync(await root.PostAsJsonAsync("/api/v1/templates", Small("x") with { Image = "none" }, WireJson.Options), 422, "image.unknown", "image");
        await ApiTests.AssertProblemAsync(await root.PatchAsJsonAsync("/api/v1/templates/tiny", new ModifyTemplateRequest(), WireJson.Options), 409, "template.nothing-to-change");
        await DoneAsync(root.DeleteAsync("/api/v1/templates/tiny"));
        await ApiTests.AssertProblemAsync(await root.GetAsync("/api/v1/templates/tiny"), 404, "template.not-found");
        await ApiTests.AssertProblemAsync(await root.DeleteAsync("/api/v1/templates/tiny"), 404, "template.unknown");
        await ApiTests.AssertProblemAsync(await root.PatchAsJsonAsync("/api/v1/templates/tiny", new ModifyTemplateRequest { Vcpus = 2 }, WireJson.Options), 404, "template.unknown");
        Assert.Equal("second", Assert.Single(await root.GetFromJsonAsync<TemplateView[]>("/api/v1/templates", WireJson.Options) ?? []).Name);
    }

    [Fact]
    public async Task Only_who_has_a_right_sees_it_and_creation_asks_the_template()
    {
        using var portal = WithImage();
        using var root = portal.Api();
        using var ada = portal.Api(await portal.UserAsync("ada"));
        using var eve = portal.Api(await portal.UserAsync("eve"));
        await DoneAsync(root.PostAsJsonAsync("/api/v1/templates", Small("small"), WireJson.Options));
        await DoneAsync(root.PostAsJsonAsync("/api/v1/user-groups", new AddUserGroupRequest("students"), WireJson.Options));
        await DoneAsync(root.PutAsJsonAsync("/api/v1/user-groups/students/members/ada", new SetMemberRequest(), WireJson.Options));
        await DoneAsync(root.PutAsJsonAsync("/api/v1/grants", new SetGrantRequest("usergroup:students", "template:small", ["use"]), WireJson.Options));
        Assert.Equal(["use"], Assert.Single(await ada.GetFromJsonAsync<TemplateView[]>("/api/v1/templates", WireJson.Options) ?? []).Rights);
        Assert.Empty(await eve.GetFromJsonAsync<TemplateView[]>("/api/v1/templates", WireJson.Options) ?? []);
        Assert.Contains(await ada.GetFromJsonAsync<RightView[]>("/api/v1/rights/me", WireJson.Options) ?? [], r => (r.TargetName, r.Through) == ("small", "usergroup:students"));
        await ApiTests.AssertProblemAsync(await eve.GetAsync("/api/v1/templates/small"), 404, "template.not-found");
        await ApiTests.AssertProblemAsync(await eve.DeleteAsync("/api/v1/templates/small"), 404, "template.unknown");
        await ApiTests.AssertProblemAsync(await ada.DeleteAsync("/api/v1/templates/small"), 403, "right.missing");
        await ApiTests.AssertProblemAsync(await ada.PostAsJsonAsync("/api/v1/templates", Small("own"), WireJson.Options), 403, "right.missing");

        var asked = new CreateInstanceRequest("a1") { FromTemplate = "small", Owner = "usergroup:students" };
        Task<HttpResponseMessage> CreateAsync(HttpClient who, CreateInstanceRequest request) => who.PostAsJsonAsync("/api/v1/instances", request, WireJson.Options);
        await ApiTests.AssertProblemAsync(await CreateAsync(eve, asked), 422, "template.unknown", "fromTemplate");
        await ApiTests.AssertProblemAsync(await CreateAsync(ada, asked with { Owner = null }), 403, "right.missing", "owner");
        await ApiTests.AssertProblemAsync(await CreateAsync(ada, asked with { Vcpus = 2 }), 422, "template.fixed", "vcpus");
        await ApiTests.AssertProblemAsync(await CreateAsync(ada, asked with { Template = "file" }), 422, "template.fixed", "template");
        await ApiTests.AssertProblemAsync(await CreateAsync(ada, asked with { Start = false }), 422, "template.fixed", "start");
        await ApiTests.AssertProblemAsync(await CreateAsync(ada, asked with { Name = "Not a name" }), 422, "name.invalid", "name");
        await ApiTests.AssertProblemAsync(await CreateAsync(ada, asked), 422, "memory.too-large", "memoryMiB");   // the right is there; what is missing is a node
        await ApiTests.AssertProblemAsync(await CreateAsync(root, new CreateInstanceRequest("a1", "tiny", 1)), 400, "request.invalid-json", "memoryMiB");
    }

    [Fact]
    public async Task Hub_tells_of_templates_and_of_their_end_whom_they_concern()
    {
        using var portal = WithImage();
        using var root = portal.Api();
        var (ada, eve) = (await portal.UserAsync("ada"), await portal.UserAsync("eve"));
        await DoneAsync(root.PostAsJsonAsync("/api/v1/templates", Small("small"), WireJson.Options));
        await DoneAsync(root.PutAsJsonAsync("/api/v1/grants", new SetGrantRequest("user:ada", "template:small", ["use"]), WireJson.Options));
        await using var hers = await HubAsync(portal, ada);
        await using var others = await HubAsync(portal, eve);
        Assert.Contains("\"name\":\"small\"", await hers.UntilAsync("\"snapshot\":true"), StringComparison.Ordinal);
        Assert.DoesNotContain("small", await others.UntilAsync("\"snapshot\":true"), StringComparison.Ordinal);
        var id = (await root.GetFromJsonAsync<TemplateView>("/api/v1/templates/small", WireJson.Options))!.Id;
        await DoneAsync(root.PutAsJsonAsync("/api/v1/grants", new SetGrantRequest("user:ada", "template:small", []), WireJson.Options));
        Assert.Contains($"\"templatesGone\":[\"{id}\"]", await hers.UntilAsync("templatesGone\":[\""), StringComparison.Ordinal);
    }

    private static async Task<Hub> HubAsync(TestPortal portal, string token)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        await socket.ConnectAsync(new Uri($"ws://{portal.Address.Authority}/hubs/cluster"), default);
        foreach (var frame in new[] { """{"protocol":"json","version":1}""", """{"type":4,"invocationId":"1","target":"Follow","arguments":[]}""" })
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(frame + '\u001e'), WebSocketMessageType.Text, true, default);
        }
        return new Hub(socket);
    }

    private sealed class Hub(ClientWebSocket socket) : IAsyncDisposable
    {
        private readonly StringBuilder _text = new();

        /// <summary>All that came, once this has come.</summary>
        public async Task<string> UntilAsync(string words)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            var buffer = new byte[64 * 1024];
            while (!_text.ToString().Contains(words, StringComparison.Ordinal))
            {
                var got = await socket.ReceiveAsync(buffer, limit.Token);
                _text.Append(Encoding.UTF8.GetString(buffer, 0, got.Count));
            }
            return _text.ToString();
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>With images, and without a node.</summary>
    private static TestPortal WithImage() => new(services => services.AddSingleton<IImageCatalog>(new FakeEngine()));

    private static async Task DoneAsync(Task<HttpResponseMessage> answer)
    {
        using var got = await answer;
        Assert.True(got.IsSuccessStatusCode, $"{got.StatusCode}: {await got.Content.ReadAsStringAsync()}");
    }
}
