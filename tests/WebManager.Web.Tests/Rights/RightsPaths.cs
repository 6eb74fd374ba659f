using Microsoft.Extensions.DependencyInjection;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Rights;

/// <summary>
/// Real addresses for the parameters of routes. What a call that is allowed would take away or answer is made for it: the things of the scene stay.
/// </summary>
internal sealed class RightsPaths(RightsScene scene)
{
    private static readonly Caller s_local = new("local", "local", true, "cli");

    public async Task<string> OfAsync(string method, string route, string on, string role, bool allowed)
    {
        var parts = route.Split('/');
        for (var i = 1; i < parts.Length; i++)
        {
            if (parts[i].StartsWith('{')) { parts[i] = Uri.EscapeDataString(await PartAsync(parts, i, on, role, fresh: allowed && (method == "DELETE" || parts[^1] is "decide" or "archive") && (i == parts.Length - 1 || parts[^1] is "decide" or "archive"))); }
        }
        return string.Join('/', parts);
    }

    private async Task<string> PartAsync(string[] parts, int at, string on, string role, bool fresh)
    {
        var person = on == "foreign" ? "otto" : role == "anon" ? "olga" : RightsPeople.PersonOf(role);
        return parts[at - 1] switch
        {
            "instances" or "console" => RightsScene.InstanceOf(on),
            "nodes" => "n1",
            "groups" => "default",
            "jobs" => fresh ? scene.NextJob(on) : on switch { "foreign" => "2", "shared" => "3", _ => "1" },
            "templates" => fresh ? await TemplateAsync() : RightsScene.TemplateOf(on),
            "found" => Guid.Empty.ToString(),
            "openapi" => "v1.json",
            "rights" => on switch { "foreign" => "otto", "me" => "me", _ => "olga" },
            "quotas" => on == "*" ? "user:extra" : RightsScene.OwnerOf(on),
            "user-groups" => fresh ? await GroupAsync() : RightsScene.GroupOf(on),
            "members" => fresh ? await MemberAsync(RightsScene.GroupOf(on)) : "extra",
            "users" => fresh ? await AccountAsync() : "extra",
            "requests" => fresh ? await RequestAsync(parts[^1] == "decide" ? RightsScene.GroupOf(on) : null) : RightsScene.RequestOf(on).ToString(),
            "ssh-keys" => fresh ? await KeyAsync() : RightsScene.UnasKey.ToString(),
            "sessions" => (fresh ? await scene.Portal.SessionAsync(parts[at - 2] == "profile" ? person : "extra") : scene.OttosSession).ToString(),
            "tokens" => (fresh ? (await scene.Portal.TokenAsync(role, session: false)).Id : scene.OttosToken).ToString(),
            "passkeys" => await scene.Portal.PasskeyAsync(person),
            var other => throw new InvalidOperationException($"What stands in {string.Join('/', parts)} behind {other}? Say it in RightsPaths."),
        };
    }

    private async Task<string> AccountAsync()
    {
        var name = $"spare-{RightsBodies.Next()}";
        await scene.Portal.AccountAsync(name);
        return name;
    }

    private async Task<string> GroupAsync()
    {
        var name = $"spare-{RightsBodies.Next()}";
        await DoAsync(new AddUserGroup(name), s_local);
        return name;
    }

    /// <summary>Whose is the same: who may take the one of the scene away may take this one.</summary>
    private async Task<string> TemplateAsync()
    {
        var name = $"spare-{RightsBodies.Next()}";
        await DoAsync(new CopyTemplate("tpl-own", name), s_local);
        foreach (var who in new[] { "cora", "ivan" }) { await DoAsync(new SetGrant(Keys.User(who), Keys.Template(scene.Engine.Now.FindTemplate(name)!.Id), ["admin"]), s_local); }
        return name;
    }

    private async Task<string> MemberAsync(string group)
    {
        var name = await AccountAsync();
        await DoAsync(new SetMember(group, name), s_local);
        return name;
    }

    /// <summary>Of una for a new group; for a known group of somebody new.</summary>
    private async Task<string> RequestAsync(string? group)
    {
        var by = group is null ? "una" : await AccountAsync();
        group ??= await GroupAsync();
        await DoAsync(new AskMembership(group, "please"), new Caller(by, by, false, "api"));
        var key = Keys.Group(scene.Engine.Now.FindUserGroup(group)!.Id);
        return scene.Engine.Now.UserRequests.Values.Single(r => r.Owner == key && r.By == by && r.State == UserRequestState.Open).Id.ToString();
    }

    private async Task<string> KeyAsync()
    {
        var line = RightsBodies.Key(RightsBodies.Next());
        await DoAsync(new AddSshKey("spare", line), new Caller("una", "una", false, "api"));
        return scene.Engine.Now.SshKeys.Values.Single(k => k.Line == line).Id.ToString();
    }

    private async Task DoAsync(OperationRequest request, Caller who)
    {
        var job = await scene.Engine.SubmitAsync(request, who, "for the table of rights", default);
        Assert.True(job.Ok, job.Refusal?.Message);
        await scene.Engine.WaitAsync(job.Value, TestContext.Current.CancellationToken);
    }
}
