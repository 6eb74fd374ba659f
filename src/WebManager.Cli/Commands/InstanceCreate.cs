// wm instance create: from an instance template.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class InstanceCreate
{
    public static Command Create(Surroundings around)
    {
        var name = Parts.Name("The new instance's name: a DNS name.");
        var template = new Option<string>("--template") { Description = "The instance template (wm template list).", Required = true, HelpName = "TEMPLATE" };
        var owner = new Option<string?>("--owner") { Description = "Who owns it and is charged: user:NAME, usergroup:NAME or a name; you if left out.", HelpName = "OWNER" };
        var vcpus = Parts.Int("--vcpus", "Where the template leaves sizes free: virtual processors.", "N", 1, 256);
        var memory = Parts.SizeOrNone("--memory", "Where the template leaves sizes free: memory.");
        var disks = Parts.Sizes("--disk", "Where the template leaves sizes free: a disk; once for each of its disks.");
        var primary = new Option<string?>("--primary") { Description = "The node to run on; chosen if left out.", HelpName = "NODE" };
        var secondary = new Option<string?>("--secondary") { Description = "The node for the copy; chosen if left out.", HelpName = "NODE" };
        var sshKey = new Option<FileInfo[]>("--ssh-key") { Description = "A file with public keys that may sign in, besides the owner's.", HelpName = "FILE" };
        var force = InstanceOwner.Force();
        var (reason, noWait) = (Parts.Reason(), Parts.NoWait());
        return new Command("create", "Make an instance from an instance template.").Does(around, async run =>
        {
            var request = new CreateInstanceRequest(run.Get(name), Vcpus: run.Get(vcpus), MemoryMiB: (int?)run.Get(memory), DisksMiB: run.Get(disks) is { Length: > 0 } sizes ? sizes : null)
            {
                FromTemplate = run.Get(template), Primary = run.Get(primary), Secondary = run.Get(secondary), SshKeys = InstanceAdd.ReadKeys(run.Get(sshKey) ?? []), Owner = run.Get(owner), Force = run.Get(force), Reason = run.Get(reason),
            };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync("instances", request, CliJson.Default.CreateInstanceRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, template, owner, vcpus, memory, disks, primary, secondary, sshKey, force, reason, noWait);
    }
}
