// The secondary's plug is pulled and another node takes its place: the guest counts on, the old copy goes, the new one takes over when the primary dies.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class ReplaceSecondaryTests(LabFixture lab) : LabTest(lab)
{
    private const string Name = "mover";

    [Fact]
    public async Task New_secondary_gets_all_of_it_and_the_former_one_keeps_nothing()
    {
        var (at, ledger) = await BeatingAsync(Name);
        var (guest, old) = (Lab.Processes.Guest(at.Id)!.Pid, Portal.Disk("n2", at.Id));
        await Api.LabAsync("n2", "kill");
        await Lab.BeatsAsync(await RunsAtAsync(Name, "n1", "degraded"));
        await Refused("secondary.same", new ReplaceSecondaryRequest { Secondary = "n1" });
        var replaced = await Lab.Wm.RunAsync("instance", "replace-disks", Name, "--new-secondary", "n3");
        Assert.True(replaced.ExitCode == 0, replaced.Output + replaced.Error);
        var now = await Lab.InSyncAsync(Name);
        Assert.Equal(("n1", "n3"), (now.Primary, now.Secondary));
        Assert.Equal(guest, Lab.Processes.Guest(at.Id)?.Pid);
        Assert.True(File.Exists(old), "While n2 is away its copy stays.");

        await Lab.BackAsync("n2");
        await Until.TrueAsync(async () => (await Api.InstanceAsync(Name)).OldCopies.Count == 0, LabFixture.Patience, "the old copy is gone");
        Assert.False(File.Exists(old), "The old copy is still on n2.");
        await CopiesAreEqualAsync(now);

        await Api.SucceedsAsync(Api.ActAsync(Name, "start"));
        await Lab.BeatsAsync(await Lab.InSyncAsync(Name));
        await Api.LabAsync("n1", "kill");
        await CleanAsync(ledger, await RunsAtAsync(Name, "n3", "degraded"));
    }

    private async Task Refused(string code, ReplaceSecondaryRequest request)
    {
        var answer = await Api.SendAsync(HttpMethod.Post, $"instances/{Name}/replace-secondary", request);
        Assert.False(answer.Ok, answer.Body);
        Assert.Equal(code, answer.Problem.Code);
    }

    private async Task CopiesAreEqualAsync(InstanceView at)
    {
        await Api.SucceedsAsync(Api.ActAsync(Name, "stop", timeout: 20));
        await Until.TrueAsync(() => Lab.Processes.Guest(at.Id) is null, LabFixture.Soon, "the guest is off");
        var compared = await Shell.RunAsync("qemu-img", ["compare", "-U", Portal.Disk(at.Primary, at.Id), Portal.Disk(at.Secondary!, at.Id)]);
        Say($"qemu-img compare: {compared.Output.Trim()}");
        Assert.True(compared.ExitCode == 0, compared.Output + compared.Error);
    }
}
