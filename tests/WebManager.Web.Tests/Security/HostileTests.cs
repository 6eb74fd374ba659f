using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Security;

/// <summary>Values that somebody chose to do harm: the door refuses them as names, and where free text is allowed the pages show it as text.</summary>
public sealed class HostileTests(Browser browser) : IClassFixture<Browser>
{
    private const string Script = "<script>window.ran=1;alert(1)</script>", Image = "\"><img src=x onerror=\"window.ran=1;alert(2)\">", Rtl = "\u202Eexe.gpj\u200F", Quotes = "'\"`; --";
    private static readonly string[] s_values = [Script, Image, Rtl, Quotes, new('a', 10_000), "a\0b", "../../etc/passwd", "..\\..\\x", "javascript:alert(3)", "</title><script>window.ran=1</script>", "{{7*7}}", "a\r\nb", " ", ""];

    [Fact]
    public async Task Names_tags_and_keys_are_refused_and_say_why()
    {
        using var portal = new TestPortal();
        using var api = portal.Api();
        (string Method, string Path, Func<string, object> Body)[] ways =
        [
            ("POST", "instances", v => new { name = v, image = "tiny-linux", vcpus = 1, memoryMiB = 1, template = "file", disksMiB = new[] { 1 } }),
            ("POST", "instances", v => new { name = "web1", image = v, vcpus = 1, memoryMiB = 1, template = "file", disksMiB = new[] { 1 } }),
            ("POST", "instances", v => new { name = "web1", image = "tiny-linux", vcpus = 1, memoryMiB = 1, template = v, disksMiB = new[] { 1 } }),
            ("POST", "instances", v => new { name = "web1", image = "tiny-linux", vcpus = 1, memoryMiB = 1, template = "file", disksMiB = new[] { 1 }, primary = v }),
            ("POST", "instances", v => new { name = "web1", image = "tiny-linux", vcpus = 1, memoryMiB = 1, template = "file", disksMiB = new[] { 1 }, sshKeys = new[] { v } }),
            ("POST", "nodes", v => new { name = v }),
            ("POST", "groups", v => new { name = v }),
            ("POST", "groups/default/rename", v => new { newName = v }),
            ("POST", "groups/default/assign-nodes", v => new { nodes = new[] { v } }),
            ("POST", "cluster/add-tags", v => new { tags = new[] { v } }),
            ("PATCH", "instances/web1", v => new { priority = v }),
            ("POST", "session", v => new { user = v, password = v }),
        ];
        foreach (var (method, path, body) in ways)
        {
            foreach (var value in s_values)
            {
                // A word without spaces in it is a sound tag.
                if (path.EndsWith("tags", StringComparison.Ordinal) && value is "../../etc/passwd") { continue; }
                using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1/" + path) { Content = JsonContent.Create(body(value)) };
                var answer = await api.SendAsync(request);
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True((int)answer.StatusCode is 401 or 404 or 409 or 422, $"{path} {value[..Math.Min(value.Length, 40)]}: {(int)answer.StatusCode} {text[..Math.Min(text.Length, 300)]}");
                Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
                Assert.NotNull(JsonNode.Parse(text)!["code"]);
                Assert.True(text.Length < 2000, "A refusal does not send the whole of it back.");
            }
        }
        Assert.Empty((await api.GetFromJsonAsync<JsonArray>("/api/v1/jobs"))!);
    }

