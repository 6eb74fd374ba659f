// Quotas on the portal as people run it: its own process, SQLite, three agents (with the fake hypervisor: it is about the ledger, not about guests).
using System.Globalization;
using WebManager.Contracts.Api;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class QuotaTests
{
    private static readonly Dictionary<string, string> s_fake = new() { ["Lab__Hypervisor"] = "fake" };
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Of_a_hundred_that_want_the_last_place_at_once_exactly_one_gets_it()
    {
        await using var portal = await PortalProcess.StartAsync(settings: s_fake);
        await OwnerAsync(portal.Api, "team", new LimitsView(3, null, null, null));
        foreach (var name in new[] { "one", "two" }) { await portal.Api.SucceedsAsync(portal.Api.CreateAsync(Small(name, "team"))); }
        var asked = await Task.WhenAll(Enumerable.Range(0, 100).Select(n => portal.Api.SendAsync(HttpMethod.Post, "instances", Small($"last{n}", "team"))));
        var won = Assert.Single(asked, a => a.Ok);
        Assert.All(asked.Where(a => !a.Ok), a => Assert.Equal((422, "quota.exceeded", "name"), (a.Problem.Status, a.Problem.Code, a.Problem.Field)));
        Assert.Equal("success", (await portal.Api.EndOfAsync(won.As<JobAccepted>().Job)).Status);
        Assert.Equal(3, (await portal.Api.InstancesAsync()).Count);
        await NoDifferenceAsync(portal.Api);
    }

    /// <summary>WM_QUOTA_STEPS=2000 for the long walk.</summary>
    [Fact]
    public async Task Ledger_is_right_after_random_steps_with_failures_and_kills_of_the_portal()
    {
        var steps = Number("WM_QUOTA_STEPS", 150);
        var seed = Number("WM_QUOTA_SEED", 1);
        var random = new Random(seed);
        await using var portal = await PortalProcess.StartAsync(settings: s_fake);
        await OwnerAsync(portal.Api, "red", new LimitsView(4, null, 400, null));
        await OwnerAsync(portal.Api, "blue", new LimitsView(null, 3, null, 600));
        var (accepted, refused, kills) = (0, 0, 0);
        for (var step = 0; step < steps; step++)
        {
            if (random.Next(50) == 0)
            {
                kills++;
                await portal.RestartAsync();
                continue;
            }
            if (random.Next(40) == 0) { await NodeAsync(portal, $"n{random.Next(1, 4)}"); }
            var reply = await StepAsync(portal.Api, random);
            if (reply.Ok) { accepted++; } else { refused++; }
            Assert.True(reply.Status < 500 || reply.Status == 503, $"{reply.Status}: {reply.Body}");
            if (reply.Ok && random.Next(3) > 0) { await portal.Api.EndOfAsync(reply.As<JobAccepted>().Job); }
        }
        await Until.TrueAsync(async () => (await portal.Api.JobsAsync()).All(j => j.Status is "success" or "error" or "canceled"), s_limit, "all jobs ended");
        await NoDifferenceAsync(portal.Api);
        var quotas = await portal.Api.GetAsync<IReadOnlyList<QuotaView>>("quotas");
        Assert.All(quotas, q => Assert.Equal(new UsageView(0, 0, 0, 0), q.PendingAllocated));
        var instances = await portal.Api.InstancesAsync();
        foreach (var q in quotas.Where(q => q.Name is "red" or "blue"))
        {
            var own = instances.Where(i => i.Owner == q.Name).ToList();
            Assert.Equal(new UsageView(own.Count, own.Sum(i => i.Vcpus), own.Sum(i => i.MemoryMiB), own.Sum(i => i.DisksMiB.Sum())), q.Allocated);
            Assert.True(q.Allocated.Instances <= (q.Limits.Allocated.Instances ?? int.MaxValue) && q.Allocated.Vcpus <= (q.Limits.Allocated.Vcpus ?? int.MaxValue)
                && q.Allocated.MemoryMiB <= (q.Limits.Allocated.MemoryMiB ?? long.MaxValue) && q.Allocated.DiskMiB <= (q.Limits.Allocated.DiskMiB ?? long.MaxValue), $"{q}");
        }
        TestContext.Current.SendDiagnosticMessage($"steps={steps} seed={seed} accepted={accepted} refused={refused} kills={kills} instances={instances.Count}: no difference");
        Assert.True(accepted > steps / 5 && refused > 0 && kills > 0, $"accepted {accepted}, refused {refused}, kills {kills}");
    }

    /// <summary>One random thing that somebody may ask for.</summary>
    private static Task<Reply> StepAsync(Api api, Random random)
    {
        var (name, owner) = ($"i{random.Next(8)}", random.Next(2) == 0 ? "red" : "blue");
        return random.Next(10) switch
        {
            < 4 => api.SendAsync(HttpMethod.Post, "instances", Small(name, owner) with
            {
                MemoryMiB = 96 + (32 * random.Next(4)), Template = random.Next(3) switch { 0 => "diskless", 1 => "file", _ => "mirror" }, Start = random.Next(3) > 0,
            } is var r && r.Template == "diskless" ? r : r with { DisksMiB = [64 * random.Next(1, 4)] }),
            4 => api.SendAsync(HttpMethod.Post, $"instances/{name}/start", new InstanceActionRequest()),
            5 => api.SendAsync(HttpMethod.Post, $"instances/{name}/stop", new InstanceActionRequest { TimeoutSeconds = 1 }),
            6 => api.SendAsync(HttpMethod.Post, $"instances/{name}/reboot", new InstanceActionRequest { TimeoutSeconds = 1 }),
            7 => api.SendAsync(HttpMethod.Post, $"instances/{name}/migrate", new MigrateInstanceRequest()),
            8 => api.SendAsync(HttpMethod.Post, $"instances/{name}/change-owner", new ChangeOwnerRequest($"usergroup:{owner}")),
            _ => api.SendAsync(HttpMethod.Delete, $"instances/{name}"),
        };
    }

    /// <summary>A node dies and is back a moment later: what is under way there fails.</summary>
    private static async Task NodeAsync(PortalProcess portal, string node)
    {
        await portal.Api.LabAsync(node, "kill");
        await Until.TrueAsync(async () => (await portal.Api.NodeAsync(node)).Health != "online", s_limit, $"{node} is missed");
        // On a machine that has much to do an agent may need longer than the lab waits for it.
        await Until.TrueAsync(async () => (await portal.Api.SendAsync(HttpMethod.Post, $"lab/nodes/{node}/start")) is { Ok: true } or { Status: 409 } && (await portal.Api.NodeAsync(node)).Health == "online", s_limit, $"{node} is back");
        await portal.AllOnlineAsync();
    }

    private static CreateInstanceRequest Small(string name, string owner) => new(name, "tiny-linux", 1, 96, "diskless", []) { Owner = $"usergroup:{owner}" };

    private static async Task OwnerAsync(Api api, string group, LimitsView limits)
    {
        await api.SucceedsAsync(JobAsync(api.SendAsync(HttpMethod.Post, "user-groups", new AddUserGroupRequest(group))));
        await api.SucceedsAsync(JobAsync(api.SendAsync(HttpMethod.Put, $"quotas/usergroup:{group}", new SetQuotaRequest(new QuotaLimitsView(limits, new LimitsView(null, null, null, null))))));
    }

    private static async Task NoDifferenceAsync(Api api)
    {
        var job = await JobAsync(api.SendAsync(HttpMethod.Post, "quotas/recount", new RecountRequest()));
        Assert.Contains("no difference", Assert.Single(await api.LogAsync(job)));
    }

    private static async Task<long> JobAsync(Task<Reply> reply) => (await reply).As<JobAccepted>().Job;

    private static int Number(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : usual;
}
