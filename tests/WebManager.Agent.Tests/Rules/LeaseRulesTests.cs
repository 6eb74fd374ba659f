using WebManager.Agent.Rules;
using WebManager.Contracts;
using Xunit;

namespace WebManager.Agent.Tests.Rules;

public sealed class LeaseRulesTests
{
    private static readonly Guid Web = Guid.NewGuid();
    private readonly LeaseRules _lease = new();
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
    private static GenerationRecord G(long n, SyncState sync = SyncState.InSync, string p = "n1", string s = "n2", string? tag = null) => new(Web, n, tag ?? $"{n:x16}", p, s, sync);

    private void Answered(string nonce, double issued, params GenerationRecord[] records)
    {
        _lease.Issue(nonce, S(issued));
        Assert.True(_lease.Answer(nonce, records, S(issued)));
    }

    [Fact]
    public void In_sync_guest_does_not_start_without_a_lease()
    {
        Assert.Equal("lease.missing", _lease.Start(G(1), S(0)).Refusal?.Code);
        Answered("a", 0, G(1));
        Assert.Equal("lease.missing", _lease.Start(G(1), S(3)).Refusal?.Code);
        Assert.True(_lease.Start(G(1), S(2.9)).Ok);
    }

    [Fact]
    public void Deadline_moves_with_each_answer_and_never_back()
    {
        Answered("a", 0, G(1));
        Assert.True(_lease.Start(G(1), S(0)).Ok);
        _lease.Issue("b", S(1));
        _lease.Issue("c", S(2));
        Assert.True(_lease.Answer("c", [G(1)], S(2)));
        Assert.True(_lease.Answer("b", [G(1)], S(2)));
        Assert.Equal(S(5), _lease.NextDeadline);
        Assert.Empty(_lease.Expired(S(4.999)));
        Assert.Equal([Web], _lease.Expired(S(5)));
    }

    [Fact]
    public void Unknown_forgotten_and_foreign_answers_give_no_lease()
    {
        Answered("a", 0, G(1));
        Assert.True(_lease.Start(G(1), S(0)).Ok);
        Assert.False(_lease.Answer("made-up", [G(1)], S(1)));
        Assert.False(_lease.Answer(null, [G(1)], S(1)));
        _lease.Issue("b", S(3));
        Assert.False(_lease.Answer("a", [G(1)], S(3)));
        Assert.Equal([Web], _lease.Expired(S(3)));
    }

    [Fact]
    public void Answer_for_an_older_generation_does_not_prolong_the_newer()
    {
        Answered("a", 0, G(1));
        Assert.True(_lease.Start(G(1), S(0)).Ok);
        _lease.Adopt(G(2), S(1));
        Answered("b", 2, G(1));
        Assert.Equal(S(3), _lease.NextDeadline);
    }

    [Fact]
    public void Newer_record_of_the_same_primary_keeps_the_lease_and_alone_ends_the_need()
    {
        Answered("a", 0, G(1));
        Assert.True(_lease.Start(G(1), S(0)).Ok);
        _lease.Adopt(G(2), S(1));
        Assert.Equal((G(2), S(3)), _lease.Of(Web));
        _lease.Adopt(G(3, SyncState.Alone), S(1));
        Assert.Equal((G(3, SyncState.Alone), null), _lease.Of(Web));
        Assert.Empty(_lease.Expired(S(1000)));
    }

    [Fact]
    public void Another_primary_dooms_also_an_alone_guest_until_it_is_reaped()
    {
        Assert.True(_lease.Start(G(1, SyncState.Alone), S(0)).Ok);
        Assert.False(_lease.Answer(null, [G(2, SyncState.Alone, "n2", "n1")], S(1)));
        Assert.Equal([Web], _lease.Expired(S(1)));
        Assert.Equal([Web], _lease.Expired(S(2)));
        _lease.Ended(Web);
        Assert.Empty(_lease.Expired(S(2)));
    }

    [Fact]
    public void Older_records_and_other_tags_change_nothing()
    {
        Assert.True(_lease.Start(G(2, SyncState.Alone), S(0)).Ok);
        _lease.Adopt(G(1, p: "n2", s: "n1"), S(1));
        Assert.Equal("generation.conflict", _lease.Adopt(G(2, p: "n2", s: "n1", tag: "other"), S(1)).Refusal?.Code);
        Assert.Empty(_lease.Expired(S(9)));
    }

