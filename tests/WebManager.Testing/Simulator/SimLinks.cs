// The engine's way to the simulated nodes.
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Testing.Simulator;

/// <summary>One engine's links; after its death nothing it sent comes back to it.</summary>
public sealed class SimLinks(SimWorld world, Life portal, SimClock clock, string from = SimNetwork.Portal) : INodeLinks
{
    public INodeLink To(string node, string address) => new Link(world, portal, clock, node, from);

    private static Refusal Unreachable(string node) => new("node.unreachable", $"No answer from {node}.", "Look at the node and its network.");

    private sealed class Link(SimWorld world, Life portal, SimClock clock, string name, string from) : INodeLink
    {
        /// <summary>A request that finds nobody listening is tried again by TCP within this time.</summary>
        private static readonly TimeSpan OneRetry = TimeSpan.FromSeconds(1);

        public async Task<Outcome<TReply>> CallAsync<TReply>(IAgentCall<TReply> call, TimeSpan limit, CancellationToken ct)
        {
            world.Scheduler.CheckThread();
            if (portal.Dead) await new TaskCompletionSource().Task;
            var answer = new TaskCompletionSource<Outcome<TReply>>();
            using var giveUp = clock.CreateTimer(_ => answer.TrySetResult(Unreachable(name)), null, limit, Timeout.InfiniteTimeSpan);
            using var cancelled = ct.Register(() => answer.TrySetCanceled(ct));
            world.Spawn(() => CarryAsync(call, answer));
            if (world.Network.Again(name) is { } after) world.Spawn(() => AgainAsync(call, after));
            var result = await answer.Task;
            if (portal.Dead) await new TaskCompletionSource().Task;
            return result;
        }

        /// <summary>The same request once more, late; nobody waits for the answer.</summary>
        private async Task AgainAsync<TReply>(IAgentCall<TReply> call, TimeSpan after)
        {
            var agent = world.FindNode(name)?.Agent?.Run ?? Guid.Empty;
            await world.DelayAsync(after);
            await CarryAsync(call, new TaskCompletionSource<Outcome<TReply>>(), agent);
        }

        /// <param name="agent">The run of the agent that it was sent to; null: the one of now.</param>
        private async Task CarryAsync<TReply>(IAgentCall<TReply> call, TaskCompletionSource<Outcome<TReply>> answer, Guid? agent = null)
        {
            // What comes late comes by a connection to the agent that ran then; with that one it ended.
            var (sent, then) = (world.Now, agent ?? world.FindNode(name)?.Agent?.Run);
            if (!await world.Network.CarryAsync(from, name)) return;
            if (world.FindNode(name) is not { Powered: true } node) return;
            if ((agent is not null || world.Now - sent > OneRetry) && node.Agent?.Run != then) return;
            Outcome<TReply> reply;
            try
            {
                await node.ThawedAsync();
                Say(call, "");
                reply = node.Agent is { } running ? await running.HandleAsync(call) : Unreachable(name);
            }
            catch (DiedException)
            {
                // The machine is still there: the connection breaks at once instead of going silent.
                if (!node.Powered) return;
                reply = Unreachable(name);
            }

            Say(call, ".done");
            if (world.Options.Verbose || (call is IOrder && !reply.Ok)) world.Log($"{name} {call.Path}: {(reply.Ok ? "done" : reply.Refusal.Code + " " + reply.Refusal.Message)}");
            if (await world.Network.CarryAsync(name, from)) answer.TrySetResult(reply);
        }

        private void Say<TReply>(IAgentCall<TReply> call, string how)
        {
            if (world.Moments.Awaited) world.Moments.Now(call.Path["/v1/".Length..] + how, name);
        }

        public async IAsyncEnumerable<AgentEvent> EventsAsync([EnumeratorCancellation] CancellationToken ct)
        {
            world.Scheduler.CheckThread();
            if (portal.Dead) await new TaskCompletionSource().Task;
            if (!await world.Network.CarryAsync(from, name, maybeLate: false) || world.FindNode(name)?.Agent is not { } agent)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), clock, ct);
                yield break;
            }

            var stream = Channel.CreateUnbounded<AgentEvent>();
            agent.Listeners.Add(stream.Writer);
            try
            {
                while (await stream.Reader.WaitToReadAsync(ct))
                {
                    if (!stream.Reader.TryRead(out var happened)) continue;
                    if (portal.Dead) await new TaskCompletionSource().Task;
                    if (await world.Network.CarryAsync(name, from, maybeLate: false)) yield return happened;
                }
            }
            finally
            {
                agent.Listeners.Remove(stream.Writer);
            }
        }
    }
}

/// <summary>One image, on every node that answers.</summary>
public sealed class SimImages : IImageCatalog
{
    public IReadOnlyList<ImageInfo> Images { get; } = [new("alpine", "1", "The simulator's image.", 64, ["beat", "quiet"])];

    public async Task<Outcome<Done>> EnsureOnNodeAsync(ImageInfo image, AgentHello hello, INodeLink link, CancellationToken ct)
    {
        var answer = await link.CallAsync(new HelloRequest(), TimeSpan.FromSeconds(2), ct);
        return answer.Ok ? Done.Value : answer.Refusal;
    }
}

public sealed class SimPeople : IPeople
{
    private readonly Dictionary<string, Person> _people = new(StringComparer.Ordinal);

    public event Action? Changed;

    public void Add(string id, string name, bool active = true, bool superuser = false)
    {
        _people[id] = new Person(id, name, active, superuser);
        Changed?.Invoke();
    }

    public void Remove(string id)
    {
        _people.Remove(id);
        Changed?.Invoke();
    }

    public Person? Find(string idOrName) => _people.GetValueOrDefault(idOrName) ?? _people.Values.FirstOrDefault(p => p.Name == idOrName);
}

public sealed class SimRandomness(Random random) : IRandomness
{
    public string NewTag() => random.NextInt64().ToString("x16", System.Globalization.CultureInfo.InvariantCulture);

    public Guid NewGuid()
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }

    public string NewMac() => $"aa:00:00:{random.Next(256):x2}:{random.Next(256):x2}:{random.Next(256):x2}";
    public string? NewSshHostKey() => null;
}
