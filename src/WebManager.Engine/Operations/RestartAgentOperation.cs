// A node's agent leaves its place to the program that is installed there by now; its guests run on under the keeper.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Loop;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Operations;

internal sealed class RestartAgentOperation : Operation<RestartAgent>
{
    /// <summary>Copies and migrations take their time, and nothing is lost by waiting for them.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>The agent looks at the installed program and starts it beside itself before it answers.</summary>
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(55);

    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;

    /// <summary>As long as the node is not let go.</summary>
    public override CancelRule Cancel => CancelRule.Itself;

    /// <summary>One at a time in the cluster: two silent nodes are more than one. Not the node's own: setting it offline must not wait for this.</summary>
    public override IEnumerable<string> Locks(RestartAgent request) => ["1:agent-restart"];

    public override Refusal? Check(RestartAgent request, Picture now, EngineParts parts) =>
        !now.Nodes.ContainsKey(request.Node) ? new Refusal("node.unknown", $"There is no node {Shown.Name(request.Node)}.") { Field = "node" }
        : request.TimeoutSeconds is < RestartAgent.LeastTimeout or > RestartAgent.MostTimeout
            ? new Refusal("timeout.invalid", $"A node cannot be allowed to be silent for {request.TimeoutSeconds} s.", $"Use {RestartAgent.LeastTimeout} to {RestartAgent.MostTimeout} seconds.") { Field = "timeoutSeconds" }
        : parts.Nodes.Find(request.Node) is not { Health: NodeHealth.Online } watch ? new Refusal("node.not-online", $"Node {request.Node} does not answer.", "Its agent is started on the node itself.")
        : watch.Hello?.Can.Contains("restart") == false
            ? new Refusal("agent.too-old", $"The agent of {request.Node} (version {watch.Hello.Version}) cannot hand over.", "Install the new program and restart the agent once by hand on the node; its guests run on if that takes less than two seconds.")
        : null;

    public override async Task<Outcome<Done>> RunAsync(RestartAgent request, JobContext job, CancellationToken ct)
    {
        if (job.Job.Step != AgentRestarts.Leave && await LeaveAsync(request, job, ct) is { Ok: false } refused) { return refused; }
        if (job.Nodes.Find(request.Node) is not { } watch) { return new Refusal("node.unknown", $"There is no node {request.Node} any more."); }
        var order = new RestartAgentOrder(job.OperationId(AgentRestarts.Leave), job.Epoch);
        var (silence, limit) = (TimeSpan.Zero, TimeSpan.FromSeconds(request.TimeoutSeconds));
        bool Over()
        {
            silence = watch.Silence > silence ? watch.Silence : silence;
            return Back(watch, order) || watch.Silence >= limit;
        }

        var taken = await AskAsync(order, watch, Over, job, ct);
        if (!taken.Ok && taken.Refusal.Code != "node.unreachable") { return taken.Refusal; }
        if (taken.Ok) { await job.LogAsync($"Version {taken.Value.To} is ready and takes over from {taken.Value.From}{(taken.Value.KeeperToo ? "; the keeper holds nothing and is replaced, too" : "")}.", ct); }
        await job.Nodes.UntilAsync(() =>
        {
            if (Over() || Another(watch, taken.Value)) { return true; }
            watch.Nudge();
            return false;
        }, limit + Answer, ct);
        return Back(watch, order) ? await BackAsync(watch, silence, job, ct) : NotBack(request, watch);
    }

    /// <summary>Nobody knows whether an order without an answer arrived, so it is repeated: it is carried out once, and the answer stays.</summary>
    private static async Task<Outcome<RestartAgentReply>> AskAsync(RestartAgentOrder order, NodeWatch watch, Func<bool> over, JobContext job, CancellationToken ct)
    {
        while (true)
        {
            var taken = await job.OrderAsync(watch.Name, order, Answer, ct);
            if (taken.Ok || taken.Refusal.Code != "node.unreachable" || over()) { return taken; }
            var sent = job.Parts.Clock.GetTimestamp();
            await job.Nodes.UntilAsync(() => over() || (watch.Health == NodeHealth.Online && watch.AsOf > sent), Timeout.InfiniteTimeSpan, ct);
        }
    }

