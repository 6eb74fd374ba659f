// Another secondary while both copies are good: three copies for a while, and never fewer than two good ones (R4, H7).
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

[Collection(Bench.OneAtATime)]
[Trait("Speed", "Slow")]
public sealed class ThirdCopyTests(ITestOutputHelper output)
{
    private async Task<(GuestSpec Spec, IGuest Guest)> InSyncAsync(Bench bench, int disks = 1, long sizeMiB = 64)
    {
        Bench.NeedsImage();
        var spec = Bench.Spec(DiskTemplate.Mirror, disks, sizeMiB);
        var record = Bench.Record(spec, 1, SyncState.InSync);
        var guest = await bench.StartAsync(spec, record, await bench.OpenAsync(spec, record));
        guest.Changed += (_, kind, text) => output.WriteLine($"{kind}: {text}");
        await bench.BeatsOnAsync(spec);
        return (spec, guest);
    }

    private static async Task<GenerationRecord> BeginAsync(ThirdNode third, GuestSpec spec, IGuest guest, long number = 2)
    {
        var candidate = ThirdNode.Candidate(spec, number);
        Bench.Refuted(await guest.AddCopyAsync(candidate, await third.OpenAsync(spec, candidate), default));
        return candidate;
    }

    private static async Task<GenerationRecord> JoinAsync(Bench bench, ThirdNode third, GuestSpec spec, IGuest guest, long number = 2)
    {
        var candidate = await BeginAsync(third, spec, guest, number);
        await Until.TrueAsync(() => guest.Third?.Phase != ThirdPhase.Copying, "joined");
        Assert.Equal((ThirdPhase.Joined, MirrorPhase.InSync, GuestPhase.Running), (guest.Third!.Phase, guest.Mirror, guest.Phase));
        Assert.InRange(guest.Third.Copy!.PausedMs!.Value, 0, 1000 * (long)Bench.Slowness);
        await bench.BeatsOnAsync(spec, 10);
        return candidate;
    }

    private static async Task HasAllAsync(string folder, GuestSpec spec, int said)
    {
        await using var other = new Bench();
        Directory.CreateDirectory(Path.GetDirectoryName(other.Primary.FolderOf(spec.Instance))!);
        Directory.Move(folder, other.Primary.FolderOf(spec.Instance));
        await other.StartAsync(spec, Bench.Record(spec, 9, SyncState.Alone));
        await Until.TrueAsync(() => other.Serial(spec).Contains("resume ", StringComparison.Ordinal), "resume");
        await other.BeatsOnAsync(spec, 1);
        Assert.InRange(int.Parse(other.Serial(spec).Split("resume ")[1].Split('\n')[0].Trim(), null), said, said + 1);
    }

    [Fact]
    public async Task On_three_copies_each_of_them_has_every_acknowledged_write()
    {
        await using var bench = new Bench();
        await using var third = new ThirdNode(bench);
        var (spec, guest) = await InSyncAsync(bench, disks: 2);
        await JoinAsync(bench, third, spec, guest);
        await bench.BeatsOnAsync(spec, 20);
        await bench.Processes.KillAsync($"guest:{spec.Instance}", default);
        var said = bench.Beat(spec);
        Bench.Refuted(await bench.Exporter.CloseAsync(spec.Instance, default));
        Bench.Refuted(await third.Exporter.CloseAsync(spec.Instance, default));
        await HasAllAsync(bench.Secondary.FolderOf(spec.Instance), spec, said);
        await HasAllAsync(third.Images.FolderOf(spec.Instance), spec, said);
    }

