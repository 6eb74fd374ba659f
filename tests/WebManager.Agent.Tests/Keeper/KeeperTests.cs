using System.Diagnostics;
using WebManager.Agent.Keeper;
using WebManager.Contracts;
using WebManager.Testing;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.Agent.Tests.Keeper;

/// <summary>A real keeper process with `sleep` for guests.</summary>
[Trait("Speed", "Slow")]
public sealed class KeeperTests : IAsyncLifetime
{
    private static readonly TimeSpan Isolation = TimeSpan.FromSeconds(1);
    private readonly string _dir = Directory.CreateTempSubdirectory("wm-k").FullName;
    private readonly List<ProcessEnd> _ends = [];
    private readonly List<bool> _pauses = [];
    private KeeperClient _keeper = null!;

    public async ValueTask InitializeAsync()
    {
        _keeper = NewClient();
        Assert.True(await _keeper.WaitAsync(TimeSpan.FromSeconds(20), default));
    }

    public async ValueTask DisposeAsync()
    {
        // Not by way of the client: a new keeper would be started.
        await _keeper.DisposeAsync();
        if (File.Exists(Path.Combine(_dir, "keeper/pid"))) Real.Kill(int.Parse(File.ReadAllText(Path.Combine(_dir, "keeper/pid"))));
        await Until.TrueAsync(() => Real.TryDelete(_dir));
    }

    [Fact]
    public async Task Guest_stands_still_before_its_deadline_and_goes_on_with_an_answer()
    {
        var record = Record(SyncState.InSync);
        var (issued, nonce, pid) = await StartAsync(record);
        await Until.TrueAsync(() => Real.IsStopped(pid));
        Assert.InRange(issued.Elapsed.TotalMilliseconds, 700, 1100);
        await Until.TrueAsync(() => _pauses.Count == 1 || _ends.Count == 1);
        while (issued.Elapsed < Isolation * 3)
        {
            Assert.True(Real.IsStopped(pid));
            await Task.Delay(10);
        }

        Assert.True(Assert.Single((await _keeper.StatusAsync(default))!.Live).Paused);
        _keeper.Answer(nonce, [record]);                                           // an old one gives nothing
        _keeper.Answer(await _keeper.ChallengeAsync(default), [record with { Number = 0, Tag = "0" }]);
        await Task.Delay(100);
        Assert.True(Real.IsStopped(pid));
        _keeper.Answer(await _keeper.ChallengeAsync(default), [record]);
        await Until.TrueAsync(() => !Real.IsStopped(pid));
        Assert.True(Real.IsAlive(pid));
        await Until.TrueAsync(() => _pauses.Count == 2);
        Assert.Equal([true, false], _pauses);
        Assert.Empty(_ends);
    }

    [Fact]
    public async Task Paused_guest_goes_on_alone_under_a_newer_record_and_dies_of_another_primary()
    {
        var (mine, theirs) = (Record(SyncState.InSync), Record(SyncState.InSync));
        var (a, b) = ((await StartAsync(mine)).Pid, (await StartAsync(theirs)).Pid);
        await Until.TrueAsync(() => Real.IsStopped(a) && Real.IsStopped(b));
        var leave = mine with { Number = 2, Tag = "2", Sync = SyncState.Alone };
        _keeper.Answer(null, [leave, theirs with { Number = 2, Tag = "2", Primary = "n2", Secondary = "n1" }]);
        await Until.TrueAsync(() => !Real.IsAlive(b));
        // Hearing of it is not enough: the node stores it first.
        Assert.True(Real.IsStopped(a));
        Assert.True((await _keeper.AdoptAsync(leave, default)).Ok);
        await Until.TrueAsync(() => !Real.IsStopped(a));
        await Task.Delay(Isolation + TimeSpan.FromMilliseconds(300));
        Assert.True(Real.IsAlive(a) && !Real.IsStopped(a));
        await Until.TrueAsync(() => _ends.Count == 1);
        Assert.Equal((9, true), (_ends[0].Signal, _ends[0].ByKeeper));
    }

