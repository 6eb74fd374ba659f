using Microsoft.Playwright;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;

namespace WebManager.Web.Tests.Pages;

/// <summary>Restarting an agent on its node's page, and what is seen of versions.</summary>
public sealed class AgentRestartTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Agent_is_restarted_after_a_question_by_keyboard_and_its_silence_is_called_by_its_name()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        var page = await browser.OpenAsync("/nodes/node1", portal: portal);
        await page.GetByTestId("node-restart-agent").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Restart the agent of node1?");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Guests run on.");
        Assert.Empty(portal.Engine.Asked);
        Assert.Empty(await PageTests.ViolationsAsync(page, "restart-agent"));
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Restart agent" }).ClickAsync();
        await Assertions.Expect(page.GetByTestId("toast").Last).ToBeVisibleAsync();
        Assert.Equal(new RestartAgent("node1"), portal.Engine.Asked.Single());

        var restart = new AgentRestart(DateTimeOffset.UtcNow, "anna", TimeSpan.FromSeconds(20), 7);
        portal.Engine.Feeds.Nodes.Set("node1", Scene.Node("node1", NodeHealth.Suspect) with { AgentRestart = restart });
        await Assertions.Expect(page.GetByTestId("agent-restarts")).ToContainTextAsync("It does not answer; that is expected for 20 s.");
        await Assertions.Expect(page.GetByTestId("node-health")).ToContainTextAsync("Agent restarts");
        await Assertions.Expect(page.Locator("body")).Not.ToContainTextAsync("No answer");
        Assert.Empty(await PageTests.ViolationsAsync(page, "agent-restarts"));
        await page.GotoAsync("/nodes");
        await Assertions.Expect(page.GetByTestId("agent-restarts-node1")).ToContainTextAsync("agent restarts");
    }

    [Fact]
    public async Task Versions_are_told_where_they_differ_from_the_portals()
    {
        await using var portal = await PortalHost.StartAsync(Scene.Filled());
        portal.Engine.Feeds.Nodes.Set("node1", Scene.Node("node1") with { Version = "0.9.0+1234abcd", Keeper = new KeeperFacts("0.8.0+1234abcd", Older: true) });
        var page = await browser.OpenAsync("/nodes", portal: portal);
        await Assertions.Expect(page.GetByTestId("agent-differs-node1")).ToContainTextAsync("agent 0.9.0+1234abcd");
        await Assertions.Expect(page.GetByTestId("agent-differs-node2")).ToHaveCountAsync(0);
        await page.GotoAsync("/nodes/node1");
        await Assertions.Expect(page.GetByTestId("agent-version")).ToContainTextAsync($"the portal is {WebManager.Web.Hosting.PortalVersion.Own}");
        await Assertions.Expect(page.GetByTestId("keeper-version")).ToContainTextAsync("runs version 0.8.0+1234abcd until its guests have left");
        Assert.Empty(await PageTests.ViolationsAsync(page, "versions"));
    }
}
