// wm instance add.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class InstanceAdd
{
    public static Command Add(Surroundings around)
    {
        var name = Parts.Name("The new instance's name: a DNS name.");
        var image = new Option<string>("--image") { Description = "What it is made from (wm image list).", Required = true, HelpName = "IMAGE" };
        var vcpus = Parts.Int("--vcpus", "Virtual processors (1).", "N", 1, 256);
        var memory = Parts.Size("--memory", "Memory: 512M, 2G; a plain number is MiB.", required: true);
        var disks = Parts.Sizes("--disk", "A disk; once for each disk.");
        var template = Parts.OneOf("--template", "How its disks are kept (mirror; without a disk diskless).", "mirror", "file", "diskless");
        var primary = new Option<string?>("--primary") { Description = "The node to run on; chosen if left out.", HelpName = "NODE" };
        var secondary = new Option<string?>("--secondary") { Description = "The node for the copy; chosen if left out.", HelpName = "NODE" };
        var sshKey = new Option<FileInfo[]>("--ssh-key") { Description = "A file with public keys that may sign in.", HelpName = "FILE" };
        var osParams = new Option<string[]>("--osparam") { Description = "A parameter of the image.", HelpName = "KEY=VALUE" };
        var nics = Parts.Int("--nics", "Network cards (1).", "N", 0, 8);
        var noStart = new Option<bool>("--no-start") { Description = "Make it, but leave it down." };
        var owner = new Option<string?>("--owner") { Description = "Who owns it and is charged: user:NAME, usergroup:NAME or a name; you if left out.", HelpName = "OWNER" };
        var force = InstanceOwner.Force();
        var tags = new Option<string[]>("--tag") { Description = "A tag; once for each.", HelpName = "TAG" };
        var (reason, noWait) = (Parts.Reason(), Parts.NoWait());

        return new Command("add", "Make an instance and start it.").Does(around, async run =>
        {
            var sizes = run.Get(disks) ?? [];
            var request = new CreateInstanceRequest(run.Get(name), run.Get(image)!, run.Get(vcpus) ?? 1, (int)run.Get(memory),
                run.Get(template) ?? (sizes.Length > 0 ? "mirror" : "diskless"), sizes)
            {
                Primary = run.Get(primary),
                Secondary = run.Get(secondary),
                SshKeys = ReadKeys(run.Get(sshKey) ?? []),
                OsParams = ReadParams(run.Get(osParams) ?? []),
                Nics = run.Get(nics),
                Start = !run.Get(noStart),
                Owner = run.Get(owner),
                Force = run.Get(force),
                Tags = run.Get(tags) is { Length: > 0 } words ? words : null,
                Reason = run.Get(reason),
            };
            var job = await run.Portal.PostAsync("instances", request, CliJson.Default.CreateInstanceRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, image, vcpus, memory, disks, template, primary, secondary, sshKey, osParams, nics, noStart, owner, force, tags, reason, noWait);
    }

    public static List<string>? ReadKeys(FileInfo[] files)
    {
        var keys = new List<string>();
        foreach (var file in files)
        {
            if (!file.Exists) throw new WmException(ExitCode.Usage, $"--ssh-key: there is no file {file}.", remedy: "Give a file with public keys, like ~/.ssh/id_ed25519.pub.");
            var lines = File.ReadAllLines(file.FullName).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').ToList();
            if (lines.Exists(l => l.Contains("PRIVATE KEY", StringComparison.Ordinal)))
                throw new WmException(ExitCode.Usage, $"--ssh-key: {file} holds a private key, which stays with you.", remedy: $"Give the public one, {file}.pub.");
            keys.AddRange(lines);
        }
        return keys.Count == 0 ? null : keys;
    }

    public static Dictionary<string, string>? ReadParams(string[] pairs)
    {
        var all = new Dictionary<string, string>();
        foreach (var pair in pairs)
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at < 1) throw new WmException(ExitCode.Usage, $"--osparam: \"{pair}\" is not KEY=VALUE.");
            if (!all.TryAdd(pair[..at], pair[(at + 1)..])) throw new WmException(ExitCode.Usage, $"--osparam: {pair[..at]} is given twice.");
        }
        return all.Count == 0 ? null : all;
    }
}
