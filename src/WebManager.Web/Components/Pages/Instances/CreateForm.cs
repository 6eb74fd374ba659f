// What is typed into the create form, kept as typed, and the request it means.
using System.Globalization;
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components.Pages.Instances;

public sealed class CreateForm
{
    public string Name { get; set; } = "";
    public string Image { get; set; } = "";
    public string Vcpus { get; set; } = "1";
    public string Memory { get; set; } = "512M";
    public DiskTemplate Template { get; set; } = DiskTemplate.Mirror;
    public List<string> Disks { get; } = ["1G"];
    public string Nics { get; set; } = "1";
    public string SshKeys { get; set; } = "";
    public bool Beat { get; set; }
    public bool Start { get; set; } = true;
    public string Primary { get; set; } = "";
    public string Secondary { get; set; } = "";

    /// <summary>The key of who owns it.</summary>
    public string? Owner { get; set; }
    public bool Force { get; set; }

    /// <summary>The request, or per field what is wrong with how it is written. Whether it can be done is the engine's to say.</summary>
    public (CreateInstance? Request, Dictionary<string, string> Errors) Read(bool beatKnown)
    {
        var errors = new Dictionary<string, string>();
        ReadName(errors);
        if (Image.Length == 0) { errors["image"] = "Choose an image."; }
        var (vcpus, memory) = (SizeFields.Vcpus(Vcpus, errors), SizeFields.Memory(Memory, errors));
        var disks = Template == DiskTemplate.Diskless ? [] : SizeFields.Disks(Disks, errors);
        var nics = SizeFields.Nics(Nics, errors);
        if (errors.Count > 0) { return (null, errors); }
        return (new CreateInstance(Name.Trim(), Image, vcpus, memory, Template, disks)
        {
            Nics = nics,
            Primary = Primary.Length == 0 ? null : Primary,
            Secondary = Template != DiskTemplate.Mirror || Secondary.Length == 0 ? null : Secondary,
            SshKeys = Keys,
            OsParams = beatKnown && Beat ? new Dictionary<string, string> { ["beat"] = "on" } : new Dictionary<string, string>(),
            Start = Start,
            Owner = Owner,
            Force = Force,
        }, errors);
    }

    /// <summary>The same from a template; what is typed of sizes counts only where it leaves them free.</summary>
    public (CreateFromTemplate? Request, Dictionary<string, string> Errors) Read(InstanceTemplate template, SizeFields typed)
    {
        var errors = new Dictionary<string, string>();
        ReadName(errors);
        var request = new CreateFromTemplate(Name.Trim(), template.Name) { SshKeys = Keys, Owner = Owner, Force = Force };
        if (template.Parameters.SizesFree)
        {
            request = request with { Vcpus = SizeFields.Vcpus(typed.VcpusTyped, errors), MemoryMiB = SizeFields.Memory(typed.MemoryTyped, errors), DisksMiB = SizeFields.Disks(typed.DisksTyped, errors) };
        }
        return errors.Count > 0 ? (null, errors) : (request, errors);
    }

    private string[] Keys => SshKeys.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private void ReadName(Dictionary<string, string> errors)
    {
        if (Name.Trim().Length == 0) { errors["instance"] = "Give it a name, like web1."; }
    }
}

/// <summary>Sizes as they are typed, and how they are read: field by field, with what is allowed.</summary>
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
        errors["vcpus"] = "A whole number from 1.";
        return 0;
    }

    public static int Memory(string typed, Dictionary<string, string> errors)
    {
        if (Sizes.Parse(typed) is { } memory and <= int.MaxValue) { return (int)memory; }
        errors["memoryMiB"] = "A size like 512M or 2G.";
        return 0;
    }

    public static IReadOnlyList<long> Disks(IReadOnlyList<string> typed, Dictionary<string, string> errors)
    {
        var sizes = typed.Select(t => Sizes.Parse(t)).ToList();
        if (sizes.All(s => s is not null)) { return [.. sizes.Select(s => s!.Value)]; }
        errors["disksMiB"] = "A size like 500M, 10G or 1T.";
        return [];
    }

    public static int Nics(string typed, Dictionary<string, string> errors)
    {
        if (int.TryParse(typed.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var nics)) { return nics; }
        errors["nics"] = "A whole number from 0.";
        return 0;
    }
}
