// The portal dies at each step boundary of a job, and a little after it: after its restart the job has ended and all is as the nodes have it.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class CrashTests
{
    private static readonly ScenarioInstance Bystander = new("other", DiskTemplate.Mirror, "n1", "n2", false);
    private static readonly ScenarioInstance Subject = new("i1", DiskTemplate.Mirror, "n1", "n2", false);

    [Theory]
    [InlineData("create")]
    [InlineData("stop")]
    [InlineData("start")]
    [InlineData("reboot")]
    [InlineData("failover")]
    [InlineData("migrate")]
    [InlineData("replace")]
    [InlineData("remove")]
    [InlineData("recover")]
    [InlineData("degrade")]
    [InlineData("resync")]
    [InlineData("restart")]
    public void Portal_crash_at_any_step_leaves_nothing_behind(string operation)
    {
        var boundaries = 0;
        for (var k = 1; k == 1 || k <= boundaries; k++)
        {
            foreach (var after in (double[])[0, 150])
            {
                var play = new Play(operation, k, after);
                play.Run();
                boundaries = Math.Max(boundaries, play.Boundaries);
            }
        }

        Assert.True(boundaries > 0, "No step boundary was met.");
    }

    private sealed class Play(string operation, int crashAt, double afterMs)
    {
        private readonly SimWorld _world = new(new SimOptions { Seed = 100 + crashAt });
        private bool _counting;

        public int Boundaries { get; private set; }

        public void Run()
        {
            _world.Network.SlowPart = 0;
            _world.Scheduler.Run(RunAsync, TimeSpan.FromHours(1));
        }

        private async Task RunAsync()
        {
            await _world.BeginAsync(operation == "replace" ? ["n1", "n2", "n3"] : ["n1", "n2"]);
            await ScenarioInstances.CreateAsync(_world, Bystander);
            if (operation != "create") await ScenarioInstances.CreateAsync(_world, Subject);
            if (operation == "start") await _world.Portal!.DoAsync(new StopInstance("i1"));
            await _world.DelayAsync(TimeSpan.FromSeconds(3));
            _world.AtStep = AtStep;
            _counting = true;
            Begin();
            await _world.DelayAsync(TimeSpan.FromSeconds(25));
            _counting = false;
            await _world.StartPortalAsync();
            await _world.DelayAsync(TimeSpan.FromSeconds(25));
            Check();
            await _world.Portal!.StopAsync();
        }

        /// <summary>Recover, degrade, resync and restart are filed by the watcher; the fault that leads to them is done here.</summary>
        private void Begin()
        {
            switch (operation)
            {
                case "create": _world.Spawn(() => ScenarioInstances.CreateAsync(_world, Subject)); break;
                case "recover": Faults.Do(_world, "power-off", ["n1"]); break;
                case "degrade": Faults.Do(_world, "power-off", ["n2"]); break;
                case "restart": Faults.Do(_world, "guest-crash", ["i1"]); break;
                case "resync":
                    Faults.Do(_world, "power-off", ["n2"]);
                    _world.Spawn(async () =>
                    {
                        await _world.DelayAsync(TimeSpan.FromSeconds(8));
                        _world.Node("n2").PowerOn();
                    });
                    break;
                default: Faults.Do(_world, operation, ["i1"]); break;
            }
        }

        private void AtStep(string name, string step)
        {
            if (!_counting || name != (operation == "replace" ? "instance.replace-secondary" : $"instance.{operation}")) return;
            if (++Boundaries != crashAt) return;
            _world.Log($"--- crash {afterMs} ms after {name} {step}");
            if (afterMs == 0) _world.CrashPortal();
            _world.Spawn(async () =>
            {
                await _world.DelayAsync(TimeSpan.FromMilliseconds(afterMs));
                _world.CrashPortal();
                await _world.DelayAsync(TimeSpan.FromSeconds(2));
                await _world.StartPortalAsync();
            });
        }

        private void Check()
        {
            var faults = AtRest.Faults(_world).ToList();
            var i = _world.Database.Find("i1");
            var runs = i is null ? null : _world.Truth.Executing(i.Id)?.Node.Name;
            var expected = operation switch { "stop" => null, "remove" => null, "recover" => "n2", _ => i?.Primary };
            if (operation == "remove" && i is not null) faults.Add("i1 is still there.");
            if (operation == "create" && i is null && !_world.Database.Jobs.Any(j => j is { Request: CreateInstance { Instance: "i1" }, Status: JobStatus.Error })) faults.Add("i1 is gone, but no job says why.");
            if (runs != expected) faults.Add($"i1 runs on {runs ?? "no node"}, expected {expected ?? "none"}.");
            if (operation is not ("recover" or "degrade" or "resync") && _world.Events.Any(e => e.Kind == "guest.ended" && e.Subject == "other")) faults.Add("The other guest was stopped.");
            Assert.True(faults.Count == 0, $"{operation}, crash {afterMs} ms after boundary {crashAt}: {string.Join(' ', faults)}\n{_world.History}");
        }
    }
}
