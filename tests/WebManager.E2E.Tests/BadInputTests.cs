// What cannot be done is refused with the name of the field, through the API and through wm, and changes nothing.
using System.Globalization;
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class BadInputTests(LabFixture lab) : LabTest(lab)
{
    /// <summary>Field, change of a request that would be accepted.</summary>
    private static readonly (string Field, string What, object? Value)[] s_bad =
    [
        ("name", "name", "-web"), ("name", "name", "web_1"), ("name", "name", "Web1"), ("name", "name", "a..b"), ("name", "name", ""), ("name", "name", ".web"), ("name", "name", "web."),
        ("name", "name", "we b"), ("name", "name", "../etc"), ("name", "name", "web;reboot"), ("name", "name", new string('a', 64)), ("name", "name", string.Join('.', Enumerable.Repeat("abcdefg", 40))),
        ("name", "name", "там"), ("name", "name", "taken"), ("name", "name", null),
        ("disksMiB", "disksMiB", new long[] { 0 }), ("disksMiB", "disksMiB", new long[] { -1 }), ("disksMiB", "disksMiB", new[] { 1_000_000_000_000 }),
        ("disksMiB", "disksMiB", new[] { "abc" }), ("disksMiB", "disksMiB", "abc"), ("disksMiB", "disksMiB", Array.Empty<long>()),
        ("memoryMiB", "memoryMiB", 0), ("memoryMiB", "memoryMiB", -1), ("memoryMiB", "memoryMiB", 1_000_000_000_000), ("memoryMiB", "memoryMiB", "abc"), ("memoryMiB", "memoryMiB", 1025),
        ("vcpus", "vcpus", 0), ("vcpus", "vcpus", -1), ("vcpus", "vcpus", 1_000_000_000_000), ("vcpus", "vcpus", "abc"),
        ("secondary", "secondary", "n1"), ("secondary", "secondary", "n9"), ("primary", "primary", "n9"), ("image", "image", "windows-95"), ("image", "image", "../tiny-linux"),
        ("template", "template", "raid0"), ("sshKeys", "sshKeys", new[] { "-----BEGIN OPENSSH PRIVATE KEY-----" }), ("osParams", "osParams", new Dictionary<string, string> { ["no-such"] = "1" }),
    ];

    [Fact]
    public async Task API_refuses_each_bad_value_with_the_field_s_name_and_nothing_changes()
    {
        await Lab.CreateAsync(LabFixture.Diskless("taken"));
        var before = await StateAsync();
        foreach (var (field, what, value) in s_bad)
        {
            var request = Good();
            request[what] = value;
            var reply = await Api.SendJsonAsync(HttpMethod.Post, "instances", JsonSerializer.Serialize(request, WireJson.Options));
            var shown = $"{what} = {JsonSerializer.Serialize(value)}: {reply.Status} {reply.Body}";
            Assert.True(reply.Status is 400 or 409 or 422, shown);
            Assert.True(reply.Problem.Field == field, shown);
            Assert.False(string.IsNullOrWhiteSpace(reply.Problem.Title), shown);
        }
        Assert.Equal(before, await StateAsync());
        Say($"{s_bad.Length} bad requests refused by the API, each naming its field; instances and jobs as before");
    }

    [Theory]
    [InlineData("--disk", "0")]
    [InlineData("--disk", "-1")]
    [InlineData("--disk", "1000000000000")]
    [InlineData("--disk", "abc")]
    [InlineData("--memory", "0")]
    [InlineData("--memory", "-1")]
    [InlineData("--memory", "1000000000000")]
    [InlineData("--memory", "abc")]
    [InlineData("--memory", "1025")]
    [InlineData("--vcpus", "0")]
    [InlineData("--vcpus", "abc")]
    [InlineData("--secondary", "n1")]
    [InlineData("--image", "windows-95")]
    [InlineData("--template", "raid0")]
    [InlineData("name", "web_1")]
    public async Task Wm_refuses(string option, string value)
    {
        var options = new Dictionary<string, string>
        {
            ["--image"] = "tiny-linux", ["--vcpus"] = "1", ["--memory"] = "96", ["--disk"] = "64", ["--template"] = "mirror", ["--primary"] = "n1", ["--secondary"] = "n2",
        };
        if (option != "name") options[option] = value;
        var before = await StateAsync();
        var ran = await Lab.Wm.RunAsync(["instance", "add", option == "name" ? value : "web1", .. options.SelectMany(o => new[] { $"{o.Key}={o.Value}" })]);
        Assert.True(ran.ExitCode is 1 or 2, $"exit code {ran.ExitCode}: {ran.Output}{ran.Error}");
        Assert.Contains(option.TrimStart('-'), ran.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found_and_says_so()
    {
        var before = await StateAsync();
        foreach (var path in new[] { "instances/nobody", "nodes/nobody", "jobs/999999", "instances/nobody/serial" })
        {
            var reply = await Api.SendAsync(HttpMethod.Get, path);
            Assert.True(reply.Status == 404 && reply.Problem.Code is not null, $"{path}: {reply.Status} {reply.Body}");
        }
        foreach (var verb in new[] { "start", "stop", "reboot", "failover", "migrate", "resync" })
            Assert.Equal(404, (await Api.SendJsonAsync(HttpMethod.Post, $"instances/nobody/{verb}", "{}")).Status);
        Assert.Equal(404, (await Api.SendAsync(HttpMethod.Delete, "instances/nobody")).Status);
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task Nobody_without_a_token_sees_or_changes_anything()
    {
        var before = await StateAsync();
        foreach (var token in new[] { null, "wrong", new string('A', 43) })
        {
            using var stranger = new Api(Portal.Address, token);
            foreach (var path in new[] { "cluster", "nodes", "instances", "jobs", "events", "images", "lab" })
                Assert.Equal(401, (await stranger.SendAsync(HttpMethod.Get, path)).Status);
            Assert.Equal(401, (await stranger.SendJsonAsync(HttpMethod.Post, "instances", JsonSerializer.Serialize(Good(), WireJson.Options))).Status);
            Assert.Equal(401, (await stranger.SendAsync(HttpMethod.Post, "lab/nodes/n1/kill")).Status);
        }
        Assert.Equal(before, await StateAsync());
        Assert.All((await Api.LabAsync()).Nodes, n => Assert.Equal("running", n.State));
    }

    private static Dictionary<string, object?> Good() => new()
    {
        ["name"] = "web1", ["image"] = "tiny-linux", ["vcpus"] = 1, ["memoryMiB"] = 96, ["template"] = "mirror", ["disksMiB"] = new long[] { 64 }, ["primary"] = "n1", ["secondary"] = "n2",
    };

    /// <summary>Instances, jobs, and what the nodes hold.</summary>
    private async Task<string> StateAsync()
    {
        var instances = (await Api.InstancesAsync()).Select(i => $"{i.Name} {i.Id} {i.Status} {i.Primary} {i.Secondary} {i.Generation}");
        var jobs = (await Api.JobsAsync()).Select(j => $"{j.Id.ToString(CultureInfo.InvariantCulture)} {j.Status}");
        var folders = LabFixture.NodeNames.Select(n => Path.Combine(Portal.NodeFolder(n), "instances")).Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories).Order();
        var nodes = (await Api.NodesAsync()).Select(n => n.Name);
        return string.Join('\n', [.. instances, .. jobs, .. folders, .. nodes]);
    }
}