    [Fact]
    public async Task Paused_guest_that_is_killed_never_goes_on()
    {
        // Much memory: its death takes long enough to look at.
        var record = Record(SyncState.InSync);
        var (_, _, pid) = await StartAsync(record, Sleep(record) with { Arguments = ["perl", "-e", "my $x = 'x' x 400000000; sleep 600"] });
        await Until.TrueAsync(() => _pauses.Count == 1);
        var killed = _keeper.KillAsync(Sleep(record).Id, default);
        while (!killed.IsCompleted) Assert.True(NodeProcesses.Rests(pid), "It seemed to run while it died.");
        await killed;
        await Until.TrueAsync(() => _ends.Count == 1);
        Assert.Equal([true], _pauses);
    }

    [Fact]
    public async Task Guest_continued_behind_the_keepers_back_is_killed_and_a_keeper_that_dies_takes_paused_guests_along()
    {
        var (one, two) = (Record(SyncState.InSync), Record(SyncState.InSync));
        var a = (await StartAsync(one)).Pid;
        var (issued, _, b) = await StartAsync(two);
        await Until.TrueAsync(() => _pauses.Count == 2 && issued.Elapsed > Isolation);
        Assert.True(Real.IsStopped(a) && Real.IsStopped(b));
        var keeper = (await _keeper.StatusAsync(default))!.Pid;
        // No kernel timer is armed for guests that stand still: a keeper that stalls now harms nobody.
        Real.Signal(keeper, 19);
        await Task.Delay(Isolation * 1.5);
        Assert.True(Real.IsAlive(keeper) && Real.IsStopped(a) && Real.IsStopped(b));
        Real.Signal(keeper, 18);
        Real.Signal(a, 18);
        await Until.TrueAsync(() => !Real.IsAlive(a));
        Assert.True(Real.IsStopped(b));
        Real.Kill(keeper);
        await Until.TrueAsync(() => !Real.IsAlive(b));
    }

    [Fact]
    public async Task Answers_keep_it_going_and_their_end_pauses_it()
    {
        var record = Record(SyncState.InSync);
        var (_, _, pid) = await StartAsync(record);
        for (var i = 0; i < 15; i++)
        {
            _keeper.Answer(await _keeper.ChallengeAsync(default), [record]);
            await Task.Delay(100);
            Assert.True(Real.IsAlive(pid) && !Real.IsStopped(pid));
        }

        await Until.TrueAsync(() => Real.IsStopped(pid));
    }

    [Fact]
    public async Task In_sync_guest_is_not_started_without_a_lease()
    {
        var refused = await _keeper.SpawnAsync(Sleep(Record(SyncState.InSync)), default);
        Assert.Equal("lease.missing", refused.Refusal?.Code);
    }

    [Fact]
    public async Task What_waited_becomes_the_guest_only_with_a_lease_and_dies_as_one()
    {
        var record = Record(SyncState.InSync);
        var (waiting, guest) = ($"incoming:{record.Instance}", $"guest:{record.Instance}");
        var pid = (await _keeper.SpawnAsync(Sleep(record) with { Id = waiting, Record = null }, default)).Value;
        Assert.Equal("lease.missing", (await _keeper.BecomeAsync(waiting, guest, record, default)).Refusal?.Code);
        Assert.Equal(waiting, Assert.Single((await _keeper.StatusAsync(default))!.Live).Id);
        // Until it is done within the lease's second.
        await Until.TrueAsync(async () =>
        {
            _keeper.Answer(await _keeper.ChallengeAsync(default), [record]);
            return (await _keeper.BecomeAsync(waiting, guest, record, default)).Value == pid;
        });
        _keeper.Answer(await _keeper.ChallengeAsync(default), [record]);
        var live = Assert.Single((await _keeper.StatusAsync(default))!.Live);
        Assert.Equal((guest, pid, record, true), (live.Id, live.Pid, live.Record, live.LeaseLeftMs > 0));
        Assert.Equal("process.gone", (await _keeper.BecomeAsync(waiting, guest, record, default)).Refusal?.Code);
        // Killed by the name that it has now; the notes of a keeper that follows tell the same.
        Assert.Equal([$"guest_{record.Instance}.json"], Directory.GetFiles(Path.Combine(_dir, "keeper/live")).Select(Path.GetFileName));
        await Until.TrueAsync(() => Real.IsStopped(pid));
        _keeper.Answer(null, [record with { Number = record.Number + 1, Tag = "next", Primary = "elsewhere", Sync = SyncState.Alone }]);
        await Until.TrueAsync(() => _ends.Count == 1);
        Assert.Equal((guest, pid, true, record.Number), (_ends[0].Id, _ends[0].Pid, _ends[0].ByKeeper, _ends[0].Generation));
    }

