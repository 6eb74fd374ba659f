// What is typed into the create form, kept as typed, and the request it means.
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
