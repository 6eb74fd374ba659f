// Sizes as they are typed into forms, and how they are read: field by field, with what is allowed.
using System.Globalization;
using WebManager.Engine.Model;

namespace WebManager.Web.Components.Shared;

public sealed class SizeFields
{
    public string VcpusTyped { get; set; } = "1";
    public string MemoryTyped { get; set; } = "512M";
    public List<string> DisksTyped { get; } = [];

    public static SizeFields Of(TemplateParameters p)
    {
        var fields = new SizeFields { VcpusTyped = p.Vcpus.ToString(CultureInfo.InvariantCulture), MemoryTyped = Sizes.Typed(p.MemoryMiB) };
        fields.DisksTyped.AddRange(p.DisksMiB.Select(Sizes.Typed));
        return fields;
    }

    public static int Vcpus(string typed, Dictionary<string, string> errors)
    {
        if (int.TryParse(typed.Trim(), out var vcpus) && vcpus >= 1) { return vcpus; }
        errors["vcpus"] = "Virtual CPUs: a whole number from 1.";
        return 0;
    }

    public static int Memory(string typed, Dictionary<string, string> errors)
    {
        if (Sizes.Parse(typed) is { } memory and <= int.MaxValue) { return (int)memory; }
        errors["memoryMiB"] = "Memory: a size like 512M or 2G.";
        return 0;
    }

    public static IReadOnlyList<long> Disks(IReadOnlyList<string> typed, Dictionary<string, string> errors)
    {
        var sizes = typed.Select(t => Sizes.Parse(t)).ToList();
        if (sizes.All(s => s is not null)) { return [.. sizes.Select(s => s!.Value)]; }
        errors["disksMiB"] = "Disks: a size like 500M, 10G or 1T for each.";
        return [];
    }

    public static int Nics(string typed, Dictionary<string, string> errors)
    {
        if (int.TryParse(typed.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var nics)) { return nics; }
        errors["nics"] = "Network cards: a whole number from 0.";
        return 0;
    }
}
