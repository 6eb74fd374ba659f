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
    public string Disk { get; set; } = "1G";
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
        if (Name.Trim().Length == 0) { errors["instance"] = "Give it a name, like web1."; }
        if (Image.Length == 0) { errors["image"] = "Choose an image."; }
        if (!int.TryParse(Vcpus.Trim(), out var vcpus) || vcpus < 1) { errors["vcpus"] = "A whole number from 1."; }
        var memory = Sizes.Parse(Memory);
        if (memory is null or > int.MaxValue) { errors["memoryMiB"] = "A size like 512M or 2G."; }
        var disk = Template == DiskTemplate.Diskless ? 0 : Sizes.Parse(Disk);
        if (disk is null) { errors["disksMiB"] = "A size like 500M, 10G or 1T."; }
        if (errors.Count > 0) { return (null, errors); }
        return (new CreateInstance(Name.Trim(), Image, vcpus, (int)memory!.Value, Template, Template == DiskTemplate.Diskless ? [] : [disk!.Value])
        {
            Primary = Primary.Length == 0 ? null : Primary,
            Secondary = Template != DiskTemplate.Mirror || Secondary.Length == 0 ? null : Secondary,
            SshKeys = SshKeys.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            OsParams = beatKnown && Beat ? new Dictionary<string, string> { ["beat"] = "on" } : new Dictionary<string, string>(),
            Start = Start,
            Owner = Owner,
            Force = Force,
        }, errors);
    }
}
