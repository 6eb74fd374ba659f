// add-tags, remove-tags and list-tags, for what has tags.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class TagCommands
{
    /// <summary>Of the cluster: no name is given.</summary>
    public static Command[] OfCluster(Surroundings around) => Of(around, "the cluster", null);

    public static Command[] OfNode(Surroundings around) => Of(around, "a node", "nodes");

    public static Command[] OfInstance(Surroundings around) => Of(around, "an instance", "instances");

    private static Command[] Of(Surroundings around, string what, string? list) =>
        [Change(around, "add-tags", $"Attach tags to {what}.", list), Change(around, "remove-tags", $"Take tags off {what}.", list), List(around, what, list)];

    private static Command Change(Surroundings around, string verb, string help, string? list)
    {
        var (name, reason, noWait) = (NameOf(list), Parts.Reason(), Parts.NoWait());
        var tags = new Argument<string[]>("TAG") { Description = "Letters, digits and _.+*/:@- as in rack:a.", Arity = ArgumentArity.OneOrMore };
        return new Command(verb, help).Does(around, async run =>
        {
            var body = new TagsRequest(run.Get(tags)) { Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"{Place(run, name, list)}/{verb}", body, CliJson.Default.TagsRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, [.. name is null ? Array.Empty<Symbol>() : [name], tags, reason, noWait]);
    }

    private static Command List(Surroundings around, string what, string? list)
    {
        var name = NameOf(list);
        return new Command("list-tags", $"The tags of {what}, one a line.").Does(around, async run =>
            await run.ShowAsync($"{Place(run, name, list)}/tags", CliJson.Default.StringArray, all => { foreach (var tag in all) run.Say(tag); }), name is null ? [] : [name]);
    }

    private static Argument<string>? NameOf(string? list) => list is null ? null : Parts.Name(list == "nodes" ? "The node." : "The instance's name or id.");

    private static string Place(Invocation run, Argument<string>? name, string? list) => name is null ? "cluster" : $"{list}/{Parts.Path(run.Get(name))}";
}