    /// <summary>Waits for what must not be disturbed, then gives the engine's leave: from that moment on the node may be silent.</summary>
    private async Task<Outcome<Done>> LeaveAsync(RestartAgent request, JobContext job, CancellationToken ct)
    {
        var (began, told) = (job.Parts.Clock.GetTimestamp(), (string?)null);
        while (true)
        {
            if (job.CancelAsked) { return job.Canceled(); }
            var (refusal, why) = Hindrance(request, job);
            if (refusal is not null) { return refusal; }
            if (why is null)
            {
                var left = await job.StepAsync<Done>(AgentRestarts.Leave, (now, changes) =>
                {
                    if (Check(request, now, job.Parts) is { } no) { return no; }
                    if (Hindrance(request, job, now).Why is { } late) { return new Refusal("node.busy", late); }
                    changes.Text = $"{request.Node} may be silent for {request.TimeoutSeconds} s while its agent is restarted.";
                    return Done.Value;
                }, ct);
                if (left.Ok || left.Refusal.Code != "node.busy") { return left; }
            }
            else if (told is null) { await job.LogAsync($"Waits: {told = why}.", ct); }
            var rest = Patience - job.Parts.Clock.GetElapsedTime(began);
            if (rest <= TimeSpan.Zero) { return new Refusal("node.busy", $"{request.Node} was not at rest within {Patience.TotalMinutes:0} minutes: {why}.", "Try again when that has ended."); }
            await job.Nodes.UntilAsync(() => job.CancelAsked || Hindrance(request, job) is not (null, not null), rest, ct);
        }
    }

    private (Refusal? Refusal, string? Why) Hindrance(RestartAgent request, JobContext job, Picture? picture = null)
    {
        var now = picture ?? job.Now;
        if (Check(request, now, job.Parts) is { } refusal) { return (refusal, null); }
        var watch = job.Nodes.Find(request.Node)!;
        return (null, AgentRestarts.Busy(request.Node, now, job.Nodes.ReportOf)
            ?? AgentRestarts.Stale(request.Node, watch.SinceChallenge, job.Parts.Heartbeat.Isolation, now, job.Nodes.ReportOf)
            ?? (watch.LastReply is { KeeperAlive: false } ? "its keeper does not answer" : null));
    }

    private static bool Back(NodeWatch watch, RestartAgentOrder order) => Answers(watch) && watch.Hello!.HandOver?.Operation == order.Operation;

    /// <summary>Neither the one that left nor its successor: the agent died meanwhile and was started in the ordinary way.</summary>
    private static bool Another(NodeWatch watch, RestartAgentReply? left) => left is not null && Answers(watch) && watch.Hello!.Run != left.Run;

    private static bool Answers(NodeWatch watch) => watch is { Health: NodeHealth.Online, Hello: { } hello, LastReply: { } reply } && hello.Run == reply.Run;

    private static async Task<Outcome<Done>> BackAsync(NodeWatch watch, TimeSpan silence, JobContext job, CancellationToken ct)
    {
        var (hello, node) = (watch.Hello!, watch.Name);
        if (hello.HandOver!.Failed is { } failed)
        {
            return new Refusal("agent.hand-over-failed", $"{node}: {failed} The agent that was there (version {hello.Version}) has taken its place again.", "Look at agent.log on the node, and at what is installed there.");
        }
        var text = $"{node}: its agent was restarted, version {hello.Version}{(hello.HandOver.From == hello.Version ? "" : $" after {hello.HandOver.From}")}, silent for {silence.TotalSeconds:0.0} s.";
        await job.LogAsync(text, ct);
        if (watch.LastReply?.Keeper is { Older: true } keeper) { await job.LogAsync($"Its keeper runs version {keeper.Version} until nothing runs on {node} any more.", ct); }
        job.Parts.Events.Add("node.agent-restarted", Severity.Info, $"node:{node}", text, hello.HandOver.From, hello.Version, job.Job.Id);
        return Done.Value;
    }

    /// <summary>With this job's end the node is a lost one like any other, if it is.</summary>
    private static Refusal NotBack(RestartAgent request, NodeWatch watch) => watch.Health == NodeHealth.Online
        ? new Refusal("agent.not-restarted", $"The agent of {request.Node} answers (version {watch.Hello?.Version}), but was not handed over to.", "Look at agent.log on the node; if its version is not the installed one, try again.")
        : new Refusal("agent.not-returned", $"The agent of {request.Node} did not come back within {request.TimeoutSeconds} s. What runs there is recovered as from any node that falls silent.", "Look at agent.log on the node, and start its agent there.");
}
