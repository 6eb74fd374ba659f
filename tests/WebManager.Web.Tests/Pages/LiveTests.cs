using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Components.Layout;
using WebManager.Web.Components.Pages.Instances;
using WebManager.Web.Components.Pages.Map;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Tests.Pages;

/// <summary>Live pages draw what changed, once, and let go of their feeds.</summary>
public sealed class LiveTests : BunitContext
{
    private readonly FakeEngine _engine = new();

    public LiveTests()
    {
        Services.AddSingleton<IClusterEngine>(_engine).AddSingleton(TimeProvider.System);
        Services.AddSingleton(_ => Task.Run(Audit.AuditScene.StoreAsync).GetAwaiter().GetResult().Log);   // away from the renderer, which waits for it here
        Services.AddScoped<Toasts>();
        Services.AddScoped<Questions>();
        JSInterop.Mode = JSRuntimeMode.Loose;
        RenderTree.Add<CascadingValue<Caller>>(p => p.Add(v => v.Value, new Caller("u1", "admin", true, "portal")));
        DefaultWaitTimeout = TimeSpan.FromSeconds(30);   // the machine may be busy
    }

    private List<InstanceRow> Fill(int count)
    {
        var rows = Enumerable.Range(0, count).Select(i => Scene.Instance($"vm{i}", "node1", "node2")).ToList();
        foreach (var row in rows) { _engine.Feeds.Instances.Set(row.Id, row); }
        foreach (var node in new[] { Scene.Node("node1"), Scene.Node("node2"), Scene.Node("node3") }) { _engine.Feeds.Nodes.Set(node.Name, node); }
        return rows;
    }

    [Fact]
    public async Task One_change_among_200_rows_redraws_one_row()
    {
        var rows = Fill(200);
        var list = Render<InstanceList>();
        var drawn = list.FindComponents<InstanceListRow>();
        Assert.True(drawn.Count > 50);   // the rest is virtual
        var before = drawn.ToDictionary(r => r.Instance.Row.Id, r => r.RenderCount);

        _engine.Feeds.Instances.Set(rows[10].Id, rows[10] with { Status = InstanceStatus.Paused });
        await list.WaitForAssertionAsync(() => Assert.Contains("Paused", list.Find("[data-testid=instance-row-vm10]").TextContent, StringComparison.Ordinal));

        var redrawn = list.FindComponents<InstanceListRow>().Where(r => r.RenderCount != before[r.Instance.Row.Id]).Select(r => r.Instance.Row.Name);
        Assert.Equal(["vm10"], redrawn);
    }

    [Fact]
    public async Task A_thousand_changes_in_a_burst_are_few_renders()
    {
        var rows = Fill(50);
        var list = Render<InstanceList>();
        var before = list.RenderCount;
        for (var i = 0; i < 1000; i++) { var row = rows[i % 50] = rows[i % 50] with { Generation = 100 + i }; _engine.Feeds.Instances.Set(row.Id, row); }
        await list.WaitForAssertionAsync(() => Assert.Equal(rows[49], list.FindComponents<InstanceListRow>().Single(r => r.Instance.Row.Name == "vm49").Instance.Row));
        Assert.InRange(list.RenderCount - before, 1, 12);
    }

    [Fact]
    public async Task Leaving_a_page_ends_all_its_subscriptions()
    {
        Fill(3);
        var feeds = _engine.Feeds;
        Render<InstanceList>();
        Render<MapPage>();
        Render<HealthSummary>();
        Render<InstancePage>(p => p.Add(x => x.Name, "vm1"));
        Assert.True(feeds.Instances.SubscriberCount >= 4);
        await DisposeComponentsAsync();
        Assert.Equal((0, 0, 0, 0, 0), (feeds.Nodes.SubscriberCount, feeds.Instances.SubscriberCount, feeds.Jobs.SubscriberCount, feeds.Events.SubscriberCount, feeds.JobLog.SubscriberCount));
    }

    [Fact]
    public void Map_draws_only_the_boxes_that_changed()
    {
        var map = new MapPicture();
        var rows = Fill(2);
        map.Apply(_engine.Feeds.Nodes.Current()!);
        map.Apply(_engine.Feeds.Instances.Current()!);
        var before = map.Boxes.ToDictionary(b => b.Name);
        Assert.True(map.Apply(new Dictionary<Guid, InstanceRow?> { [rows[0].Id] = rows[0] with { Primary = "node2", Secondary = "node1" } }));
        Assert.Equal(["node3"], map.Boxes.Where(b => ReferenceEquals(b, before[b.Name])).Select(b => b.Name));
        var node = _engine.Feeds.Nodes.Find("node1")!;
        Assert.False(map.Apply(new Dictionary<string, NodeRow?> { ["node1"] = node with { LastContact = node.LastContact!.Value.AddSeconds(1) } }));
    }

    [Theory]
    [InlineData("512", 512L), InlineData("512M", 512L), InlineData(" 1.5 GiB ", 1536L), InlineData("2t", 2097152L), InlineData("0.3M", null), InlineData("-1G", null), InlineData("lots", null), InlineData("", null)]
    public void Sizes_are_read_as_people_write_them(string text, long? mib) => Assert.Equal(mib, Sizes.Parse(text));

    [Fact]
    public void Names_are_ordered_as_people_do() =>
        Assert.Equal(["n1", "n2", "n10", "web"], new[] { "web", "n10", "n2", "n1" }.Order(NameOrder.By));
}
