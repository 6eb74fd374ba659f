// What is known against a node's disks: its own word, its guests', and that of the primaries whose copies it holds.
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Loop;

internal static class DiskFaultsOf
{
    /// <summary>A sentence; null: nothing is known, as of a node that does not answer.</summary>
    public static string? Node(string? name, Picture now, NodeBook nodes)
    {
        if (name is null || nodes.Find(name) is not { Health: NodeHealth.Online } watch) { return null; }
        return watch.LastReply?.DiskFault ?? now.On(name).Select(i => Of(i, name, nodes)).FirstOrDefault(t => t is not null);
    }

    private static string? Of(Instance i, string node, NodeBook nodes)
    {
        if (nodes.Find(i.Primary) is not { Health: NodeHealth.Online } at || at.ReportOf(i.Id) is not { } report) { return null; }
        return node == i.Primary ? Sentence(i, report.LocalFault) : Sentence(i, report.CopyFault);
    }

    private static string? Sentence(Instance i, DiskFault? fault) => fault is null ? null : $"{(fault.Full ? "No space is left on it" : "A disk on it fails")} ({i.Name}: {fault.Text}).";
}
