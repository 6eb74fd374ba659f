// wm request: what people ask for, and the answers; wm ssh-key: one's keys.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class RequestCommands
{
    public static Command Request(Surroundings around) => new Command("request", "Ask for more quota or for a place in a group, and answer.").With(List(around), AskQuota(around), AskMembership(around), Answer(around, approve: true), Answer(around, approve: false), Withdraw(around));

    public static Command SshKey(Surroundings around) => new Command("ssh-key", "Your public keys: new instances of yours and of your groups have them from the first boot on.").With(Keys(around), AddKey(around), RemoveKey(around));

    private static Command List(Surroundings around) => new Command("list", "Your requests, and those that you may answer, newest first.").Does(around, run => run.ShowAsync("requests", CliJson.Default.UserRequestViewArray, all =>
    {
        var table = new Output.Table("ID", "TIME", "STATE", "BY", "WHAT", "OWNER", "LIMITS", "WHY", "ANSWER");
        foreach (var r in all) table.Row($"{r.Id}", Text.Time(r.At, run.Around.Clock), r.State, r.By, r.Kind, r.OwnerName, r.Limits is { } l ? LimitOptions.Words(l) : null, r.Reason, r.Answer);
        table.Write(run.Around, "Nobody has asked for anything.");
    }));

    private static Command AskQuota(Surroundings around)
    {
        var (limits, why, noWait) = (new LimitOptions(), Why(), Parts.NoWait());
        var owner = new Option<string?>("--owner") { Description = "Yourself, or a group that you are in (usergroup:NAME).", HelpName = "OWNER" };
        return new Command("ask-quota", "Ask for other limits; what is not given has no limit.").Does(around, run => SendAsync(run, new AskRequest("quota", run.Get(why)!) { Owner = run.Get(owner), Limits = limits.Read(run) }, run.Get(noWait)), [owner, .. limits.All, why, noWait]);
    }

    private static Command AskMembership(Surroundings around)
    {
        var (group, why, noWait) = (new Argument<string>("GROUP") { Description = "The group's name." }, Why(), Parts.NoWait());
        return new Command("ask-membership", "Ask for a place in a group.").Does(around, run => SendAsync(run, new AskRequest("membership", run.Get(why)!) { Owner = $"usergroup:{run.Get(group)}" }, run.Get(noWait)), group, why, noWait);
    }

    private static async Task SendAsync(Invocation run, AskRequest body, bool noWait) =>
        await JobFollower.FollowAsync(run, await run.Portal.PostAsync("requests", body, CliJson.Default.AskRequest, CliJson.Default.JobAccepted, run.Ct), noWait);

    private static Command Answer(Surroundings around, bool approve)
    {
        var (id, limits, noWait) = (Id(), new LimitOptions(), Parts.NoWait());
        var answer = new Option<string>("--answer") { Description = "What who asked reads.", HelpName = "TEXT", Required = !approve, DefaultValueFactory = _ => "" };
        Symbol[] parts = approve ? [id, answer, .. limits.All, noWait] : [id, answer, noWait];
        return new Command(approve ? "approve" : "deny", approve ? "Give what was asked for, or these limits instead." : "Refuse, with a reason.").Does(around, async run =>
        {
            var body = new DecideRequestRequest(approve) { Answer = run.Get(answer) ?? "", Limits = approve ? limits.Read(run) : null };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"requests/{run.Get(id)}/decide", body, CliJson.Default.DecideRequestRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, parts);
    }

    private static Command Withdraw(Surroundings around)
    {
        var (id, noWait) = (Id(), Parts.NoWait());
        return new Command("withdraw", "Take a request of yours back.").Does(around, async run =>
            await JobFollower.FollowAsync(run, await run.Portal.DeleteAsync($"requests/{run.Get(id)}", CliJson.Default.JobAccepted, run.Ct), run.Get(noWait)), id, noWait);
    }

    private static Command Keys(Surroundings around) => new Command("list", "Your keys; a superuser's list has everybody's.").Does(around, run => run.ShowAsync("ssh-keys", CliJson.Default.SshKeyViewArray, all =>
    {
        var table = new Output.Table("ID", "USER", "NAME", "TYPE", "FINGERPRINT");
        foreach (var k in all) table.Row($"{k.Id}", k.User, k.Name, k.Key.Split(' ')[0], k.Fingerprint);
        table.Write(run.Around, "There are no keys.");
    }));

    private static Command AddKey(Surroundings around)
    {
        var (file, name, user, noWait) = (new Argument<string>("FILE") { Description = "The .pub file; - for standard input." }, new Option<string>("--name") { Description = "Its name here; otherwise the key's own comment.", HelpName = "TEXT", DefaultValueFactory = _ => "" },
            new Option<string?>("--user") { Description = "Whose it is; superusers only.", HelpName = "NAME" }, Parts.NoWait());
        return new Command("add", "Add a public key.").Does(around, async run =>
        {
            var text = run.Get(file) == "-" ? await run.Around.In.ReadToEndAsync(run.Ct) : await File.ReadAllTextAsync(run.Get(file), run.Ct);
            var body = new AddSshKeyRequest(text.Trim()) { Name = run.Get(name) ?? "", User = run.Get(user) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync("ssh-keys", body, CliJson.Default.AddSshKeyRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, file, name, user, noWait);
    }

    private static Command RemoveKey(Surroundings around)
    {
        var (id, noWait) = (Id(), Parts.NoWait());
        return new Command("remove", "Remove a key; instances that have it keep it.").Does(around, async run =>
            await JobFollower.FollowAsync(run, await run.Portal.DeleteAsync($"ssh-keys/{run.Get(id)}", CliJson.Default.JobAccepted, run.Ct), run.Get(noWait)), id, noWait);
    }

    private static Argument<Guid> Id() => new("ID") { Description = "As the list shows it." };
    private static Option<string> Why() => new("--why") { Description = "For whoever decides.", HelpName = "TEXT", Required = true };
}
