// What is typed into the form of an instance template, kept as typed, and the values it means.
using System.Globalization;
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Web.Components.Pages.Instances;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components.Pages.Templates;

public sealed class TemplateForm
{
    /// <summary>To ask whether somebody may make one at all.</summary>
    public static readonly AddTemplate Any = new("a", new TemplateParameters("", 1, 1, DiskTemplate.Diskless, []));

    public string Name { get; set; } = "";
    public string Description { get; set; } = "";
    public string Image { get; set; } = "";
    public string Vcpus { get; set; } = "1";
    public string Memory { get; set; } = "512M";
    public DiskTemplate Template { get; set; } = DiskTemplate.Mirror;
    public List<string> Disks { get; } = ["1G"];
    public string Nics { get; set; } = "1";

    /// <summary>By name; what is empty is not given.</summary>
    public Dictionary<string, string> OsParams { get; } = new(StringComparer.Ordinal);
    public bool Start { get; set; } = true;
    public bool SizesFree { get; set; }

    public static TemplateForm Of(InstanceTemplate template)
    {
        var p = template.Parameters;
        var form = new TemplateForm
        {
            Name = template.Name, Description = template.Description, Image = p.Image, Vcpus = p.Vcpus.ToString(CultureInfo.InvariantCulture), Memory = Sizes.Typed(p.MemoryMiB), Template = p.Template,
            Nics = p.Nics.ToString(CultureInfo.InvariantCulture), Start = p.Start, SizesFree = p.SizesFree,
        };
        if (p.DisksMiB.Count > 0)
        {
            form.Disks.Clear();
            form.Disks.AddRange(p.DisksMiB.Select(Sizes.Typed));
        }
        foreach (var (name, value) in p.OsParams) { form.OsParams[name] = value; }
        return form;
    }

    /// <summary>The values, or per field what is wrong with how it is written. Known: the parameters of the image.</summary>
    public (TemplateParameters? Parameters, Dictionary<string, string> Errors) Read(IReadOnlyList<string> known)
    {
        var errors = new Dictionary<string, string>();
        if (Name.Trim().Length == 0) { errors["name"] = "Give it a name, like small."; }
        if (Image.Length == 0) { errors["image"] = "Choose an image."; }
        var (vcpus, memory, nics) = (SizeFields.Vcpus(Vcpus, errors), SizeFields.Memory(Memory, errors), SizeFields.Nics(Nics, errors));
        var disks = Template == DiskTemplate.Diskless ? [] : SizeFields.Disks(Disks, errors);
        if (errors.Count > 0) { return (null, errors); }
        return (new TemplateParameters(Image, vcpus, memory, Template, disks)
        {
            Nics = nics, Start = Start, SizesFree = SizesFree, OsParams = OsParams.Where(o => o.Value.Trim().Length > 0 && known.Contains(o.Key)).ToDictionary(o => o.Key, o => o.Value.Trim()),
        }, errors);
    }
}
