namespace WebManager.Agent.State;

/// <summary>The node's own folder D, see docs/agents.md.</summary>
public sealed class NodeFolder(string root)
{
    public string Root { get; } = Path.GetFullPath(root);
    public string Config => Path.Combine(Root, "agent.json");
    public string Key => Path.Combine(Root, "agent.key");
    public string Certificate => Path.Combine(Root, "agent.crt");
    public string Authority => Path.Combine(Root, "ca.crt");
    public string Tls => Path.Combine(Root, "tls");
    public string Boot => Path.Combine(Root, "boot");
    public string Log => Path.Combine(Root, "agent.log");
    public string Lock => Path.Combine(Root, "agent.lock");
    public string Pid => Path.Combine(Root, "agent.pid");
    public string Journal => Path.Combine(Root, "journal.jsonl");
    public string Epoch => Path.Combine(Root, "epoch");
    public string Peers => Path.Combine(Root, "peers.json");
    public string Images => Path.Combine(Root, "images");
    public string Incoming => Path.Combine(Root, "incoming");
    public string Instances => Path.Combine(Root, "instances");

    public string Instance(Guid id) => Path.Combine(Instances, id.ToString());
}
