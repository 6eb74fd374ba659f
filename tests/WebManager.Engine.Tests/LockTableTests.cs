// Properties of the lock table, against a model that knows nothing but what was asked for, given and given back.
using FsCheck;
using FsCheck.Fluent;
using WebManager.Engine.Operations;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class LockTableTests
{
    private static readonly string[] Names = ["0:cluster", "1:group:a", "2:node:n1", "2:node:n2", "3:instance:i1", "3:instance:i2"];

    private enum Deed { Take, Release, Cancel, Move, Places }

    /// <param name="Which">Picks one of those that hold or wait, or the number of places.</param>
    private sealed record Step(Deed Deed, LockWish[] Locks, bool Slot, int Due, bool Watcher, int Which);

    private static readonly Gen<LockWish[]> Wishes =
        from count in Gen.Frequency((1, Gen.Constant(0)), (8, Gen.Choose(1, 3)))
        from locks in Gen.ArrayOf(from name in Gen.Elements(Names) from shared in Gen.Elements(true, false) select new LockWish(name, shared), count)
        select locks;

    private static readonly Gen<Step> Steps =
        from deed in Gen.Frequency((6, Gen.Constant(Deed.Take)), (4, Gen.Constant(Deed.Release)), (1, Gen.Constant(Deed.Cancel)), (1, Gen.Constant(Deed.Move)), (1, Gen.Constant(Deed.Places)))
        from locks in Wishes
        from slot in Gen.Frequency((3, Gen.Constant(true)), (1, Gen.Constant(false)))
        from due in Gen.Choose(-20, 20)
        from watcher in Gen.Frequency((1, Gen.Constant(true)), (6, Gen.Constant(false)))
        from which in Gen.Choose(0, 99)
        select new Step(deed, locks, slot, due, watcher, which);

    [Fact]
    public void Nobody_holds_what_another_excludes_the_order_is_kept_and_what_can_run_runs() =>
        Prop.ForAll(Gen.ArrayOf(Steps, 60).ToArbitrary(), steps => new Model().Run(steps)).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public async Task Readers_do_not_pass_a_writer_that_waits_and_age_lifts_the_low_one()
    {
        var table = new LockTable(10);
        var reader = await table.TakeAsync(Of(1, 0, new LockWish("a", true)), CancellationToken.None);
        var writer = table.TakeAsync(Of(2, 0, new LockWish("a")), CancellationToken.None);
        var later = table.TakeAsync(Of(3, 0, new LockWish("a", true)), CancellationToken.None);
        Assert.False(later.IsCompleted);
        Assert.Equal([(2, "a")], table.Hindrances(3));
        reader.Dispose();
        var low = table.TakeAsync(Of(4, 10, new LockWish("a")), CancellationToken.None);    // low, filed in the first minute
        var high = table.TakeAsync(Of(5, 19, new LockWish("a")), CancellationToken.None);   // high, filed half an hour later
        (await writer).Dispose();
        Assert.True(later.IsCompleted);
        Assert.False(low.IsCompleted);
        (await later).Dispose();
        Assert.True(low.IsCompleted);
        Assert.False(high.IsCompleted);
        (await low).Dispose();
        (await high).Dispose();
        Assert.Empty(table.Listing());
    }

    [Fact]
    public async Task Who_waits_for_a_slot_keeps_nobody_from_a_lock()
    {
        var table = new LockTable(1);
        var running = await table.TakeAsync(Of(1, 0, new LockWish("x")), CancellationToken.None);
        var queued = table.TakeAsync(Of(2, 0, new LockWish("i1")), CancellationToken.None);
        using (await table.TakeAsync(new Claim(Rank(3, 1, Operations.Rank.Watcher), [new LockWish("i1")], Slot: false), CancellationToken.None)) { Assert.False(queued.IsCompleted); }
        Assert.Empty(table.Hindrances(2));
        table.Places = 2;
        Assert.True(queued.IsCompleted);
        running.Dispose();
        (await queued).Dispose();
    }

    private static Claim Of(long job, int due, params LockWish[] locks) => new(Rank(job, due), locks, Slot: true);

    private static Rank Rank(long job, int due, int tier = Operations.Rank.Others) => new(tier, DateTimeOffset.UnixEpoch.AddMinutes(due), job);

    private sealed class Model
    {
        private readonly LockTable _table = new(3);
        private readonly Dictionary<long, (Claim Claim, Task<IDisposable> Task, CancellationTokenSource Stop)> _asked = [];
        private readonly HashSet<long> _known = [];
        private long _last;

        private List<long> Holding => [.. _asked.Where(a => a.Value.Task.IsCompletedSuccessfully).Select(a => a.Key)];
        private List<long> Waiting => [.. _asked.Where(a => !a.Value.Task.IsCompleted).Select(a => a.Key)];

        public bool Run(Step[] steps)
        {
            foreach (var step in steps)
            {
                Do(step);
                Check();
            }
            // All let go one after another: everybody had a turn.
            while (Holding is [var first, ..]) { Release(first); Check(); }
            Assert.Empty(_asked);
            Assert.Empty(_table.Listing());
            Assert.Equal(0, _table.Running);
            return true;
        }

        private void Do(Step step)
        {
            switch (step.Deed)
            {
                case Deed.Take:
                    var claim = new Claim(Rank(++_last, step.Due, step.Watcher ? Operations.Rank.Watcher : Operations.Rank.Others), step.Locks, step.Slot);
                    var stop = new CancellationTokenSource();
                    _asked[_last] = (claim, _table.TakeAsync(claim, stop.Token), stop);
                    break;
                case Deed.Release when Holding is { Count: > 0 } held: Release(held[step.Which % held.Count]); break;
                case Deed.Cancel when Waiting is { Count: > 0 } waits:
                    var gone = waits[step.Which % waits.Count];
                    _asked[gone].Stop.Cancel();
                    _asked.Remove(gone);
                    break;
                case Deed.Move when Waiting is { Count: > 0 } waits:
                    var moved = waits[step.Which % waits.Count];
                    var to = Rank(moved, step.Due, _asked[moved].Claim.Rank.Tier);
                    _asked[moved] = _asked[moved] with { Claim = _asked[moved].Claim with { Rank = to } };
                    _table.Move(to);
                    break;
                case Deed.Places: _table.Places = 1 + (step.Which % 4); break;
                default: break;
            }
        }

        private void Release(long job)
        {
            _asked[job].Task.GetAwaiter().GetResult().Dispose();
            _asked.Remove(job);
        }

        private void Check()
        {
            var holding = Holding.Select(h => _asked[h].Claim).ToList();
            foreach (var (a, b) in holding.SelectMany((a, n) => holding.Skip(n + 1).Select(b => (a, b)))) { Assert.False(Excludes(a, b), $"{a} and {b} hold at one time."); }
            var running = holding.Count(h => h.Slot);
            Assert.Equal(running, _table.Running);
            var waiting = Waiting.Select(w => _asked[w].Claim).OrderBy(c => c.Rank).ToList();
            var earlier = new List<Claim>();
            foreach (var claim in waiting)
            {
                if (claim.Slot && running >= _table.Places) { continue; }
                Assert.True(holding.Concat(earlier).Any(other => Excludes(claim, other)), $"{claim} waits for nothing.");
                earlier.Add(claim);
            }
            // What was just given was not taken past one that came before it and could have had a slot.
            foreach (var given in Holding.Where(_known.Add).Select(h => _asked[h].Claim))
            {
                Assert.DoesNotContain(waiting, w => w.Rank < given.Rank && Excludes(w, given) && !(w.Slot && running >= _table.Places));
            }
            var listed = _table.Listing();
            Assert.Equal(listed.Select(l => l.Name).Order(StringComparer.Ordinal), listed.Select(l => l.Name));
            Assert.Equal(holding.SelectMany(h => h.Locks.Select(l => (l.Name, h.Rank.Job))).Distinct().Order(), listed.SelectMany(l => l.Holders.Select(h => (l.Name, h.Job))).Order());
        }

        private static bool Excludes(Claim a, Claim b) => a.Locks.Any(x => b.Locks.Any(y => x.Name == y.Name && !(OnlyShared(a, x.Name) && OnlyShared(b, x.Name))));

        private static bool OnlyShared(Claim c, string name) => c.Locks.Where(l => l.Name == name).All(l => l.Shared);
    }
}
