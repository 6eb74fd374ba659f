// wm user-group: list, show, add, rename, remove, add-member, remove-member.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class UserGroupCommands
{
    public static Command UserGroup(Surroundings around) => new Command("user-group", "Groups of people: they own instances and have rights together.").With(
        List(around), Show(around), Add(around), Rename(around), Remove(around), AddMember(around), RemoveMember(around));

    private static Command List(Surroundings around) => new Command("list", "All groups that you may see.").Does(around,
        run => run.ShowAsync("user-groups", CliJson.Default.UserGroupViewArray, all =>
        {
            var table = new Output.Table("NAME", "KIND", "MEMBERS");
            foreach (var g in all) table.Row(g.Name, Kind(g), string.Join(",", g.Members.Select(m => m.Name)));
            table.Write(run.Around, "There are no groups, or you are in none.");
        }));

    private static Command Show(Surroundings around)
    {
        var name = Parts.Name("The group's name or id.");
        return new Command("show", "One group with its members, in a project with their limits.").Does(around, run => run.ShowAsync($"user-groups/{Parts.Path(run.Get(name))}", CliJson.Default.UserGroupView, g =>
        {
            var details = new Details().Line("name", g.Name).Line("id", $"{g.Id}").Line("kind", Kind(g));
            if (g.Members.Count == 0) details.Line("members", "none");
            foreach (var m in g.Members) details.Line("member", m.Limits is null ? m.Name : $"{m.Name}: {LimitOptions.Words(m.Limits)}");
            details.Write(run.Around);
        }), name);
    }

    private static Command Add(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The new group's name."), Parts.Reason(), Parts.NoWait());
        var project = new Option<bool>("--project") { Description = "Its members can have limits of their own beside the group's." };
        return new Command("add", "Make a group; nobody is in it yet.").Does(around, async run =>
        {
            var body = new AddUserGroupRequest(run.Get(name)) { Project = run.Get(project), Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync("user-groups", body, CliJson.Default.AddUserGroupRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, project, reason, noWait);
    }

    private static Command Rename(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The group."), Parts.Reason(), Parts.NoWait());
        var newName = new Argument<string>("NEW_NAME") { Description = "What it is called from now on." };
        return new Command("rename", "Call a group something else.").Does(around, async run =>
        {
            var body = new RenameUserGroupRequest(run.Get(newName)) { Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"user-groups/{Parts.Path(run.Get(name))}/rename", body, CliJson.Default.RenameUserGroupRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, newName, reason, noWait);
    }

    private static Command Remove(Surroundings around)
    {
        var (name, yes, reason, noWait) = (Parts.Name("The group."), Parts.Yes(), Parts.Reason(), Parts.NoWait());
        return new Command("remove", "Take a group away; its instances stay and are nobody's.").Does(around, async run =>
        {
            run.Confirm($"Remove group {run.Get(name)}? Its instances become nobody's, and its members lose what they may through it.", run.Get(yes));
            await JobFollower.FollowAsync(run, await run.Portal.DeleteAsync($"user-groups/{Parts.Path(run.Get(name))}{Parts.Why(run.Get(reason))}", CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, yes, reason, noWait);
    }

    private static Command AddMember(Surroundings around)
    {
        var (name, user, limits, reason, noWait) = (new Argument<string>("GROUP") { Description = "The group." }, User(), new LimitOptions(), Parts.Reason(), Parts.NoWait());
        return new Command("add-member", "Put a user into a group, or set a member's limits in a project (none given: no limits beside the project's).").Does(around, async run =>
        {
            var body = new SetMemberRequest { Limits = limits.Read(run), Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PutAsync(Path(run.Get(name), run.Get(user)), body, CliJson.Default.SetMemberRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, [name, user, .. limits.All, reason, noWait]);
    }

    private static Command RemoveMember(Surroundings around)
    {
        var (name, user, reason, noWait) = (new Argument<string>("GROUP") { Description = "The group." }, User(), Parts.Reason(), Parts.NoWait());
        return new Command("remove-member", "Take a user out of a group; what the user may through it ends at once.").Does(around, async run =>
            await JobFollower.FollowAsync(run, await run.Portal.DeleteAsync(Path(run.Get(name), run.Get(user)) + Parts.Why(run.Get(reason)), CliJson.Default.JobAccepted, run.Ct), run.Get(noWait)), name, user, reason, noWait);
    }

    private static Argument<string> User() => new("USER") { Description = "The user's name." };
    private static string Path(string group, string user) => $"user-groups/{Parts.Path(group)}/members/{Parts.Path(user)}";
    private static string Kind(UserGroupView g) => g.Project ? "project" : "group";
}
