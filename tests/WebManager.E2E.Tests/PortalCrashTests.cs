// kill -9 of the portal at every step boundary of a create, a failover and a remove: the next portal brings the job to a clean end.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class PortalCrashTests(LabFixture lab) : LabTest(lab)
{
    private const string Name = "subject";

    [Theory]
    [InlineData("reserve")]
    [InlineData("disks")]
    [InlineData("start.record")]
    [InlineData("settled")]
    public async Task Create_ends_cleanly_after_the_portal_was_killed_at(string step)
    {
        var bystander = await BystanderAsync();
        var job = await CrashAsync($"instance.create:{step}", () => Api.CreateAsync(LabFixture.Mirrored(Name)));
        if (job.Status == "success")
        {
            var made = await Lab.InSyncAsync(Name);
            await Lab.BeatsAsync(made);
        }
        else
        {
            Assert.Null(await Api.FindAsync(Name));
        }
        await EndsWellAsync(step, job, bystander);
    }

    [Theory]
    [InlineData("stop")]
    [InlineData("stopped")]
    [InlineData("swapped")]
    [InlineData("start.record")]
    [InlineData("settled")]
    public async Task Failover_ends_cleanly_after_the_portal_was_killed_at(string step)
    {
        var bystander = await BystanderAsync();
        var before = await Lab.CreateAsync(LabFixture.Mirrored(Name));
        await Lab.BeatsAsync(before);
        var from = Portal.Serial(before.Secondary!, before.Id).End;
        var job = await CrashAsync($"instance.failover:{step}", () => Api.ActAsync(Name, "failover", timeout: 10));
        var after = await Lab.InSyncAsync(Name);
        Assert.Equal("success", job.Status);
        Assert.Equal(before.Secondary, after.Primary);
        var next = Portal.Serial(after);
        await Until.TrueAsync(() => next.Resume(from) is not null, LabFixture.Soon, "resume N");
        Assert.True(next.Resume(from) >= Portal.Serial(before).HighestBeat(), "A record is missing after the failover.");
        await EndsWellAsync(step, job, bystander);
    }

    [Theory]
    [InlineData("removing")]
    [InlineData("remove")]
    [InlineData("settled")]
    public async Task Remove_ends_cleanly_after_the_portal_was_killed_at(string step)
    {
        var bystander = await BystanderAsync();
        await Lab.CreateAsync(LabFixture.Mirrored(Name));
        var job = await CrashAsync($"instance.remove:{step}", () => Api.RemoveAsync(Name));
        Assert.Equal("success", job.Status);
        Assert.Null(await Api.FindAsync(Name));
        await EndsWellAsync(step, job, bystander);
    }

    /// <summary>Another guest, which none of this may touch.</summary>
    private async Task<(InstanceView Instance, int Pid)> BystanderAsync()
    {
        var made = await Lab.CreateAsync(LabFixture.Diskless("bystander"));
        return (made, Lab.Processes.Guest(made.Id)!.Pid);
    }

    private async Task<JobView> CrashAsync(string at, Func<Task<long>> submit)
    {
        await Portal.RestartAsync(crashAt: at);
        await Portal.AllOnlineAsync();
        var job = await JobOfAsync(submit);
        await Portal.EndedAsync(TimeSpan.FromSeconds(60), $"it should have crashed at {at}");
        await Portal.BeginAsync();
        return await Api.EndOfAsync(job ?? (await Api.JobsAsync(1))[0].Id);
    }

    /// <summary>The portal may die before it has answered; then the job is the newest one.</summary>
    private static async Task<long?> JobOfAsync(Func<Task<long>> submit)
    {
        try
        {
            return await submit();
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private async Task EndsWellAsync(string step, JobView job, (InstanceView Instance, int Pid) bystander)
    {
        Say($"{job.Operation} killed at {step}: {job.Status} {job.Error}");
        await World.MatchesAsync(Portal);
        Assert.Equal(bystander.Pid, Lab.Processes.Guest(bystander.Instance.Id)?.Pid);
    }
}