    [Fact]
    public async Task Former_secondary_is_left_once_the_candidate_is_the_record_and_changes_are_marked_for_the_new_one()
    {
        await using var bench = new Bench();
        await using var third = new ThirdNode(bench);
        bench.Options.FlushMark = TimeSpan.FromSeconds(0.2);
        var (spec, guest) = await InSyncAsync(bench, sizeMiB: 256);
        await bench.FillAsync(spec, guest, 'a', 100, 30);
        var candidate = await JoinAsync(bench, third, spec, guest);
        guest.Recorded(candidate);
        await Until.TrueAsync(() => guest.Third is null, "on the new pair");
        Assert.Equal((MirrorPhase.InSync, GuestPhase.Running), (guest.Mirror, guest.Phase));
        await bench.Processes.KillAsync($"export:{spec.Instance}", default);
        await bench.BeatsOnAsync(spec, 10);
        await Until.TrueAsync(() => ((QemuGuest)guest).Marked < 1024 * 1024, "what both have on disk is no longer marked");

        await third.KillAsync(spec);
        await Until.TrueAsync(() => guest.Mirror == MirrorPhase.Broken, "broken");
        Bench.Refuted(await guest.DegradeAsync(Bench.Record(spec, 3, SyncState.Alone), default));
        await bench.FillAsync(spec, guest, 'b', 150, 10);
        var alone = Bench.Record(spec, 4, SyncState.Alone) with { Secondary = ThirdNode.Name };
        var opened = await third.Exporter.OpenAsync(spec, alone, default);
        Bench.Refuted(opened);
        Bench.Refuted(await guest.ResyncAsync(alone, opened.Value! with { Holds = DiskBitmaps.EqualUnder(candidate) }, _ => Task.CompletedTask, default));
        await Until.TrueAsync(() => guest.Mirror == MirrorPhase.Promised, "copied");
        Assert.Equal(0, guest.Copy!.ComparedBytes);
        Assert.InRange(guest.Copy.MovedBytes / 1048576, 10, 20);
        await bench.BeatsOnAsync(spec);
    }