    [Fact]
    public async Task Agent_gone_for_good_pauses_in_sync_guests_only_and_ends_are_kept()
    {
        var (leased, alone) = (Record(SyncState.InSync), Record(SyncState.Alone));
        var (a, b) = ((await StartAsync(leased)).Pid, await SpawnAsync(alone));
        await _keeper.DisposeAsync();
        await Until.TrueAsync(() => Real.IsStopped(a));
        Assert.False(Real.IsStopped(b));
        Real.Kill(b);
        _keeper = NewClient();
        KeeperStatus? status = null;
        await Until.TrueAsync(async () => (status = await _keeper.StatusAsync(default)) is { Ended.Count: 1 });
        var live = Assert.Single(status!.Live);
        Assert.Equal((a, true), (live.Pid, live.Paused));
        Assert.Equal((b, 9, false), (status.Ended[0].Pid, status.Ended[0].Signal, status.Ended[0].ByKeeper));
    }

    [Fact]
    public async Task Guests_die_with_a_killed_keeper_and_its_successor_says_so()
    {
        var record = Record(SyncState.Alone);
        var pid = await SpawnAsync(record);
        var first = (await _keeper.StatusAsync(default))!;
        Real.Kill(first.Pid);
        await Until.TrueAsync(() => !Real.IsAlive(pid));
        KeeperStatus? second = null;
        await Until.TrueAsync(async () => (second = await _keeper.StatusAsync(default)) is not null && second.Run != first.Run);
        Assert.Empty(second!.Live);
        var end = Assert.Single(second.Ended);
        Assert.Equal((pid, 9, false), (end.Pid, end.Signal, end.ByKeeper));
    }

    [Fact]
    public async Task Stopped_keeper_is_killed_by_the_kernel_behind_the_deadline_and_its_guests_with_it()
    {
        var record = Record(SyncState.InSync);
        var (_, _, pid) = await StartAsync(record);
        Real.Signal((await _keeper.StatusAsync(default))!.Pid, 19);
        var stopped = Stopwatch.StartNew();
        await Until.TrueAsync(() => !Real.IsAlive(pid));
        Assert.InRange(stopped.Elapsed.TotalMilliseconds, 500, 2500);
    }

    [Fact]
    public async Task Kill_answers_when_reaped_and_exit_codes_are_told()
    {
        var record = Record(SyncState.Alone);
        var pid = await SpawnAsync(record);
        Assert.True((await _keeper.KillAsync(Id(record), default)).Ok);
        Assert.False(Directory.Exists($"/proc/{pid}"));
        Assert.True((await _keeper.KillAsync(Id(record), default)).Ok);
        Assert.True((await _keeper.SpawnAsync(Sleep(record) with { Arguments = ["sh", "-c", "echo said; exit 3"] }, default)).Ok);
        await Until.TrueAsync(() => _ends.Count == 2);
        Assert.Equal((3, null), (_ends[1].ExitCode, _ends[1].Signal));
        Assert.Equal("said\n", File.ReadAllText(Path.Combine(_dir, "out")));
    }

