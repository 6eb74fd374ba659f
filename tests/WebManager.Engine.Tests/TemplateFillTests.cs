// Property: what is made from a template is what the template says, but for sizes that it leaves free; every other difference is refused.
using FsCheck;
using FsCheck.Fluent;
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class TemplateFillTests
{
    private static readonly Gen<IReadOnlyList<long>> Sizes = Gen.Choose(0, 2).SelectMany(count => Gen.ArrayOf(Gen.Choose(1, 2).Select(n => (long)n), count)).Select(sizes => (IReadOnlyList<long>)sizes);

    private static readonly Gen<TemplateParameters> Parameters =
        from image in Gen.Elements("a", "b")
        from vcpus in Gen.Choose(1, 2)
        from memory in Gen.Choose(1, 2)
        from template in Gen.Elements(Enum.GetValues<DiskTemplate>())
        from disks in Sizes
        from nics in Gen.Choose(0, 1)
        from start in Gen.Elements(true, false)
        from free in Gen.Elements(true, false)
        from beat in Gen.Elements(true, false)
        select new TemplateParameters(image, vcpus, memory, template, disks) { Nics = nics, Start = start, SizesFree = free, OsParams = beat ? new Dictionary<string, string> { ["beat"] = "on" } : new Dictionary<string, string>() };

    /// <summary>What is asked for is drawn like a template, and each part of it is given or not.</summary>
    private static readonly Gen<(TemplateParameters Template, TemplateParameters Asked, bool[] Given)> Cases =
        from template in Parameters
        from asked in Parameters
        from given in Gen.ArrayOf(Gen.Elements(true, false, false), 8)
        select (template, asked, given);

    [Fact]
    public void Only_free_sizes_differ_from_the_template() => Prop.ForAll(Cases.ToArbitrary(), c => Holds(c.Template, c.Asked, c.Given)).QuickCheckThrowOnFailure();

    private static bool Holds(TemplateParameters p, TemplateParameters a, bool[] given)
    {
        var request = new CreateFromTemplate("i", "t")
        {
            Image = given[0] ? a.Image : null, Vcpus = given[1] ? a.Vcpus : null, MemoryMiB = given[2] ? a.MemoryMiB : null, DiskTemplate = given[3] ? a.Template : null, DisksMiB = given[4] ? a.DisksMiB : null,
            Nics = given[5] ? a.Nics : null, OsParams = given[6] ? a.OsParams : null, Start = given[7] ? a.Start : null,
        };
        var differs = new List<string>();
        if (given[0] && a.Image != p.Image) { differs.Add("image"); }
        if (given[3] && a.Template != p.Template) { differs.Add("template"); }
        if (given[5] && a.Nics != p.Nics) { differs.Add("nics"); }
        if (given[7] && a.Start != p.Start) { differs.Add("start"); }
        if (given[6] && a.OsParams.Count != p.OsParams.Count) { differs.Add("osParams"); }
        if (given[4] && (a.DisksMiB.Count != p.DisksMiB.Count || (!p.SizesFree && !a.DisksMiB.SequenceEqual(p.DisksMiB)))) { differs.Add("disksMiB"); }
        if (given[1] && !p.SizesFree && a.Vcpus != p.Vcpus) { differs.Add("vcpus"); }
        if (given[2] && !p.SizesFree && a.MemoryMiB != p.MemoryMiB) { differs.Add("memoryMiB"); }
        var filled = TemplateRules.Fill(request, new InstanceTemplate(Guid.Empty, "t", "", "", p, default, 1));
        if (!filled.Ok) { return filled.Refusal.Code == "template.fixed" && differs.Contains(filled.Refusal.Field!); }
        var made = filled.Value;
        return differs.Count == 0 && made.Image == p.Image && made.Template == p.Template && made.Nics == p.Nics && made.Start == p.Start && made.OsParams == p.OsParams
            && made.Vcpus == (given[1] ? a.Vcpus : p.Vcpus) && made.MemoryMiB == (given[2] ? a.MemoryMiB : p.MemoryMiB) && made.DisksMiB.SequenceEqual(given[4] ? a.DisksMiB : p.DisksMiB);
    }
}
