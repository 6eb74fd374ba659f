// wm template: list, show, add, modify, copy, remove, from-instance.
using System.CommandLine;
using System.Text.Json.Serialization.Metadata;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class TemplateCommands
{
    public static Command Template(Surroundings around) => new Command("template", "Instance templates: what instances are made from. Rights on them: wm grant set SUBJECT template:NAME use.").With(
        List(around), Show(around), Add(around), Modify(around), Copy(around), Remove(around), FromInstance(around));

    private static Command List(Surroundings around) => new Command("list", "Those that you have a right on.").Does(around, run => run.ShowAsync("templates", CliJson.Default.TemplateViewArray, all =>
    {
        var table = new Output.Table("NAME", "OWNER", "IMAGE", "VCPUS", "MEMORY", "DISK", "TEMPLATE", "SIZES", "RIGHTS");
        foreach (var t in all) table.Row(t.Name, Owner(t), t.Image, $"{t.Vcpus}", Sizes.Format(t.MemoryMiB), Disks(t), t.Template, t.SizesFree ? "free" : "fixed", string.Join(",", t.Rights));
        table.Write(run.Around, "There are no instance templates that you may use.");
    }));

    private static Command Show(Surroundings around)
    {
        var name = Name();
        return new Command("show", "One with all its values.").Does(around, run => run.ShowAsync($"templates/{Parts.Path(run.Get(name))}", CliJson.Default.TemplateView, t =>
            new Details().Line("name", t.Name).Line("owner", Owner(t)).Line("description", t.Description).Line("note", t.Stands ? null : "its owner may not create instances any more, so nobody can use it")
                .Line("image", t.Image).Line("vcpus", $"{t.Vcpus}").Line("memory", Sizes.Format(t.MemoryMiB)).Line("template", t.Template).Line("disks", Disks(t)).Line("nics", $"{t.Nics}")
                .Line("osparams", string.Join(" ", t.OsParams.Select(p => $"{p.Key}={p.Value}"))).Line("start", t.Start ? "yes" : "no").Line("sizes", t.SizesFree ? "free" : "fixed")
                .Line("rights", string.Join(",", t.Rights)).Line("made", Text.Time(t.At, run.Around.Clock)).Line("id", $"{t.Id}").Write(run.Around)), name);
    }

    private static Command Add(Surroundings around)
    {
        var (name, values, reason, noWait) = (Parts.Name("The new template's name."), new TemplateOptions(), Parts.Reason(), Parts.NoWait());
        values.Image.Required = true;
        values.Memory.Required = true;
        return new Command("add", "Make one. An administrator's is the cluster's, anybody else's is one's own.").Does(around, async run =>
        {
            var disks = run.Get(values.Disks) ?? [];
            var body = new AddTemplateRequest(run.Get(name), run.Get(values.Image)!, run.Get(values.Vcpus) ?? 1, (int)run.Get(values.Memory)!.Value, run.Get(values.Template) ?? (disks.Length > 0 ? "mirror" : "diskless"), disks)
            {
                Description = run.Get(values.Description) ?? "", Nics = run.Get(values.Nics) ?? 1, OsParams = InstanceAdd.ReadParams(run.Get(values.OsParams) ?? []), Start = Parts.IsOn(run.Get(values.Start)) ?? true,
                SizesFree = run.Get(values.Choice) == "free", Reason = run.Get(reason),
            };
            await SendAsync(run, HttpMethod.Post, "templates", body, CliJson.Default.AddTemplateRequest, run.Get(noWait));
        }, [name, .. values.All, reason, noWait]);
    }

    private static Command Modify(Surroundings around)
    {
        var (name, values, reason, noWait) = (Name(), new TemplateOptions(), Parts.Reason(), Parts.NoWait());
        var newName = new Option<string?>("--name") { Description = "What it is called from now on.", HelpName = "NAME" };
        return new Command("modify", "Change what is given; instances that were made from it stay as they are.").Does(around, async run =>
        {
            var body = new ModifyTemplateRequest
            {
                NewName = run.Get(newName), Description = run.Get(values.Description), Image = run.Get(values.Image), Vcpus = run.Get(values.Vcpus), MemoryMiB = (int?)run.Get(values.Memory), Template = run.Get(values.Template),
                DisksMiB = run.Get(values.Disks) is { Length: > 0 } disks ? disks : null, Nics = run.Get(values.Nics), OsParams = InstanceAdd.ReadParams(run.Get(values.OsParams) ?? []), Start = Parts.IsOn(run.Get(values.Start)),
                SizesFree = run.Get(values.Choice) is { } choice ? choice == "free" : null, Reason = run.Get(reason),
            };
            await SendAsync(run, HttpMethod.Patch, $"templates/{Parts.Path(run.Get(name))}", body, CliJson.Default.ModifyTemplateRequest, run.Get(noWait));
        }, [name, newName, .. values.All, reason, noWait]);
    }

    private static Command Copy(Surroundings around)
    {
        var (name, newName, reason, noWait) = (Name(), new Argument<string>("NEW_NAME") { Description = "The copy's name." }, Parts.Reason(), Parts.NoWait());
        return new Command("copy", "Make another one with the same values; rights on it are given anew.").Does(around,
            run => SendAsync(run, HttpMethod.Post, $"templates/{Parts.Path(run.Get(name))}/copy", new CopyTemplateRequest(run.Get(newName)) { Reason = run.Get(reason) }, CliJson.Default.CopyTemplateRequest, run.Get(noWait)), name, newName, reason, noWait);
    }

    private static Command Remove(Surroundings around)
    {
        var (name, yes, reason, noWait) = (Name(), Parts.Yes(), Parts.Reason(), Parts.NoWait());
        return new Command("remove", "Take it away; instances that were made from it stay.").Does(around, async run =>
        {
            run.Confirm($"Remove the instance template {run.Get(name)}? Nobody can make instances from it any more.", run.Get(yes));
            await JobFollower.FollowAsync(run, await run.Portal.DeleteAsync($"templates/{Parts.Path(run.Get(name))}{Parts.Why(run.Get(reason))}", CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, yes, reason, noWait);
    }

    private static Command FromInstance(Surroundings around)
    {
        var (instance, name, reason, noWait) = (new Argument<string>("INSTANCE") { Description = "The instance's name or id." }, Parts.Name("The new template's name."), Parts.Reason(), Parts.NoWait());
        var values = new TemplateOptions();
        return new Command("from-instance", "Make one with what an instance has now.").Does(around, run => SendAsync(run, HttpMethod.Post, "templates/from-instance",
            new TemplateFromInstanceRequest(run.Get(instance), run.Get(name)) { Description = run.Get(values.Description) ?? "", SizesFree = run.Get(values.Choice) == "free", Reason = run.Get(reason) },
            CliJson.Default.TemplateFromInstanceRequest, run.Get(noWait)), instance, name, values.Description, values.Choice, reason, noWait);
    }

    private static async Task SendAsync<T>(Invocation run, HttpMethod method, string path, T body, JsonTypeInfo<T> type, bool noWait)
    {
        var sent = method == HttpMethod.Patch ? run.Portal.PatchAsync(path, body, type, CliJson.Default.JobAccepted, run.Ct) : run.Portal.PostAsync(path, body, type, CliJson.Default.JobAccepted, run.Ct);
        await JobFollower.FollowAsync(run, await sent, noWait);
    }

    private static Argument<string> Name() => Parts.Name("The instance template's name or id.");
    private static string Owner(TemplateView t) => t.Owner.Length == 0 ? "cluster" : t.Owner;
    private static string Disks(TemplateView t) => t.DisksMiB is { Count: > 0 } disks ? string.Join(",", disks.Select(Sizes.Format)) : "-";
}

/// <summary>What instances from it are made with.</summary>
internal sealed class TemplateOptions
{
    public Option<string?> Image { get; } = new("--image") { Description = "What they are made from (wm image list).", HelpName = "IMAGE" };
    public Option<int?> Vcpus { get; } = Parts.Int("--vcpus", "Virtual processors (1).", "N", 1, 256);
    public Option<long?> Memory { get; } = Parts.SizeOrNone("--memory", "Memory: 512M, 2G; a plain number is MiB.");
    public Option<long[]> Disks { get; } = Parts.Sizes("--disk", "A disk; once for each disk.");
    public Option<string?> Template { get; } = Parts.OneOf("--template", "How their disks are kept (mirror; without a disk diskless).", "mirror", "file", "diskless");
    public Option<int?> Nics { get; } = Parts.Int("--nics", "Network cards (1).", "N", 0, 8);
    public Option<string[]> OsParams { get; } = new("--osparam") { Description = "A parameter of the image.", HelpName = "KEY=VALUE" };
    public Option<string?> Start { get; } = Parts.YesNo("--start", "Whether they are started (yes).");
    public Option<string?> Choice { get; } = Parts.OneOf("--sizes", "Whether who uses it may choose CPUs, memory and disk sizes (fixed).", "free", "fixed");
    public Option<string?> Description { get; } = new("--description") { Description = "What it is for.", HelpName = "TEXT" };

    public Symbol[] All => [Image, Vcpus, Memory, Disks, Template, Nics, OsParams, Start, Choice, Description];
}
