// Each rule of the nodes is switched off alone: the simulator must notice, or it would not notice an agent that breaks the rule.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class RuleSwitchTests(ITestOutputHelper output)
{
    private const int Seeds = 40;

    /// <summary>Rules that random faults around the named schedule show to be needed, with the real engine.</summary>
    public static TheoryData<string, string> ByFaults => new()
    {
        { nameof(RuleSwitches.LeaseFromIssue), "H1" },
        { nameof(RuleSwitches.InSyncNeedsLease), "H5" },
        { nameof(RuleSwitches.AloneNeedsNoLease), "H10" },
        { nameof(RuleSwitches.PromiseNeedsLease), "H4" },
        { nameof(RuleSwitches.SamePrimaryAdopts), "H11" },
        { nameof(RuleSwitches.RestartCountsAsHeard), "R4" },
        { nameof(RuleSwitches.StaleRefused), "S45" },
        { nameof(RuleSwitches.EpochChecked), "S45" },
        { nameof(RuleSwitches.NewerClosesExport), "H5" },
        { nameof(RuleSwitches.PauseIsConfirmed), "H5" },
        { nameof(RuleSwitches.PauseIsEnough), "H12" },
        { nameof(RuleSwitches.ResumeNeedsLease), "H12" },
        { nameof(RuleSwitches.SourceMustRest), "H9" },
        { nameof(RuleSwitches.CandidateIsNoRecord), "H7" },
    };

    /// <summary>Rules that only an engine which itself does wrong, or a second one, makes necessary: it is played by hand.</summary>
    private static readonly Dictionary<string, (Func<Hand, Task> Play, double Pace)> ByHand = new()
    {
        [nameof(RuleSwitches.OtherPrimaryKills)] = (PromotedWithoutWaiting, 1),
        [nameof(RuleSwitches.StandDownSilences)] = (StartedByTheClockAlone, 1),
        [nameof(RuleSwitches.ConflictRefused)] = (TwoEnginesMakeTheSameNumber, 1),
        [nameof(RuleSwitches.PromiseComesFirst)] = (RecordedInSyncWithoutACopy, 1),
        [nameof(RuleSwitches.StartsOnce)] = (StartedAgainUnderTheSameRecord, 1),
        [nameof(RuleSwitches.NamedIsKept)] = (CleanedWhereItIsNeeded, 1),
        [nameof(RuleSwitches.JoinedComesFirst)] = (SecondaryChangedWithoutACopy, 1),
        [nameof(RuleSwitches.ExportOpensOnce)] = (ExportOpenedAgainAfterAReboot, 20),
    };

    public static TheoryData<string> HandRules => new(ByHand.Keys);

    [Fact]
    public void Every_rule_has_its_turn() =>
        Assert.Equal(Drawing.RuleNames.Order(), ByFaults.Select(r => r.Data.Item1).Concat(ByHand.Keys).Order());

    [Theory]
    [MemberData(nameof(ByFaults))]
    [Trait("Speed", "Slow")]
    public void Random_faults_find_the_rule_missing(string rule, string bias)
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            if (new Exploration(Drawing.Draw(seed, bias), Drawing.Without(rule)).Run().Violation is not { } violation) continue;
            output.WriteLine($"seed {seed}: {violation}");
            return;
        }

        Assert.Fail($"{Seeds} seeds around {bias} did not notice that {rule} is off.");
    }

    [Theory]
    [MemberData(nameof(HandRules))]
    public void Wrong_engine_does_no_harm_but_without_the_rule(string rule)
    {
        var (play, pace) = ByHand[rule];
        for (var seed = 1; seed <= Seeds; seed++)
        {
            Hand.Play(seed, play, pace: pace);
            try { Hand.Play(seed, play, Drawing.Without(rule), pace); }
            catch (InvariantBrokenException broken)
            {
                output.WriteLine($"seed {seed}: {broken.Invariant}");
                return;
            }
        }

        Assert.Fail($"{Seeds} seeds did not notice that {rule} is off.");
    }

    /// <summary>Both nodes hear that n2 is the primary, and it is started at once.</summary>
    private static async Task PromotedWithoutWaiting(Hand hand)
    {
        // It only reads: nothing but the rule would stop it within its lease.
        hand.Guest = hand.Guest with { OsParams = new Dictionary<string, string> { ["quiet"] = "on" } };
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(3);
        hand.Record = hand.Promoted();
        await hand.BeatForAsync(0.6);
        await hand.StartAsync("n2", hand.Record);
        await hand.BeatForAsync(1);
    }

    /// <summary>H5: n2 stood down; the engine waits for the lease to end and does not ask whether n2 heard n1 meanwhile.</summary>
    private static async Task StartedByTheClockAlone(Hand hand)
    {
        hand.Guest = hand.Guest with { OsParams = new Dictionary<string, string> { ["quiet"] = "on" } };
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(3);
        Faults.Do(hand.World, "cut", ["n1", SimNetwork.Portal]);
        await hand.SendAsync("n2", new StandDownOrder(hand.Id(), 1, hand.Record));
        await hand.World.DelayAsync(TimeSpan.FromSeconds(3.5));
        await hand.StartAsync("n2", hand.Promoted());
        await hand.BeatForAsync(1);
    }

    /// <summary>H6: one engine lets n1 go on alone, the other starts n2 under another record of the same number.</summary>
    private static async Task TwoEnginesMakeTheSameNumber(Hand hand)
    {
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(3);
        var other = hand.Promoted();
        hand.Record = hand.Record with { Number = 2, Tag = "c", Sync = SyncState.Alone };
        await hand.SendAsync("n1", new DegradeOrder(hand.Id(), 1, hand.Record));
        await hand.SendAsync("n2", new StoreGenerationOrder(hand.Id(), 1, hand.Record));
        await hand.BeatForAsync(1);
        await hand.StartAsync("n2", other);
        await hand.BeatForAsync(1);
    }

    /// <summary>H4: n1 writes alone; the record says in sync; n1 dies, n2 is started.</summary>
    private static async Task RecordedInSyncWithoutACopy(Hand hand)
    {
        await hand.StartAloneAsync();
        await hand.BeatForAsync(4);
        hand.Record = hand.Record with { Sync = SyncState.InSync };
        var stored = await hand.SendAsync("n1", new StoreGenerationOrder(hand.Id(), 1, hand.Record));
        if (!stored.Ok) return;
        await hand.SendAsync("n2", new StoreGenerationOrder(hand.Id(), 1, hand.Record));
        hand.World.Node("n1").PowerOff();
        await hand.StartAsync("n2", hand.Promoted());
        await hand.BeatForAsync(1);
    }

    /// <summary>H3: n1's guest dies with writes that n2 lacks, and is started again as if nothing had been.</summary>
    private static async Task StartedAgainUnderTheSameRecord(Hand hand)
    {
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(4);
        hand.World.Network.LatePart = 0;
        Faults.Do(hand.World, "cut-one-way", ["n1", "n2"]);
        await hand.BeatForAsync(0.3);
        await hand.World.Node("n1").Guests[hand.Instance].KillAsync(GuestEnd.Crashed);
        Faults.Do(hand.World, "heal", []);
        await hand.StartAsync("n1", hand.Record);
        await hand.BeatForAsync(1);
    }

    /// <summary>n2's copy is taken for an old one although the record names it; then n1 dies, and whatever n2 has is started.</summary>
    private static async Task CleanedWhereItIsNeeded(Hand hand)
    {
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(4);
        await hand.SendAsync("n2", new RemoveInstanceOrder(hand.Id(), 1, hand.Instance) { Record = hand.Record });
        hand.World.Node("n1").PowerOff();
        await hand.BeatForAsync(4);
        await hand.SendAsync("n2", new CreateDisksOrder(hand.Id(), 1, hand.Guest));
        await hand.StartAsync("n2", hand.Promoted());
        await hand.BeatForAsync(1);
    }

    /// <summary>H7: n3 is named for n2, which has every write; n1 takes that on without having copied anything, and dies.</summary>
    private static async Task SecondaryChangedWithoutACopy(Hand hand)
    {
        hand.World.AddNode("n3");
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(4);
        var changed = hand.Record with { Number = 2, Tag = "c", Secondary = "n3" };
        if (!(await hand.SendAsync("n1", new StoreGenerationOrder(hand.Id(), 1, changed))).Ok) return;
        hand.Record = changed;
        await hand.SendAsync("n3", new StoreGenerationOrder(hand.Id(), 1, changed));
        await hand.BeatForAsync(1);
        hand.World.Node("n1").PowerOff();
        await hand.BeatForAsync(4);
        await hand.StartAsync("n3", changed with { Number = 3, Tag = "d", Primary = "n3", Secondary = "n1", Sync = SyncState.Alone });
        await hand.BeatForAsync(1);
    }

    /// <summary>H2: n2 loses power with unflushed writes and is back before n1 notices; later n1 dies.</summary>
    private static async Task ExportOpenedAgainAfterAReboot(Hand hand)
    {
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(12);
        hand.World.Node("n2").PowerOff();
        hand.World.Node("n2").PowerOn();
        var opened = await hand.SendAsync("n2", new OpenReplicaOrder(hand.Id(), 1, hand.Record, hand.Guest));
        if (!opened.Ok) return;
        await hand.BeatForAsync(10);
        hand.World.Node("n1").PowerOff();
        await hand.BeatForAsync(4);
        await hand.StartAsync("n2", hand.Promoted());
        await hand.BeatForAsync(1);
    }
}