    [Fact]
    public void Promise_needs_a_lease_and_then_the_guest_does()
    {
        var alone = G(1, SyncState.Alone);
        Assert.True(_lease.Start(alone, S(0)).Ok);
        Assert.Equal("lease.missing", _lease.Promise(alone, S(1)).Refusal?.Code);
        Assert.Empty(_lease.Expired(S(100)));
        Answered("a", 100, alone);
        Assert.True(_lease.Promise(alone, S(101)).Ok);
        _lease.Adopt(G(1), S(102));
        _lease.Adopt(alone, S(102));
        Assert.Equal(SyncState.InSync, _lease.Of(Web)!.Value.Record.Sync);
        Assert.Equal([Web], _lease.Expired(S(103)));
    }

    [Fact]
    public void Guest_is_paused_shortly_before_its_deadline_and_then_not_killed()
    {
        Answered("a", 0, G(1));
        Assert.True(_lease.Start(G(1), S(0)).Ok);
        Assert.Equal(S(2.75), _lease.NextPause(S(1)));
        Assert.Empty(_lease.ToPause(S(2.7)));
        Assert.Equal([Web], _lease.ToPause(S(2.75)));
        _lease.Pausing(Web);
        Assert.Empty(_lease.ToPause(S(2.8)));
        Assert.Equal((S(3), false), (_lease.NextDeadline, _lease.IsPaused(Web)));
        Assert.True(_lease.Paused(Web, S(2.8)));
        Assert.Equal((null, true), (_lease.NextDeadline, _lease.IsPaused(Web)));
        Assert.Empty(_lease.Expired(S(500)));
        Assert.Empty(_lease.ToResume(S(500)));
    }

    [Fact]
    public void Pause_that_is_seen_too_late_saves_nobody()
    {
        Answered("a", 0, G(1));
        Assert.True(_lease.Start(G(1), S(0)).Ok);
        Assert.False(_lease.Paused(Web, S(2.8)));       // not told to
        _lease.Pausing(Web);
        Assert.Equal([Web], _lease.Unconfirmed(S(2.99)));
        Assert.False(_lease.Paused(Web, S(3)));
        Assert.Equal([Web], _lease.Expired(S(3)));
    }

    [Fact]
    public void Paused_guest_goes_on_with_a_fresh_answer_or_when_it_is_alone_and_dies_of_another_primary()
    {
        void Pause(double at)
        {
            _lease.Pausing(Web);
            Assert.True(_lease.Paused(Web, S(at)));
        }

        Answered("a", 0, G(1));
        Assert.True(_lease.Start(G(1), S(0)).Ok);
        Pause(2.8);
        _lease.Answer("a", [G(1)], S(50));                   // an old challenge
        _lease.Adopt(G(2), S(50));                           // newer and in sync: still nobody has answered
        Answered("b", 50, G(1));                             // for the former record
        Assert.Empty(_lease.ToResume(S(50)));
        Answered("c", 51, G(2));
        Assert.Equal([Web], _lease.ToResume(S(51)));
        Assert.Empty(_lease.ToResume(S(53.8)));              // it would be paused again at once
        _lease.Resumed(Web);
        Assert.Equal([Web], _lease.Expired(S(54)));

        Pause(53.9);
        _lease.Adopt(G(3, SyncState.Alone), S(60));
        Assert.Equal([Web], _lease.ToResume(S(60)));
        _lease.Resumed(Web);
        Assert.Empty(_lease.Expired(S(500)));

        _lease.Ended(Web);
        Answered("d", 600, G(3));
        Assert.True(_lease.Start(G(3), S(600)).Ok);
        Pause(602.9);
        _lease.Adopt(G(4, p: "n2", s: "n1"), S(700));
        Assert.Empty(_lease.ToResume(S(700)));
        Assert.Equal([Web], _lease.Expired(S(700)));
    }

    [Fact]
    public void Guest_told_to_stand_still_and_answered_for_before_it_did_goes_on()
    {
        Answered("a", 0, G(1));
        Assert.True(_lease.Start(G(1), S(0)).Ok);
        _lease.Pausing(Web);
        Answered("b", 2.8, G(1));
        Assert.Equal([Web], _lease.ToResume(S(2.9)));
    }

    [Fact]
    public void Guest_started_twice_is_refused()
    {
        Assert.True(_lease.Start(G(1, SyncState.Alone), S(0)).Ok);
        Assert.Equal("guest.running", _lease.Start(G(2, SyncState.Alone), S(0)).Refusal?.Code);
    }
}
