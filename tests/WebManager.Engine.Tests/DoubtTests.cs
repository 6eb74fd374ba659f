// What becomes of an instance when the database may not be the newest (R5), and the lease that keeps two engines of one database apart.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class DoubtTests
{
    private static readonly Guid s_id = Guid.Parse("00000000-0000-0000-0000-000000000001");
    private static readonly GenerationRecord s_own = new(s_id, 5, "own", "n1", "n2", SyncState.InSync);
    private static readonly GenerationRecord s_newer = new(s_id, 6, "six", "n2", "n1", SyncState.Alone);

    [Fact]
    public void One_of_two_nodes_is_not_enough()
    {
        var verdict = Assert.IsType<Verdict.Wait>(Doubts.Next(Doubted, [Says("n1", s_own), Silent("n2"), Says("n3", null)]));
        Assert.Equal(["n2"], verdict.Nodes);
        Assert.Contains("n2 must answer first", Doubts.Text(Doubted, [Says("n1", s_own), Silent("n2")]), StringComparison.Ordinal);
    }

    [Fact]
    public void Both_with_nothing_newer_settle_it() => Assert.IsType<Verdict.Current>(Doubts.Next(Doubted, [Says("n1", s_own with { Number = 4, Tag = "old" }), Says("n2", s_own)]));

    [Fact]
    public void A_newer_record_that_both_nodes_bear_out_is_taken_over_and_its_former_primary_waited_for()
    {
        var old = new InstanceReport(s_id) { Stored = s_own, Guest = GuestPhase.Running, GuestGeneration = 5, Disks = 1 };
        var verdict = Assert.IsType<Verdict.Adopt>(Doubts.Next(Doubted, [new("n1", true, old), Says("n2", s_newer)]));
        Assert.Equal(s_newer, verdict.Record);
        Assert.Equal(("n1", 5), (verdict.Former!.Primary, verdict.Former.Number));
    }

    /// <summary>H7: n3 has heard that it is the secondary, n1 goes on under the record before; n2 may still answer it.</summary>
    [Fact]
    public void A_change_of_secondary_that_its_primary_has_not_stored_is_an_open_handover()
    {
        var changed = s_own with { Number = s_own.Number + 1, Tag = "changed", Secondary = "n3" };
        var runs = new InstanceReport(s_id) { Stored = s_own, Guest = GuestPhase.Running, GuestGeneration = s_own.Number, Disks = 1 };
        var verdict = Assert.IsType<Verdict.Adopt>(Doubts.Next(Doubted, [new("n1", true, runs), Silent("n2"), Says("n3", changed)]));
        Assert.Equal((changed, s_own), (verdict.Record, verdict.Former));
        Assert.Null(Assert.IsType<Verdict.Adopt>(Doubts.Next(Doubted, [new("n1", true, runs with { Stored = changed }), Says("n3", changed)])).Former);
    }

    [Fact]
    public void The_newer_records_own_nodes_must_answer_not_those_of_the_database()
    {
        var moved = s_newer with { Secondary = "n3" };
        Assert.Equal(["n3"], Assert.IsType<Verdict.Wait>(Doubts.Next(Doubted, [Silent("n1"), Says("n2", moved), Silent("n3")])).Nodes);
        Assert.IsType<Verdict.Adopt>(Doubts.Next(Doubted, [Silent("n1"), Says("n2", moved), Says("n3", moved)]));
    }

    [Fact]
    public void Two_records_of_one_number_on_nodes_are_for_a_person() =>
        Assert.IsType<Verdict.Conflict>(Doubts.Next(Doubted, [Says("n1", s_newer with { Tag = "other", Primary = "n1", Secondary = "n2" }), Says("n2", s_newer)]));

    [Fact]
    public void The_databases_own_record_gives_way_to_one_of_the_same_number_that_is_in_force()
    {
        var forked = Doubted with { Generation = s_newer with { Tag = "mine", Primary = "n1", Secondary = "n2" } };
        Assert.Equal(s_newer, Assert.IsType<Verdict.Adopt>(Doubts.Next(forked, [Says("n1", s_own), Says("n2", s_newer)])).Record);
        Assert.IsType<Verdict.Wait>(Doubts.Next(forked, [Silent("n1"), Says("n2", s_newer)]));
    }

    [Fact]
    public void In_sync_on_a_node_is_newer_than_alone_in_the_database() =>
        Assert.IsType<Verdict.Adopt>(Doubts.Next(Doubted with { Generation = s_own with { Sync = SyncState.Alone } }, [Says("n1", s_own), Says("n2", s_own with { Sync = SyncState.Alone })]));

    [Fact]
    public void What_neither_node_has_was_removed() => Assert.IsType<Verdict.Gone>(Doubts.Next(Doubted, [new("n1", true, null), new("n2", true, null)]));

    [Fact]
    public void A_second_engine_on_one_database_waits_for_the_lease_and_the_first_can_write_nothing_after_it()
    {
        var world = new SimWorld(new SimOptions { Seed = 3 }) { OnePortalAFolder = false };
        world.Network.SlowPart = 0;
        world.Scheduler.Run(async () =>
        {
            await world.BeginAsync("n1", "n2");
            var first = world.Portal!;
            var second = SimPortal.Create(world, null, world.Database, SimNetwork.Twin);
            var starting = second.StartAsync();
            await world.DelayAsync(TimeSpan.FromSeconds(30));
            Assert.False(starting.IsCompleted);   // the first one renews
            var crashed = world.Now;
            first.Crash();
            await starting;
            // lease 4 s + isolation 3 s + margin 0.5 s after the last renewal, which was a second old at most
            Assert.InRange((world.Now - crashed).TotalSeconds, 6.4, 9);
            var late = new WebManager.Engine.Ports.Changes { Holder = Guid.NewGuid() };
            late.Audit.Add(new AuditEntry(DateTimeOffset.UnixEpoch, "x", "x", null, "x", "x", "x", null, null));
            await Assert.ThrowsAsync<WebManager.Engine.Ports.LeaseLostException>(() => second.Store.CommitAsync(late, CancellationToken.None));
            await second.StopAsync();
        }, TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void A_portal_that_was_stopped_or_killed_in_its_folder_is_followed_at_once()
    {
        var world = new SimWorld(new SimOptions { Seed = 4 });
        world.Network.SlowPart = 0;
        world.Scheduler.Run(async () =>
        {
            await world.BeginAsync("n1", "n2");
            foreach (var clean in (bool[])[false, true])
            {
                if (clean) await world.Portal!.StopAsync(); else world.CrashPortal();
                var began = world.Now;
                await world.StartPortalAsync();
                Assert.InRange((world.Now - began).TotalSeconds, 0, 0.2);
            }

            await world.Portal!.StopAsync();
        }, TimeSpan.FromMinutes(5));
    }

    private static Instance Doubted => new(s_id, "i1", "ada", "x", 1, 64, DiskTemplate.Mirror, [new DiskSpec(0, s_id, 64)], [], "n1", "n2", DateTimeOffset.UnixEpoch, 1)
    {
        Generation = s_own, Stage = LifeStage.Ready, Wanted = AdminState.Up, Doubt = new Doubt(DateTimeOffset.UnixEpoch, "the database was restored"),
    };

    private static Witness Says(string node, GenerationRecord? stored) => new(node, true, stored is null ? null : new InstanceReport(s_id) { Stored = stored, Disks = 1 });
    private static Witness Silent(string node) => new(node, false, null);
}
