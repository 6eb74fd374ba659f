// The portal's process around a real engine: starts on the database, crashes anywhere, leaves orderly.
using Microsoft.Extensions.Logging;
using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Testing.Simulator;

public sealed class SimPortal : IStepObserver
{
    public static readonly Caller Admin = new("1", "admin", true, "test");

    /// <summary>The engine's log line for it (Log.cs).</summary>
    private const int StandsStill = 1004;

    private readonly SimWorld _world;
    private readonly Life _life = new();
    private readonly SimClock _clock;

    private SimPortal(SimWorld world, SimDatabase database, string name)
    {
        (_world, Name) = (world, name);
        _clock = new SimClock(world.Scheduler, world.Options.PortalClockRate);
        Store = new SimStore(world, _life, database);
        Engine = new ClusterEngine(Store, new SimLinks(world, _life, _clock, name), new SimImages(), new SimRandomness(world.Random), _clock,
            world.Options.Heartbeat, world.Options.Recovery, new HistoryLog(world, _life, name), world.People, this, new SimPower(world, _clock));
    }

    /// <summary>Its name on the network.</summary>
    public string Name { get; }
    public ClusterEngine Engine { get; }
    public SimStore Store { get; }
    public SimClock Clock => _clock;
    public bool Dead => _life.Dead;

    /// <summary>The web server begins when the engine has started.</summary>
    public bool Listens { get; private set; }

    /// <summary>Every step boundary reached, over all portals of this world.</summary>
    public Action<string, string>? AtStep { get; set; }

    public static SimPortal Create(SimWorld world, Action<string, string>? atStep = null, SimDatabase? database = null, string name = SimNetwork.Portal)
    {
        var portal = new SimPortal(world, database ?? world.Database, name) { AtStep = atStep };
        world.Portals.Add(portal);
        return portal;
    }

    /// <summary>Ends also when it crashes meanwhile.</summary>
    public async Task StartAsync()
    {
        _world.Happened("portal", Name, null, "up");
        await await Task.WhenAny(Engine.StartAsync(new ClusterDefaults("sim"), CancellationToken.None), _life.Ended);
        Listens = true;
    }

    void IStepObserver.At(string operation, string step) => AtStep?.Invoke(operation, step);

    /// <summary>SIGKILL: from here nothing of it reaches anyone.</summary>
    public bool Crash()
    {
        if (_life.Dead) return false;
        _world.Happened("portal", Name, "up", null);
        _life.End();
        _clock.Kill();
        return true;
    }

    public async Task StopAsync()
    {
        await Engine.DisposeAsync();
        Crash();
    }

    /// <summary>Submits as an administrator; a refusal throws.</summary>
    public async Task<long> SubmitAsync(OperationRequest request)
    {
        var accepted = await Engine.SubmitAsync(request, Admin, "the scenario", CancellationToken.None);
        return accepted.Ok ? accepted.Value : throw new InvalidOperationException($"{request.Name} refused: {accepted.Refusal.Code} {accepted.Refusal.Message}");
    }

    /// <summary>Submits and waits; the ended job.</summary>
    public async Task<Job> DoAsync(OperationRequest request) => await Engine.WaitAsync(await SubmitAsync(request), CancellationToken.None);

    private sealed class HistoryLog(SimWorld world, Life life, string portal) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information && !life.Dead;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            world.Log($"engine: {formatter(state, exception)}{(exception is null ? "" : $" {exception.GetType().Name}: {exception.Message} {exception.StackTrace}")}");
            if (eventId.Id == StandsStill) world.Happened("portal", portal, "up", "halted");
            world.EngineExceptions += exception is null ? 0 : 1;
        }
    }
}