    [Fact]
    public async Task Promise_turns_alone_into_leased_and_newer_records_are_adopted_or_kill()
    {
        var alone = Record(SyncState.Alone);
        var pid = await SpawnAsync(alone);
        Assert.Equal("lease.missing", (await _keeper.PromiseAsync(alone, default)).Refusal?.Code);
        await Until.TrueAsync(async () =>
        {
            _keeper.Answer(await _keeper.ChallengeAsync(default), [alone]);
            return (await _keeper.PromiseAsync(alone, default)).Ok;
        });
        Assert.NotNull(Assert.Single((await _keeper.StatusAsync(default))!.Live).LeaseLeftMs);
        Assert.True((await _keeper.AdoptAsync(alone with { Number = 2, Tag = "2" }, default)).Ok);
        Assert.Null(Assert.Single((await _keeper.StatusAsync(default))!.Live).LeaseLeftMs);
        Assert.True(Real.IsAlive(pid));
        await _keeper.AdoptAsync(alone with { Number = 3, Tag = "3", Primary = "n2", Secondary = "n1" }, default);
        await Until.TrueAsync(() => !Real.IsAlive(pid));
    }

    [Fact]
    public async Task Programs_that_are_missing_and_bad_names_are_refused()
    {
        var sleep = Sleep(Record(SyncState.Alone));
        Assert.Equal("program.missing", (await _keeper.SpawnAsync(sleep with { Arguments = ["no-such-program"] }, default)).Refusal?.Code);
        Assert.Equal("process.id", (await _keeper.SpawnAsync(sleep with { Id = "../x" }, default)).Refusal?.Code);
        Assert.Equal("network.namespace", (await _keeper.SpawnAsync(sleep with { NetworkNamespace = "-x" }, default)).Refusal?.Code);
    }

    [Fact]
    public async Task Full_disk_ends_neither_the_keeper_nor_the_guests_that_live()
    {
        var (lives, ends) = (Record(SyncState.Alone), Record(SyncState.Alone));
        var (living, ending) = (await SpawnAsync(lives), await SpawnAsync(ends));
        if (SmallDisk.TryMount(Path.Combine(_dir, "keeper", "ends"), 1) is not { } disk) { Assert.Skip("A filesystem of its own needs root."); return; }
        using (disk)
        {
            disk.Fill();
            Real.Kill(ending);
            await Until.TrueAsync(() => _ends.Count == 1);
            Assert.Equal((Id(ends), ending, 9), (_ends[0].Id, _ends[0].Pid, _ends[0].Signal));
            Assert.True((await _keeper.KillAsync(Id(ends), default)).Ok);
            Assert.Equal(living, Assert.Single((await _keeper.StatusAsync(default))!.Live).Pid);
            Assert.True(Real.IsAlive(living));
        }
    }

    private static GenerationRecord Record(SyncState sync) => new(Guid.NewGuid(), 1, "1", "n1", "n2", sync);
    private static string Id(GenerationRecord record) => $"guest:{record.Instance}";
    private SpawnRequest Sleep(GenerationRecord record) => new(Id(record), ["sleep", "1000"], Path.Combine(_dir, "out"), true, record);

    private async Task<int> SpawnAsync(GenerationRecord record)
    {
        var pid = await _keeper.SpawnAsync(Sleep(record), default);
        Assert.Null(pid.Refusal);
        return pid.Value;
    }

    /// <summary>Answers for the record and starts a guest under it; once more when the machine was too busy to do that within the lease.</summary>
    private async Task<(Stopwatch Issued, string? Nonce, int Pid)> StartAsync(GenerationRecord record, SpawnRequest? request = null)
    {
        while (true)
        {
            var issued = Stopwatch.StartNew();
            var nonce = await _keeper.ChallengeAsync(default);
            _keeper.Answer(nonce, [record]);
            var pid = await _keeper.SpawnAsync(request ?? Sleep(record), default);
            if (pid.Ok) return (issued, nonce, pid.Value);
            Assert.Equal("lease.missing", pid.Refusal.Code);
        }
    }

    private KeeperClient NewClient()
    {
        var client = new KeeperClient(_dir, new KeeperLauncher(_dir, Isolation).LaunchAsync, TimeProvider.System);
        client.Ended += _ends.Add;
        client.PauseChanged += p => _pauses.Add(p.Paused);
        client.Start();
        return client;
    }
}