    [Theory]
    [InlineData("killed")]
    [InlineData("frozen")]
    public async Task New_copy_that_is_lost_makes_the_guest_wait_until_it_is_put_back_on_its_pair(string fault)
    {
        await using var bench = new Bench();
        await using var third = new ThirdNode(bench);
        var (spec, guest) = await InSyncAsync(bench, disks: 2);
        var candidate = await JoinAsync(bench, third, spec, guest);
        if (fault == "killed") await third.KillAsync(spec);
        else Real.Signal(third.Processes.PidOf($"export:{spec.Instance}"), 19);
        await Until.TrueAsync(() => guest is { Mirror: MirrorPhase.Broken, Phase: GuestPhase.Paused, Third.Lost: true }, "waits");
        Assert.Null(guest.CopyFault);
        Bench.Refuted(await guest.DropCopyAsync(candidate, default));
        Assert.Null(guest.Third);
        await bench.BeatsOnAsync(spec, 10);
        Assert.Equal((MirrorPhase.InSync, GuestPhase.Running), (guest.Mirror, guest.Phase));

        // A second try under the same number; the first one's nodes and export are gone.
        await third.KillAsync(spec);
        candidate = candidate with { Tag = "second" };
        Bench.Refuted(await guest.AddCopyAsync(candidate, await third.OpenAsync(spec, candidate), default));
        await Until.TrueAsync(() => guest.Third?.Phase == ThirdPhase.Joined, "joined again");
        Bench.Refuted(await guest.DropCopyAsync(candidate, default));
        await bench.BeatsOnAsync(spec);
        await bench.Processes.KillAsync($"guest:{spec.Instance}", default);
        var said = bench.Beat(spec);
        Bench.Refuted(await bench.Exporter.CloseAsync(spec.Instance, default));
        await HasAllAsync(bench.Secondary.FolderOf(spec.Instance), spec, said);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Former_secondary_lost_on_three_copies(bool decided)
    {
        await using var bench = new Bench();
        await using var third = new ThirdNode(bench);
        var (spec, guest) = await InSyncAsync(bench);
        var candidate = await JoinAsync(bench, third, spec, guest);
        await bench.Processes.KillAsync($"export:{spec.Instance}", default);
        await Until.TrueAsync(() => guest is { Mirror: MirrorPhase.Broken, Phase: GuestPhase.Paused, Third.Lost: false }, "waits");
        if (decided) guest.Recorded(candidate);
        else Bench.Refuted(await guest.DegradeAsync(Bench.Record(spec, 2, SyncState.Alone), default));
        await Until.TrueAsync(() => guest.Third is null, "told");
        await bench.BeatsOnAsync(spec, 10);
        Assert.Equal((decided ? MirrorPhase.InSync : MirrorPhase.Alone, GuestPhase.Running), (guest.Mirror, guest.Phase));
    }

    [Fact]
    public async Task Restarted_agent_finds_three_copies_and_drops_what_was_not_joined()
    {
        await using var bench = new Bench();
        await using var third = new ThirdNode(bench);
        var (spec, guest) = await InSyncAsync(bench, sizeMiB: 256);
        var (record, pid) = (Bench.Record(spec, 1, SyncState.InSync), guest.Pid);
        async Task RestartAsync(GenerationRecord under)
        {
            await bench.RestartAgentsAsync();
            await bench.Exporter.AdoptAsync(spec.Instance, default);
            guest = await bench.AdoptAsync(spec, pid, under);
            Assert.Equal((MirrorPhase.InSync, GuestPhase.Running), (guest.Mirror, guest.Phase));
        }

        await bench.FillAsync(spec, guest, 'a', 100, 60);
        bench.Options.CopyRateMiB = 10;
        await BeginAsync(third, spec, guest);
        await Until.TrueAsync(() => guest.Third?.Copy?.MovedBytes > 10 << 20, "in the middle");
        await RestartAsync(record);
        Assert.Null(guest.Third);
        await bench.BeatsOnAsync(spec);

        bench.Options.CopyRateMiB = null;
        var candidate = await JoinAsync(bench, third, spec, guest, 3);
        await RestartAsync(record);
        Assert.True(guest.Third is { Phase: ThirdPhase.Joined } found && found.Is(candidate));
        await bench.BeatsOnAsync(spec);

        // Decided, and the agent ends before it has done it.
        await RestartAsync(candidate);
        await Until.TrueAsync(() => guest.Third is null, "on the new pair");
        await bench.Processes.KillAsync($"export:{spec.Instance}", default);
        await bench.BeatsOnAsync(spec, 10);
        Assert.Equal((MirrorPhase.InSync, GuestPhase.Running), (guest.Mirror, guest.Phase));
    }

    [Theory]
    [InlineData("killed")]
    [InlineData("frozen")]
    [InlineData("cancelled")]
    public async Task Copy_that_fails_costs_the_guest_nothing(string fault)
    {
        await using var bench = new Bench();
        await using var third = new ThirdNode(bench);
        bench.Options.CopyStall = TimeSpan.FromSeconds(2);
        bench.Options.CopyRateMiB = 10;
        var (spec, guest) = await InSyncAsync(bench, sizeMiB: 256);
        await bench.FillAsync(spec, guest, 'a', 100, 60);
        var candidate = await BeginAsync(third, spec, guest);
        await Until.TrueAsync(() => guest.Third?.Copy?.MovedBytes > 10 << 20, "in the middle");
        if (fault == "killed") await third.KillAsync(spec);
        if (fault == "frozen") Real.Signal(third.Processes.PidOf($"export:{spec.Instance}"), 19);
        if (fault == "cancelled") Bench.Refuted(await guest.DropCopyAsync(candidate, default));
        await Until.TrueAsync(() => guest.Third is null or { Phase: ThirdPhase.Failed }, "given up");
        Assert.Equal(fault == "cancelled", guest.Third is null);
        await bench.BeatsOnAsync(spec, 10);
        Assert.Equal((MirrorPhase.InSync, GuestPhase.Running), (guest.Mirror, guest.Phase));
    }
}
