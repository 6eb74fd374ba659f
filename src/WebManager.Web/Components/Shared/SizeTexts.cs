// What stands beside sizes while they are typed, and what an instance of these sizes is called.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Web.Components.Shared;

public static class SizeTexts
{
    public static string Hint(string typed) => Sizes.Parse(typed) is { } mib ? $"{Sizes.Text(mib)}. Units: M, G, T." : "Units: M, G, T.";

    public static string Sum(IReadOnlyList<string> typed)
    {
        var all = typed.Select(t => Sizes.Parse(t)).ToList();
        return all.All(s => s is not null) ? $"{Sizes.Text(all.Sum(s => s!.Value))} in {all.Count} disks. Units: M, G, T." : "Units: M, G, T.";
    }

    /// <summary>"1 vCPU, 512 MiB memory, 2 disks (3 GiB), on two nodes".</summary>
    public static string Of(int vcpus, long memoryMiB, DiskTemplate template, IReadOnlyList<long> disksMiB) =>
        $"{vcpus} vCPU, {Sizes.Text(memoryMiB)} memory, {Disks(template, disksMiB)}";

    public static string Of(TemplateParameters p) => Of(p.Vcpus, p.MemoryMiB, p.Template, p.DisksMiB);

    public static string Disks(DiskTemplate template, IReadOnlyList<long> disksMiB) => disksMiB.Count == 0 ? "no disk"
        : $"{(disksMiB.Count == 1 ? "a disk of" : $"{disksMiB.Count} disks with")} {Sizes.Text(disksMiB.Sum())} on {(template == DiskTemplate.Mirror ? "two nodes" : "one node")}";

    public static string Nics(int count) => count switch { 0 => "no network card", 1 => "1 network card", _ => $"{count} network cards" };
}
