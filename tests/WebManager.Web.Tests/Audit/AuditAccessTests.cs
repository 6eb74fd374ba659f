using System.Net.Http.Json;
using System.Security.Claims;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Contracts.Audit;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Audit;
using WebManager.Web.Identity;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;
using People = WebManager.Web.Tests.Support.People;

namespace WebManager.Web.Tests.Audit;

/// <summary>How far somebody sees into the audit.</summary>
public sealed class AuditAccessTests
{
    private static readonly FakeEngine s_engine = Scene.Filled();

    [Theory]
    [InlineData("u2", "instance:wiki", true)]      // her group owns it
    [InlineData("u2", "instance:web1", false)]     // power and console, but not admin
    [InlineData("u2", "instance:shop", false)]
    [InlineData("u2", "instance:nowhere", false)]
    [InlineData("u2", "wiki", false)]              // a part of a name may be another's
    [InlineData("u2", "node:node1", false)]
    [InlineData("u2", null, false)]
    [InlineData("u3", "instance:wiki", false)]     // works on the cluster, but does not administer it
    [InlineData("u3", null, false)]
    public void Whoever_has_admin_on_an_instance_sees_what_was_done_to_it(string who, string? subject, bool may)
    {
        var seen = AuditAccess.Of(User(who), s_engine, new AuditFilter { Subject = subject });
        Assert.Equal(may, seen is not null);
        if (seen is null) { return; }
        Assert.Equal(s_engine.Now.Find("wiki")!.CreatedAt, seen.Filter.From);   // a namesake before it is none of her business
        Assert.Contains("instance.start", seen.Filter.Operations!);
        Assert.DoesNotContain(seen.Filter.Operations!, o => o.StartsWith("user.", StringComparison.Ordinal) && o != "user.forget" || o.StartsWith("audit.", StringComparison.Ordinal));
        Assert.False(seen.Addresses);
        Assert.Null(AuditAccess.Of(User(who), s_engine, new AuditFilter { Subject = subject, Address = "192.0.2.1" }));
        Assert.Null(AuditAccess.Of(User(who), s_engine, new AuditFilter { Subject = subject, Also = "instance:web1" }));
        Assert.NotNull(AuditAccess.Of(User(who, s_engine.Now.Find("wiki")!.Id), s_engine, new AuditFilter { Subject = subject }));
        Assert.Null(AuditAccess.Of(User(who, s_engine.Now.Find("web1")!.Id), s_engine, new AuditFilter { Subject = subject }));
    }

    [Fact]
    public async Task Administrators_of_the_cluster_see_what_was_done_to_it_and_superusers_everything()
    {
        using var portal = new TestPortal();
        using var root = portal.Api();
        await portal.AddAsync("carol");
        await portal.AddAsync("eve");
        using var carol = await portal.ApiOfAsync("carol");
        await ApiTests.AssertProblemAsync(await carol.GetAsync("/api/v1/audit"), 403, "audit.forbidden");
        (await root.PutAsJsonAsync("/api/v1/grants", new SetGrantRequest("carol", "cluster", ["admin"]))).EnsureSuccessStatusCode();
        (await root.PostAsJsonAsync("/api/v1/user-groups", new AddUserGroupRequest("ops"))).EnsureSuccessStatusCode();
        var seen = (await carol.GetFromJsonAsync<AuditPage>("/api/v1/audit?limit=1000", WireJson.Options))!.Entries;
        Assert.Contains(seen, e => e.Operation == "user-group.add" && e.Address is not null);
        Assert.DoesNotContain(seen, e => e.Operation.StartsWith("user.", StringComparison.Ordinal));
        var all = (await root.GetFromJsonAsync<AuditPage>("/api/v1/audit?limit=1000", WireJson.Options))!.Entries;
        Assert.Contains(all, e => e.Operation == "user.create");
        Assert.DoesNotContain("user.create", await carol.GetStringAsync("/api/v1/audit/export?format=json"), StringComparison.Ordinal);
        await ApiTests.AssertProblemAsync(await carol.GetAsync("/api/v1/audit/verify"), 403, "audit.forbidden");
    }

    [Fact]
    public void Addresses_are_left_out_for_whom_they_do_not_concern()
    {
        var row = new WebManager.Web.Data.AuditRow(1, DateTimeOffset.UnixEpoch, "ada", "portal", "192.0.2.1", "instance.start", "instance:wiki", "success", null, null, "", "");
        Assert.Null(new AuditSight(new AuditFilter(), Addresses: false).Of(row).Address);
        Assert.Equal("192.0.2.1", new AuditSight(new AuditFilter(), Addresses: true).Of(row).Address);
    }

    private static ClaimsPrincipal User(string id, Guid? only = null) => new(new ClaimsIdentity(
        [new Claim(ClaimTypes.NameIdentifier, id), new Claim(ClaimTypes.Name, id), .. only is { } one ? [new Claim(Callers.OnlyClaim, one.ToString()), new Claim(Callers.OnlyClaim, "")] : Array.Empty<Claim>()], "test"));
}
