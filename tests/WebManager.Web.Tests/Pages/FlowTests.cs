using Microsoft.Playwright;
using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;

namespace WebManager.Web.Tests.Pages;

/// <summary>What people do with the pages, in a real browser against an engine that the test plays.</summary>
public sealed class FlowTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Failover_moves_the_chip_in_front_of_ones_eyes()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        var page = await browser.OpenAsync("/", portal: portal, calm: false);
        var chip = page.GetByTestId("map-instance-web1");
        await Assertions.Expect(chip).ToHaveAttributeAsync("data-node", "node1");
        await page.EvaluateAsync("""() => { window.slid = 0; const animate = Element.prototype.animate; Element.prototype.animate = function(...a) { if (this.dataset?.testid === 'map-instance-web1') window.slid++; return animate.apply(this, a); }; }""");
        var row = portal.Engine.Feeds.Instances.Current().Values.Single(r => r.Name == "web1");
        portal.Engine.Feeds.Instances.Set(row.Id, row with { Primary = "node2", Secondary = "node1", Mirror = MirrorState.Resynchronising, MirrorPercent = 3 });
        await Assertions.Expect(chip).ToHaveAttributeAsync("data-node", "node2");
        await Assertions.Expect(page.GetByTestId("map-mirror-web1")).ToHaveAttributeAsync("data-node", "node1");
        await Assertions.Expect(page.GetByTestId("map-mirror-web1")).ToContainTextAsync("3%");
        Assert.Equal(1, await page.EvaluateAsync<int>("() => window.slid"));
        await Assertions.Expect(page.GetByTestId("node-node3-health")).ToHaveAttributeAsync("data-health", "lost");
        await page.GetByTestId("map-instance-web1").ClickAsync();
        await PageTests.ShotAsync(page, "map-peek-1280-light");
        Assert.Empty(await PageTests.ViolationsAsync(page, "peek"));
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.GetByTestId("peek")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Create_form_keeps_values_shows_errors_at_fields_and_leads_to_the_building_instance()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        portal.Engine.Carry = (request, job) =>
        {
            var feeds = portal.Engine.Feeds;
            feeds.Jobs.Set(job, new JobRow(job, request.Name, $"{request.Name} shiny", JobStatus.Running, "admin", "Created on the portal", DateTimeOffset.UtcNow, null, null, null, null, 1));
            feeds.JobLog.Set((job, 1), new JobLogLine(job, 1, DateTimeOffset.UtcNow, "Placed on node1, copy on node2."));
        };
        var page = await browser.OpenAsync("/instances/new", portal: portal);
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page.GetByTestId("error-instance")).ToBeVisibleAsync();
        await page.GetByTestId("name").FillAsync("web1");
        await page.GetByTestId("memory").FillAsync("256M");
        await page.GetByTestId("disk").FillAsync("2G");
        await page.GetByTestId("beat").CheckAsync();
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page.GetByTestId("error-instance")).ToContainTextAsync("already");
        await Assertions.Expect(page.GetByTestId("name")).ToHaveAttributeAsync("aria-invalid", "true");
        await Assertions.Expect(page.GetByTestId("error-summary")).ToBeFocusedAsync();
        await PageTests.ShotAsync(page, "new-errors-1280-light");
        Assert.Empty(await PageTests.ViolationsAsync(page, "errors"));
        await page.GetByTestId("name").FillAsync("shiny");
        await page.GetByTestId("submit").ClickAsync();
        await Assertions.Expect(page.GetByTestId("job-log-line")).ToContainTextAsync("Placed on node1");
        var asked = Assert.IsType<CreateInstance>(portal.Engine.Asked.Single());
        Assert.Equal(("shiny", 256, 2048L, "on", DiskTemplate.Mirror), (asked.Instance, asked.MemoryMiB, asked.DisksMiB.Single(), asked.OsParams["beat"], asked.Template));
        var row = Scene.Instance("shiny", "node1", "node2");
        portal.Engine.Feeds.Instances.Set(row.Id, row);
        await Assertions.Expect(page.GetByTestId("instance-status")).ToContainTextAsync("Running");
    }

    [Fact]
    public async Task Another_secondary_is_chosen_in_a_dialog_that_says_what_happens()
    {
        var scene = Scene.Filled();
        scene.Rule = r => r is ReplaceSecondary { Node: "node2" } ? new Refusal("placement.no-room", "No node can be the secondary of this instance: node2: 128 MiB of memory free, 512 needed.", "Free some room.") { Field = "secondary" } : null;
        await using var portal = await PortalHost.StartAsync(scene);
        portal.Engine.Feeds.Nodes.Set("node4", Scene.Node("node4"));
        var row = portal.Engine.Feeds.Instances.Current().Values.Single(r => r.Name == "db-primary");
        portal.Engine.Feeds.Instances.Set(row.Id, row with { OldCopies = ["node4"] });
        var page = await browser.OpenAsync("/instances/db-primary", portal: portal);
        await Assertions.Expect(page.GetByTestId("old-copies")).ToContainTextAsync("node4");
        await page.GetByTestId("replace-secondary").ClickAsync();
        await Assertions.Expect(page.GetByTestId("replace-what")).ToContainTextAsync("copied from node1 while db-primary runs");
        await PageTests.ShotAsync(page, "replace-1280-light");
        await page.GetByTestId("replace-node").SelectOptionAsync("node2");
        await Assertions.Expect(page.GetByTestId("error-secondary")).ToContainTextAsync("512 needed");
        await Assertions.Expect(page.GetByTestId("replace-do")).ToBeDisabledAsync();
        Assert.Empty(await PageTests.ViolationsAsync(page, "replace"));
        await page.SetViewportSizeAsync(390, 844);
        await PageTests.ShotAsync(page, "replace-390-light");
        await page.GetByTestId("replace-node").SelectOptionAsync("node4");
        await page.GetByTestId("replace-do").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast")).ToContainTextAsync("accepted");
        var asked = Assert.IsType<ReplaceSecondary>(portal.Engine.Asked.Single());
        Assert.Equal(("db-primary", "node4"), (asked.Instance, asked.Node));
        await page.GotoAsync("/");
        await page.GetByTestId("replace-after").SelectOptionAsync("1800");
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("after 30 min");
        Assert.Equal(1800, Assert.IsType<ModifyCluster>(portal.Engine.Asked[^1]).ReplaceAfterSeconds);
        await PageTests.ShotAsync(page, "map-replace-390-light");
    }

    [Fact]
    public async Task Groups_and_tags_are_changed_on_their_page()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        portal.Engine.Rule = request => request switch
        {
            AddGroup { Group: "west" } => new Refusal("group.exists", "There is already a node group west.", "Choose another name.") { Field = "group" },
            AssignNodes { Force: false } => new Refusal("group.splits", "The two copies of web1 would be in two node groups.", "Assign the other nodes too.") { Field = "nodes" },
            AddClusterTags { Tags: ["bad!"] } => new Refusal("tag.invalid", "bad! is no tag.") { Field = "tags" },
            _ => null,
        };
        var page = await browser.OpenAsync("/groups", portal: portal);
        await Assertions.Expect(page.GetByTestId("pairs")).ToContainTextAsync("Both copies are in rack:a");
        await Assertions.Expect(page.GetByTestId("location-hint")).ToContainTextAsync("No location is known for node3");
        await page.GetByTestId("group-add-name").FillAsync("west");
        await page.GetByTestId("group-add").ClickAsync();
        await Assertions.Expect(page.GetByTestId("error-group-add")).ToContainTextAsync("already");
        await page.GetByTestId("group-add-name").FillAsync("east");
        await page.GetByTestId("group-add").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast")).ToContainTextAsync("accepted");
        Assert.Equal("east", Assert.IsType<AddGroup>(portal.Engine.Asked[^1]).Group);
        await page.GetByTestId("group-assign-west").ClickAsync();
        await page.GetByTestId("assign-node2").CheckAsync();
        await Assertions.Expect(page.GetByTestId("assign-wrong")).ToContainTextAsync("web1");
        await Assertions.Expect(page.GetByTestId("assign-do")).ToBeDisabledAsync();
        Assert.Empty(await PageTests.ViolationsAsync(page, "assign"));
        await PageTests.ShotAsync(page, "groups-assign-1280-light");
        await page.GetByTestId("assign-force").CheckAsync();
        await page.GetByTestId("assign-do").ClickAsync();
        await Assertions.Expect(page.GetByTestId("assign-form")).ToHaveCountAsync(0);
        var assigned = Assert.IsType<AssignNodes>(portal.Engine.Asked[^1]);
        Assert.Equal(("west", "node2", true), (assigned.Group, Assert.Single(assigned.Nodes), assigned.Force));
        await page.GetByTestId("cluster-tags-new").FillAsync("bad!");
        await page.GetByTestId("cluster-tags-add").ClickAsync();
        await Assertions.Expect(page.GetByTestId("error-tags-cluster-tags")).ToContainTextAsync("is no tag");
        await page.GetByTestId("cluster-tags-off-htools:nlocation:rack").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("accepted");
        Assert.IsType<RemoveClusterTags>(portal.Engine.Asked[^1]);
        await page.GotoAsync("/nodes/node2");
        await Assertions.Expect(page.GetByTestId("node-group")).ToHaveTextAsync("default");
        await page.GetByTestId("node-tags-new").FillAsync("power:1 ssd");
        await page.GetByTestId("node-tags-add").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("accepted");
        Assert.Equal(["power:1", "ssd"], Assert.IsType<AddNodeTags>(portal.Engine.Asked[^1]).Tags);
        await page.GotoAsync("/instances/web1");
        await Assertions.Expect(page.GetByTestId("pair-text")).ToContainTextAsync("rack:a");
        await page.GotoAsync("/instances/new");
        await Assertions.Expect(page.GetByTestId("location-hint")).ToContainTextAsync("No location is known for node3: one power failure");
    }

    [Fact]
    public async Task Removing_asks_for_the_name_and_a_refused_action_says_why()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        var page = await browser.OpenAsync("/instances/web1", portal: portal);
        await Assertions.Expect(page.GetByTestId("action-start")).ToHaveAttributeAsync("aria-disabled", "true");
        await page.GetByTestId("action-start").ClickAsync(new() { Force = true });
        await Assertions.Expect(page.GetByTestId("toast")).ToContainTextAsync("runs already");
        await page.GetByTestId("action-remove").ClickAsync();
        await Assertions.Expect(page.GetByTestId("confirm-yes")).ToBeDisabledAsync();
        await page.GetByTestId("confirm-name").FillAsync("web1");
        await PageTests.ShotAsync(page, "remove-1280-light");
        Assert.Empty(await PageTests.ViolationsAsync(page, "dialog"));
        await page.GetByTestId("confirm-yes").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("accepted");
        Assert.Equal("web1", Assert.IsType<RemoveInstance>(portal.Engine.Asked.Single()).Instance);
    }

    [Fact]
    public async Task Frozen_recovery_is_said_on_every_page_and_released_from_there()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        var page = await browser.OpenAsync("/jobs", portal: portal);
        await Assertions.Expect(page.GetByTestId("recovery-frozen")).ToHaveCountAsync(0);
        var cluster = portal.Engine.Cluster;
        portal.Engine.Feeds.Cluster.Set(cluster.Id, new ClusterRow(cluster.Name, true, DateTimeOffset.UtcNow.AddSeconds(-40), "node2, node3 were lost at once."));
        await Assertions.Expect(page.GetByTestId("recovery-frozen")).ToContainTextAsync("node2, node3 were lost at once");
        Assert.Empty(await PageTests.ViolationsAsync(page, "frozen"));
        foreach (var (width, theme) in new[] { (1280, "light"), (390, "dark") })
        {
            var frozen = await browser.OpenAsync("/", width, theme, portal);
            await frozen.GetByTestId("recovery-frozen").WaitForAsync();
            await PageTests.ShotAsync(frozen, $"frozen-{width}-{theme}");
            Assert.Equal(0, await frozen.EvaluateAsync<int>("() => Math.max(0, document.documentElement.scrollWidth - innerWidth)"));
        }
        await page.GetByTestId("unfreeze").ClickAsync();
        await page.GetByTestId("confirm-yes").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("accepted");
        Assert.IsType<UnfreezeCluster>(portal.Engine.Asked.Single());
        portal.Engine.Feeds.Cluster.Set(cluster.Id, new ClusterRow(cluster.Name, false, null, null));
        await Assertions.Expect(page.GetByTestId("recovery-frozen")).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByTestId("recovery-off")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Powering_a_node_off_asks_for_its_name_and_recovery_is_changed_on_the_instances_page()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        var page = await browser.OpenAsync("/nodes/node3", portal: portal);
        await Assertions.Expect(page.GetByTestId("held-back")).ToContainTextAsync("reports");
        await page.GetByTestId("node-power-off").ClickAsync();
        await Assertions.Expect(page.GetByTestId("confirm-yes")).ToBeDisabledAsync();
        await page.GetByTestId("confirm-name").FillAsync("node3");
        await page.GetByTestId("confirm-yes").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("accepted");
        Assert.Equal(new PowerOffNode("node3", "node3"), portal.Engine.Asked.Single());
        await page.GotoAsync("/instances/web2");
        await Assertions.Expect(page.GetByTestId("timeline-first-sign-of-life")).ToContainTextAsync("5.21 s");
        await Assertions.Expect(page.GetByTestId("timeline-slack")).ToContainTextAsync("Slack: 0.08 s");
        await page.GetByTestId("auto-recover-switch").ClickAsync();
        await page.GetByTestId("priority").SelectOptionAsync("Low");
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("Priority low");
        Assert.Equal([new ModifyInstance("web2") { AutoRecover = false }, new ModifyInstance("web2") { Priority = RecoveryPriority.Low }], portal.Engine.Asked.Skip(1));
    }

    [Fact]
    public async Task Maintenance_says_what_moves_where_before_it_begins_and_is_seen_everywhere_while_it_lasts()
    {
        var engine = Scene.Filled();
        var lost = new Refusal("instance.not-mirrored", "ci-cache has no copy on another node.", "It ends with node1: stop it before that.");
        PlannedMove Move(string name, MoveKind kind, string? to, Refusal? why = null) => new(Guid.NewGuid(), name, "node1", to, kind, true, why);
        engine.Maintenance = new MaintenancePlan("node1", [Move("web1", MoveKind.Migrate, "node2"), Move("wiki", MoveKind.Failover, "node2") with { Wanted = false },
            Move("metrics", MoveKind.Later, "node2", new Refusal("instance.starting", "metrics is still starting.")), Move("ci-cache", MoveKind.Stays, null, lost)], [], ["web1", "wiki", "metrics"]);
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/nodes/node1", portal: portal);
        await page.GetByTestId("node-maintenance").ClickAsync();
        await Assertions.Expect(page.GetByTestId("move-web1")).ToContainTextAsync("moves to node2 while it runs");
        await Assertions.Expect(page.GetByTestId("move-wiki")).ToContainTextAsync("does not run; node2 is its primary then");
        await Assertions.Expect(page.GetByTestId("move-metrics")).ToContainTextAsync("later: metrics is still starting.");
        await Assertions.Expect(page.GetByTestId("move-ci-cache")).ToContainTextAsync("stays: ci-cache has no copy on another node. It ends with node1: stop it before that.");
        await Assertions.Expect(page.GetByTestId("maintenance-copies")).ToContainTextAsync("3 instances");
        Assert.Empty(portal.Engine.Asked);
        await ShotsAsync(page, "maintenance-dialog");
        await page.GetByTestId("maintenance-rebuild").CheckAsync();
        await page.GetByTestId("maintenance-do").ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast").Last).ToContainTextAsync("goes into maintenance");
        Assert.Equal(new MaintainNode("node1", true) { Return = true, Rebuild = true }, portal.Engine.Asked.Single());
        var row = Scene.Node("node1") with { Maintenance = new NodeMaintenance("anna", DateTimeOffset.UtcNow.AddMinutes(-12), "new fans", true, true) };
        engine.Feeds.Nodes.Set("node1", row);
        await Assertions.Expect(page.GetByTestId("in-maintenance")).ToContainTextAsync("by anna (new fans)");
        await Assertions.Expect(page.GetByTestId("node-maintenance")).ToContainTextAsync("End maintenance");
        await ShotsAsync(page, "maintenance-node");
        foreach (var (name, path) in new[] { ("map", "/"), ("nodes", "/nodes") })
        {
            await page.GotoAsync(path);
            await Assertions.Expect(page.GetByTestId("maintenance-node1")).ToContainTextAsync("maintenance");
            await Assertions.Expect(page.Locator("body")).ToContainTextAsync("by anna");
            await ShotsAsync(page, $"maintenance-{name}");
        }
    }

    internal static async Task ShotsAsync(IPage page, string name)
    {
        foreach (var (width, theme) in new[] { (390, "light"), (390, "dark"), (1280, "dark"), (1280, "light") })
        {
            await page.SetViewportSizeAsync(width, width < 500 ? 844 : 900);
            await page.EvaluateAsync("theme => { document.documentElement.dataset.theme = theme; return new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))); }", theme);
            await PageTests.ShotAsync(page, $"{name}-{width}-{theme}");
            Assert.Equal(0, await page.EvaluateAsync<int>("() => Math.max(0, document.documentElement.scrollWidth - innerWidth)"));
        }
        Assert.Empty(await PageTests.ViolationsAsync(page, name));
    }

    [Fact]
    public async Task Console_connects_answers_and_comes_back_after_a_failover()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        var page = await browser.OpenAsync("/instances/web1?tab=console", portal: portal);
        await page.WaitForFunctionAsync("() => wmConsole('web1')?.text().includes('login:')");
        await page.EvaluateAsync("() => wmConsole('web1').send('hello-there')");
        await page.WaitForFunctionAsync("() => wmConsole('web1').text().includes('hello-there')");
        var row = portal.Engine.Feeds.Instances.Current().Values.Single(r => r.Name == "web1");
        portal.Engine.Feeds.Instances.Set(row.Id, row with { Status = InstanceStatus.Recovering });
        await Assertions.Expect(page.GetByTestId("console-hint")).ToContainTextAsync("connects again");
        portal.CutConsoles();
        await Assertions.Expect(page.GetByTestId("console-state")).ToContainTextAsync("Waiting");
        portal.Engine.Feeds.Instances.Set(row.Id, row with { Primary = "node2", Secondary = "node1" });
        await Assertions.Expect(page.GetByTestId("console-state")).ToContainTextAsync("Connected");
        await page.GetByTestId("console-close").ClickAsync();
        await Assertions.Expect(page.GetByTestId("console-open")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Fifty_nodes_with_five_hundred_instances_and_ten_thousand_rows_stay_quick()
    {
        var engine = new FakeEngine();
        for (var n = 1; n <= 50; n++) { engine.Feeds.Nodes.Set($"n{n}", Scene.Node($"n{n}") with { Address = $"10.0.0.{n}:8443" }); }
        for (var i = 0; i < 500; i++) { var row = Scene.Instance($"vm{i}", $"n{(i % 50) + 1}", $"n{((i + 7) % 50) + 1}"); engine.Feeds.Instances.Set(row.Id, row); }
        await using var portal = await PortalHost.StartAsync(engine);
        var page = await browser.OpenAsync("/", portal: portal);
        await Assertions.Expect(page.Locator("[data-flip]")).ToHaveCountAsync(1000);
        await PageTests.ShotAsync(page, "map-50-1280-light");
        for (var i = 500; i < 10_000; i++) { var row = Scene.Instance($"vm{i}", $"n{(i % 50) + 1}", null); engine.Feeds.Instances.Set(row.Id, row); }
        await page.GotoAsync("/instances");
        await Assertions.Expect(page.GetByTestId("instance-count")).ToContainTextAsync("10000");
        await page.GetByTestId("filter").FillAsync("vm9999");
        await Assertions.Expect(page.GetByTestId("instance-count")).ToContainTextAsync("1 of 10000");
        Assert.Contains("q=vm9999", page.Url, StringComparison.Ordinal);
        Assert.True(await page.GetByRole(AriaRole.Row).CountAsync() < 60);
    }

    [Fact]
    public async Task Signing_out_works_from_the_menu_and_setup_can_be_posted_to()
    {
        var page = await browser.OpenAsync("/", 390);
        await page.GetByTestId("user-menu").Locator("summary").ClickAsync();
        await PageTests.ShotAsync(page, "menu-390-light");
        await page.GetByTestId("sign-out").ClickAsync();
        await Assertions.Expect(page.Locator("body")).ToContainTextAsync("signed out");
        using var http = new HttpClient { BaseAddress = browser.Portal.Address };
        Assert.Equal("posted", await (await http.PostAsync("/setup", null)).Content.ReadAsStringAsync());
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await http.GetAsync("/nothing/here")).StatusCode);
        Assert.Equal("", await (await http.GetAsync("/api/v1/nothing")).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_lost_portal_is_said_and_a_restarted_one_comes_back_by_itself()
    {
        var portal = await PortalHost.StartAsync(Scene.Filled());
        var page = await browser.OpenAsync("/", portal: portal);
        var address = portal.Address;
        await portal.StopAsync();
        await Assertions.Expect(page.Locator("#components-reconnect-modal")).ToContainTextAsync("Connection lost");
        await Assertions.Expect(page.Locator(".reconnect-trying")).ToBeVisibleAsync();
        await PageTests.ShotAsync(page, "lost-1280-light");
        var engine = Scene.Filled();
        engine.Feeds.Nodes.Set("node9", Scene.Node("node9"));
        await using var again = await PortalHost.StartAsync(engine, address.Port);
        await Assertions.Expect(page.GetByTestId("node-node9")).ToBeVisibleAsync();
        await portal.DisposeAsync();
    }

    [Fact]
    public async Task Fake_hypervisor_is_said_on_every_page_and_nodes_are_added_by_a_token()
    {
        var engine = Scene.Filled();
        foreach (var name in new[] { "node1", "node2", "node3" }) { engine.Feeds.Nodes.Set(name, Scene.Node(name, kind: WebManager.Contracts.Agent.HypervisorKind.Fake)); }
        await using var portal = await PortalHost.StartAsync(engine, settings: new() { ["Lab:Enabled"] = "true" });
        var page = await browser.OpenAsync("/nodes", portal: portal);
        await Assertions.Expect(page.GetByTestId("fake-notice")).ToBeVisibleAsync();
        await page.GetByTestId("add-node").ClickAsync();
        await page.GetByTestId("node-name").FillAsync("node4");
        await page.GetByTestId("node-token").ClickAsync();
        await Assertions.Expect(page.GetByTestId("join-command")).ToContainTextAsync("wm-agent join");
        await PageTests.ShotAsync(page, "add-node-1280-light");
        Assert.Empty(await PageTests.ViolationsAsync(page, "add node"));
    }

    [Fact]
    public async Task Failing_disk_of_a_node_is_seen_where_nodes_are_seen_and_goes_when_it_works_again()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        var nodes = portal.Engine.Feeds.Nodes;
        nodes.Set("node1", nodes.Find("node1")! with { DiskFault = "Its disk is full: 3 MiB are left." });
        var page = await browser.OpenAsync("/nodes", portal: portal);
        await Assertions.Expect(page.GetByText("disk error")).ToHaveCountAsync(1);
        await page.GotoAsync(new Uri(new Uri(page.Url), "/nodes/node1").ToString());
        await Assertions.Expect(page.GetByTestId("disk-fault")).ToContainTextAsync("Its disk is full: 3 MiB are left. Nothing new is placed here.");
        Assert.Empty(await PageTests.ViolationsAsync(page, "disk-fault"));
        nodes.Set("node1", nodes.Find("node1")! with { DiskFault = null });
        await Assertions.Expect(page.GetByTestId("disk-fault")).ToHaveCountAsync(0);
    }
}
