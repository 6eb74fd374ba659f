using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Components.Layout;
using WebManager.Web.Components.Pages.Quotas;
using WebManager.Web.Components.Pages.Rights;
using WebManager.Web.Components.Pages.UserGroups;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Tests.Pages;

/// <summary>Pages of people draw what changed and let go of their feeds; limits read and show as people write them.</summary>
public sealed class AccessLiveTests : BunitContext
{
    private readonly FakeEngine _engine = Scene.Filled();

    public AccessLiveTests()
    {
        Services.AddSingleton<IClusterEngine>(_engine).AddSingleton(TimeProvider.System).AddSingleton(AccessScene.People).AddSingleton<IClusterStore>(new PortalHost.NoStore(_engine));
        Services.AddSingleton(_ => Task.Run(Audit.AuditScene.StoreAsync).GetAwaiter().GetResult().Log);   // away from the renderer, which waits for it here
        Services.AddScoped<Toasts>();
        Services.AddScoped<Questions>();
        JSInterop.Mode = JSRuntimeMode.Loose;
        DefaultWaitTimeout = TimeSpan.FromSeconds(30);   // the machine may be busy
    }

    private void As(Caller who) => RenderTree.Add<CascadingValue<Caller>>(p => p.Add(v => v.Value, who));

    [Fact]
    public async Task Leaving_the_pages_of_people_ends_all_their_subscriptions()
    {
        As(AccessScene.Admin);
        var feeds = _engine.Feeds;
        Render<SideNav>();
        Render<UserGroupList>();
        Render<UserGroupPage>(p => p.Add(x => x.Name, "research"));
        Render<QuotaList>();
        Render<QuotaPage>(p => p.Add(x => x.Owner, "usergroup:research"));
        Render<AccessPage>();
        Render<RightsPage>(p => p.Add(x => x.Name, "anna"));
        Assert.True(feeds.Grants.SubscriberCount >= 6 && feeds.Owners.SubscriberCount >= 4);
        await DisposeComponentsAsync();
        Assert.Equal((0, 0, 0, 0), (feeds.UserGroups.SubscriberCount, feeds.Grants.SubscriberCount, feeds.Owners.SubscriberCount, feeds.Instances.SubscriberCount));
    }

    [Fact]
    public async Task A_group_that_one_leaves_goes_from_the_open_page_with_its_quota()
    {
        As(AccessScene.Bob);
        _engine.Rule = AccessScene.DoorOf(_engine, AccessScene.Bob);
        var (list, page) = (Render<UserGroupList>(), Render<UserGroupPage>(p => p.Add(x => x.Name, "ops")));
        Assert.Contains("bob", page.Find("[data-testid=members]").TextContent, StringComparison.Ordinal);
        var without = new Changes();
        without.UserGroups.Add(_engine.Now.UserGroups[AccessScene.Ops] with { Members = [new("u2", null)] });
        AccessScene.Set(_engine, without);
        await list.WaitForAssertionAsync(() => Assert.Contains("You are in no group", list.Markup, StringComparison.Ordinal));
        await page.WaitForAssertionAsync(() => Assert.Empty(page.FindAll("[data-testid=members]")));
    }

    [Fact]
    public async Task A_renamed_group_keeps_its_open_page()
    {
        As(AccessScene.Admin);
        var page = Render<UserGroupPage>(p => p.Add(x => x.Name, "ops"));
        _engine.Feeds.UserGroups.Set(AccessScene.Ops, _engine.Feeds.UserGroups.Find(AccessScene.Ops)! with { Name = "night-shift" });
        var nav = Services.GetRequiredService<NavigationManager>();
        await page.WaitForAssertionAsync(() => Assert.EndsWith("/user-groups/night-shift", nav.Uri, StringComparison.Ordinal));
        page.Render(p => p.Add(x => x.Name, "night-shift"));
        Assert.Equal("night-shift", page.Find("h1").TextContent);
    }

    [Theory]
    [InlineData(3, 0, 4L, "3 of 4", "tone-ok", "")]
    [InlineData(3, 1, 4L, "3 + 1 pending of 4", "tone-warn", "")]
    [InlineData(6, 1, 4L, "6 + 1 pending of 4", "tone-bad", "3 over the limit")]
    [InlineData(0, 0, 0L, "0 of 0", "tone-ok", "")]
    [InlineData(1, 0, 0L, "1 of 0", "tone-bad", "1 over the limit")]
    [InlineData(9, 0, null, "9, no limit", "tone-idle", "")]
    public void Meter_says_used_pending_limit_and_excess(int used, int pending, long? limit, string text, string tone, string excess)
    {
        var meter = Render<QuotaMeter>(p => p.Add(m => m.Label, "Instances").Add(m => m.Used, used).Add(m => m.Pending, pending).Add(m => m.Limit, limit));
        Assert.Equal(text, meter.Find(".num").TextContent);
        Assert.Contains(tone, meter.Find("svg").ClassName!, StringComparison.Ordinal);
        Assert.Equal(excess.Length > 0, meter.FindAll("p").Count > 0);
        Assert.Contains(excess, meter.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_are_read_as_typed_and_come_back_as_they_were()
    {
        var form = new LimitsForm { Instances = " 3 ", Vcpus = "0", Memory = "1.5G", Disk = "0", RunningMemory = "512" };
        var (limits, errors) = form.Read();
        Assert.Empty(errors);
        Assert.Equal(new QuotaLimits(new Limits(3, 0, 1536, 0), new Limits(null, null, 512, null)), limits);
        var again = LimitsForm.Of(limits);
        Assert.Equal(("3", "0", "1536M", "0", "", "512M"), (again.Instances, again.Vcpus, again.Memory, again.Disk, again.RunningInstances, again.RunningMemory));
        Assert.Equal(["disk", "instances", "runningVcpus"], new LimitsForm { Instances = "-1", Disk = "many", RunningVcpus = "1.5" }.Read().Errors.Keys.Order());
    }
}