    [Fact]
    public async Task Names_in_addresses_are_not_found_and_lead_nowhere_else()
    {
        using var portal = new TestPortal();
        using var api = portal.Api();
        foreach (var value in s_values.Where(v => v.Trim().Length > 0 && v.Length < 5000))
        {
            foreach (var path in new[] { "instances/{0}", "nodes/{0}", "groups/{0}", "instances/{0}/serial", "nodes/{0}/tags" })
            {
                var answer = await api.GetAsync(new Uri(portal.Address + "api/v1/" + string.Format(null, path, Uri.EscapeDataString(value)), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
                Assert.True((int)answer.StatusCode is 404 or 400, $"{path} {value}: {(int)answer.StatusCode}");
            }
        }
    }

    [Fact]
    public async Task Reasons_are_free_text_and_stay_as_they_are()
    {
        using var portal = new TestPortal();
        using var api = portal.Api();
        foreach (var value in s_values.Where(v => v.Length is > 0 and < 500))
        {
            var answer = await api.PostAsJsonAsync("/api/v1/groups", new AddGroupRequest($"g{Array.IndexOf(s_values, value)}") { Reason = value });
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            var job = (await answer.Content.ReadFromJsonAsync<JobAccepted>(WireJson.Options))!.Job;
            await api.GetFromJsonAsync<JobView>($"/api/v1/jobs/{job}/wait?seconds=10", WireJson.Options);
            var entry = (await api.GetFromJsonAsync<AuditPage>($"/api/v1/audit?job={job}", WireJson.Options))!.Entries.Single();
            Assert.Equal(value.Replace('\0', '\uFFFD'), entry.Reason);
        }
        await Api.ApiTests.AssertProblemAsync(await api.PostAsJsonAsync("/api/v1/groups", new AddGroupRequest("long") { Reason = new string('x', 10_000) }), 422, "reason.too-long", "reason");
    }

    /// <summary>The policy is switched off here: the pages themselves must not let anything through.</summary>
    [Fact]
    public async Task Pages_show_them_as_text_and_no_script_runs()
    {
        await using var portal = await PortalHost.StartAsync(Everywhere());
        var page = await browser.OpenAsync("/instances", portal: portal, policy: false);
        var asked = 0;
        page.Dialog += async (_, dialog) => { asked++; await dialog.DismissAsync(); };
        List<string> wrong = [];
        var hostile = Uri.EscapeDataString(Image);
        string[] paths =
        [
            "/", "/instances", $"/instances?q={hostile}", $"/instances/{Uri.EscapeDataString(Image)}", "/instances/web1", "/nodes", $"/nodes/{hostile}", "/nodes/node1", "/groups", "/jobs", "/jobs/700", "/jobs/701", "/events", $"/events?q={hostile}",
            "/audit?user=mallory", $"/audit?subject={hostile}", $"/audit?from={hostile}&before={hostile}", $"/login?error={hostile}&returnUrl={hostile}", $"/setup?token={hostile}&error={hostile}", $"/nothing/{hostile}",
        ];
        foreach (var path in paths)
        {
            await page.GotoAsync(path);
            await page.Locator("main h1").First.WaitForAsync();
            // Longer than onerror of an image that was let in would take: the image's own load is waited for.
            var found = await page.EvaluateAsync<string>("""
                async () => {
                  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
                  await Promise.allSettled([...document.images].map(i => i.decode()));
                  const alien = [...document.querySelectorAll('img[onerror], img[src="x"], main script:not([src^="js/"]), a[href^="javascript:" i]')].map(e => e.outerHTML);
                  return [window.ran ? 'a script ran' : '', ...alien].filter(t => t).join(' | ');
                }
                """);
            if (found.Length > 0) { wrong.Add($"{path}: {found}"); }
        }
        Assert.True(wrong.Count == 0 && asked == 0, string.Join('\n', wrong));

        await page.GotoAsync("/jobs/700");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync(Script);
        await page.GotoAsync("/events");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync(Image);
        await page.GotoAsync("/audit?user=mallory");
        await Assertions.Expect(page.GetByTestId("audit")).ToContainTextAsync(Script);
        await Assertions.Expect(page.GetByTestId("audit")).ToContainTextAsync(Image);
        await page.Context.CloseAsync();
    }

    private static FakeEngine Everywhere()
    {
        var engine = Scene.Filled();
        var feeds = engine.Feeds;
        var now = DateTimeOffset.UtcNow;
        engine.Halted = null;
        feeds.Cluster.Set(engine.Cluster.Id, new ClusterRow(Script, true, null, null) { Tags = [.. s_values] });
        var n = 0L;
        foreach (var value in s_values)
        {
            n++;
            var row = Scene.Instance("x" + n, "node1", "node2", InstanceStatus.ErrorDown, text: value) with { Name = value.Length == 0 ? "empty" : value, Owner = value, Image = value, PairText = value, DiskFault = value, OldCopies = [value] };
            feeds.Instances.Set(row.Id, row);
            var node = Scene.Node("node9") with { Name = value.Length == 0 ? "empty" : value, Tags = [value], DrainedWhy = value, Drained = true, Group = value, Note = value, DiskFault = value, HypervisorNote = value, Address = value,
                Maintenance = new NodeMaintenance(value, now, value, true, true) };
            feeds.Nodes.Set(node.Name, node);
            feeds.Groups.Set(Guid.NewGuid(), new GroupRow(Guid.NewGuid(), value, true, 1));
            feeds.Jobs.Set(699 + n, new JobRow(699 + n, value, value, JobStatus.Error, value, value, now, now, value, value, value, 1));
            feeds.JobLog.Set((699 + n, 1), new JobLogLine(699 + n, 1, now, value));
            feeds.Events.Set(500 + n, new ClusterEvent(500 + n, now, value, Severity.Error, "instance:" + value, value, value, value));
        }
        return engine;
    }
}
