using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Components.Pages.Instances;
using WebManager.Web.Components.Pages.Templates;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Tests.Pages;

/// <summary>Pages of templates draw what changed and let go of their feeds; what is typed comes back as it was.</summary>
public sealed class TemplateLiveTests : BunitContext
{
    private readonly FakeEngine _engine = Scene.Filled();

    public TemplateLiveTests()
    {
        _engine.Rule = AccessScene.DoorOf(_engine, AccessScene.Bob);
        Services.AddSingleton<IClusterEngine>(_engine).AddSingleton<IImageCatalog>(_engine).AddSingleton(TimeProvider.System).AddSingleton(AccessScene.People);
        Services.AddSingleton(_ => Task.Run(Audit.AuditScene.StoreAsync).GetAwaiter().GetResult().Log);   // away from the renderer, which waits for it here
        Services.AddScoped<Toasts>();
        Services.AddScoped<Questions>();
        JSInterop.Mode = JSRuntimeMode.Loose;
        RenderTree.Add<CascadingValue<Caller>>(p => p.Add(v => v.Value, AccessScene.Bob));
        DefaultWaitTimeout = TimeSpan.FromSeconds(30);   // the machine may be busy
    }

    [Fact]
    public async Task Leaving_ends_all_subscriptions()
    {
        Render<TemplateList>();
        Render<TemplatePage>(p => p.Add(x => x.Name, "course"));
        Render<InstanceNew>();
        Assert.Equal(3, _engine.Feeds.Templates.SubscriberCount);
        await DisposeComponentsAsync();
        Assert.Equal((0, 0, 0), (_engine.Feeds.Templates.SubscriberCount, _engine.Feeds.Grants.SubscriberCount, _engine.Feeds.UserGroups.SubscriberCount));
    }

    [Fact]
    public async Task A_template_that_changes_or_goes_does_so_on_the_open_page()
    {
        var (list, page) = (Render<TemplateList>(), Render<TemplatePage>(p => p.Add(x => x.Name, "course")));
        var old = _engine.Now.Templates[AccessScene.Course];
        var more = new Changes();
        more.Templates.Add(old with { Parameters = old.Parameters with { Vcpus = 4 }, Revision = 2 });
        AccessScene.Set(_engine, more);
        await page.WaitForAssertionAsync(() => Assert.Equal("4", page.Find("[data-testid=fact-vcpus]").TextContent));
        await list.WaitForAssertionAsync(() => Assert.Contains("4 vCPU", list.Find("[data-testid=template-row-course]").TextContent, StringComparison.Ordinal));
        var gone = new Changes();
        gone.TemplatesRemoved.Add(AccessScene.Course);
        AccessScene.Set(_engine, gone);
        await page.WaitForAssertionAsync(() => Assert.Contains("was removed", page.Markup, StringComparison.Ordinal));
        await list.WaitForAssertionAsync(() => Assert.Contains("None was given to you", list.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public void Values_are_read_as_typed_and_come_back_as_they_were()
    {
        var template = _engine.Now.Templates[AccessScene.Course];
        var form = TemplateForm.Of(template);
        Assert.Equal(("course", "256M", "2G 10G", "1"), (form.Name, form.Memory, string.Join(' ', form.Disks), form.Nics));
        Assert.Equivalent(template.Parameters, form.Read(["beat"]).Parameters, strict: true);
        Assert.Empty(form.Read([]).Parameters!.OsParams);   // of another image
        (form.Vcpus, form.Memory, form.Nics, form.Name) = ("none", "much", "-1", " ");
        form.Disks[1] = "";
        Assert.Equal(["disksMiB", "memoryMiB", "name", "nics", "vcpus"], form.Read([]).Errors.Keys.Order());
    }
}
