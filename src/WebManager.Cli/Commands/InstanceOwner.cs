// wm instance change-owner: of one, of several, or of all that are nobody's.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class InstanceOwner
{
    public static Command Change(Surroundings around)
    {
        var (reason, noWait, force) = (Parts.Reason(), Parts.NoWait(), Force());
        var words = new Argument<string[]>("NAME... OWNER") { Description = "The instances by name or id, then their new owner: user:NAME, usergroup:NAME or a name; nobody.", Arity = ArgumentArity.OneOrMore };
        var orphans = new Option<bool>("--orphans") { Description = "All that are nobody's; give the owner only." };
        return new Command("change-owner", "Give them to another owner: the charge and the rights go along; they run on.").Does(around, async run =>
        {
            var given = run.Get(words);
            if (given.Length == 1 != run.Get(orphans)) throw new WmException(ExitCode.Usage, run.Get(orphans) ? "With --orphans only the owner is given." : "Give an instance and its new owner.", remedy: "wm instance change-owner web1 web2 ada");
            var names = run.Get(orphans) ? await OrphansAsync(run) : given[..^1];
            if (names.Count == 0) run.Say("No instance is nobody's.");
            await EachAsync(run, names, async name =>
            {
                var body = new ChangeOwnerRequest(given[^1]) { Force = run.Get(force), Reason = run.Get(reason) };
                await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"instances/{Parts.Path(name)}/change-owner", body, CliJson.Default.ChangeOwnerRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
            });
        }, words, orphans, force, reason, noWait);
    }

    private static async Task<IReadOnlyList<string>> OrphansAsync(Invocation run) =>
        [.. (await run.Portal.GetAsync("instances", CliJson.Default.InstanceViewArray, run.Ct)).Value.Where(i => i.Owner.Length == 0).Select(i => i.Name)];

    /// <summary>All are tried; one that was refused ends the command with its code, when the others are done.</summary>
    public static async Task EachAsync(Invocation run, IReadOnlyList<string> names, Func<string, Task> action)
    {
        var refused = new List<WmException>();
        foreach (var name in names)
        {
            try { await action(name); }
            catch (WmException failure) when (names.Count > 1 && failure.ExitCode == ExitCode.Refused)
            {
                run.Around.Error.WriteLine(Text.Plain($"{name}: {failure.Message} {failure.Remedy}".TrimEnd()));
                refused.Add(failure);
            }
        }
        if (refused.Count > 0) throw new WmException(ExitCode.Refused, $"{refused.Count} of {names.Count} were refused.");
    }

    public static Option<bool> Force() => new("--force") { Description = "Even over the owner's quota; administrators only." };
}
