// wm grant: list, set, remove; wm rights.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class GrantCommands
{
    public static Command Grant(Surroundings around) => new Command("grant", "Rights that users and groups have on the cluster, instances, instance templates and groups.").With(List(around), Set(around), Remove(around));

    public static Command Rights(Surroundings around)
    {
        var user = new Argument<string>("USER") { Description = "The user; yourself if left out.", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => "me" };
        return new Command("rights", "What a user may do, and through what.").Does(around, run => run.ShowAsync($"rights/{Parts.Path(run.Get(user))}", CliJson.Default.RightViewArray, all =>
        {
            var table = new Output.Table("ON", "RIGHTS", "THROUGH");
            foreach (var r in all) table.Row(On(r.Target, r.TargetName), string.Join(",", r.Rights), r.Through);
            table.Write(run.Around, "None yet.");
        }), user);
    }

    private static Command List(Surroundings around)
    {
        var subject = new Option<string?>("--subject") { Description = "Only of this one: user:NAME or usergroup:NAME.", HelpName = "SUBJECT" };
        var target = new Option<string?>("--target") { Description = "Only on this: cluster, instance:NAME, template:NAME or usergroup:NAME.", HelpName = "TARGET" };
        return new Command("list", "All grants that you may see.").Does(around, run => run.ShowAsync("grants" + Query(("subject", run.Get(subject)), ("target", run.Get(target))), CliJson.Default.GrantViewArray, all =>
        {
            var table = new Output.Table("SUBJECT", "TARGET", "RIGHTS");
            foreach (var g in all) table.Row(On(g.Subject, g.SubjectName), On(g.Target, g.TargetName), string.Join(",", g.Rights));
            table.Write(run.Around, "There are no grants that you may see.");
        }), subject, target);
    }

    private static Command Set(Surroundings around)
    {
        var (subject, target, reason, noWait) = (Subject(), Target(), Parts.Reason(), Parts.NoWait());
        var rights = new Argument<string>("RIGHT[,RIGHT...]")
        {
            Description = "All that it has from then on. On the cluster: admin, create_vm, migrate, replace_disks, tags; on an instance: admin, power, remove, modify, console; on an instance template: admin, use; on a group: admin.",
        };
        return new Command("set", "Give rights on something; what was given on it before is replaced.").Does(around, async run =>
        {
            var names = run.Get(rights).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (names.Length == 0) throw new WmException(ExitCode.Usage, "Name at least one right.", remedy: "To take all away: wm grant remove SUBJECT TARGET");
            await PutAsync(run, new SetGrantRequest(run.Get(subject), run.Get(target), names) { Reason = run.Get(reason) }, run.Get(noWait));
        }, subject, target, rights, reason, noWait);
    }

    private static Command Remove(Surroundings around)
    {
        var (subject, target, reason, noWait) = (Subject(), Target(), Parts.Reason(), Parts.NoWait());
        return new Command("remove", "Take away what was given on something; it ends at once.").Does(around,
            run => PutAsync(run, new SetGrantRequest(run.Get(subject), run.Get(target), []) { Reason = run.Get(reason) }, run.Get(noWait)), subject, target, reason, noWait);
    }

    private static async Task PutAsync(Invocation run, SetGrantRequest body, bool noWait) =>
        await JobFollower.FollowAsync(run, await run.Portal.PutAsync("grants", body, CliJson.Default.SetGrantRequest, CliJson.Default.JobAccepted, run.Ct), noWait);

    private static Argument<string> Subject() => new("SUBJECT") { Description = "user:NAME, usergroup:NAME or a name." };
    private static Argument<string> Target() => new("TARGET") { Description = "cluster, instance:NAME, template:NAME or usergroup:NAME." };

    /// <summary>"instance:web1" for the key "instance:ID" and its name.</summary>
    private static string On(string key, string name) => key.IndexOf(':') is var at and >= 0 ? $"{key[..at]}:{name}" : key;

    private static string Query(params (string Name, string? Value)[] parts)
    {
        var given = parts.Where(p => p.Value is not null).Select(p => $"{p.Name}={Parts.Path(p.Value!)}").ToList();
        return given.Count == 0 ? "" : "?" + string.Join('&', given);
    }
}
