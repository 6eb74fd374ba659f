// The audit's lines about the door itself: who came in, from where and by what; who was refused, and why; who left.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Hosting;

namespace WebManager.Web.Identity;

/// <summary>By what somebody proved who it is.</summary>
public enum SignInWay { Password, Directory, Passkey, OpenId, SetupLink }

/// <summary>Where somebody stands who has not signed in yet: the face and the address.</summary>
public sealed record Visitor(string Face, string? Address)
{
    public static Visitor Of(HttpContext http, string face) => new(face, http.Connection.RemoteIpAddress?.ToString());
}

public sealed class SignInAudit(IClusterStore store, TimeProvider time, ILogger<SignInAudit> log)
{
    public Task DoneAsync(PortalUser user, SignInWay way, bool withCode, Visitor from)
    {
        log.SignedIn(user.UserName!, from.Address, way);
        return WriteAsync(user.UserName!, Operation(way), $"user:{user.UserName}", "success", withCode ? "with a code of the second factor" : null, from);
    }

    /// <summary>user: whose account it is; null: there is none of that name. What was typed is not kept: it may be a password in the wrong field.</summary>
    public Task RefusedAsync(PortalUser? user, SignInWay way, Refusal why, Visitor from)
    {
        log.SignInRefused(from.Address, way, why.Code, why.Message);
        return WriteAsync("anonymous", Operation(way), user is null ? "sign-in" : $"user:{user.UserName}", $"refused: {why.Code}", why.Message, from);
    }

    public Task OutAsync(Caller caller) => WriteAsync(caller.Name, "sign-out", $"user:{caller.Name}", "success", null, new Visitor(caller.Face, caller.Address));

    public static string Operation(SignInWay way) => way switch
    {
        SignInWay.Password => "sign-in.password",
        SignInWay.Directory => "sign-in.directory",
        SignInWay.Passkey => "sign-in.passkey",
        SignInWay.OpenId => "sign-in.openid",
        SignInWay.SetupLink => "sign-in.setup-link",
    };

    private Task WriteAsync(string user, string operation, string subject, string result, string? reason, Visitor from)
    {
        var line = new Changes();
        line.Audit.Add(new AuditEntry(time.GetUtcNow(), user, from.Face, from.Address, operation, subject, result, null, reason));
        return store.CommitAsync(line, CancellationToken.None);
    }
}
