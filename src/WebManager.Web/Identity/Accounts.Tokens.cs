// Tokens for programs: named, expiring, read-only or not, for all or some instances.
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine.Model;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

public sealed partial class Accounts
{
    private const int MostTokens = 100;
    private const int MostHours = 366 * 24;
    private const int MostInstances = 100;

    public Task<Outcome<List<TokenView>>> TokensAsync(Caller caller, CancellationToken ct) => ReadAsync<List<TokenView>>(caller, null, async work =>
    {
        var now = time.GetUtcNow();
        var rows = await work.Db.ApiTokens.AsNoTracking().Where(t => t.UserId == work.User.Id && (t.ExpiresAt == null || t.ExpiresAt > now)).OrderByDescending(t => t.CreatedAt).ToListAsync(ct);
        return rows.Select(View).ToList();
    });

    /// <summary>The token is in the answer and nowhere else.</summary>
    public Task<Outcome<AddTokenReply>> AddTokenAsync(Caller caller, AddTokenRequest request) => OwnAsync<AddTokenReply>(caller, "token.create", async work =>
    {
        if (AccountRules.Label(request.Name, "token") is { } wrong) { return wrong; }
        if (request.Hours is < 1 or > MostHours) { return new Refusal("token.hours-invalid", "A token expires after one hour to one year.", "Leave it out for one that does not expire.") { Field = "hours" }; }
        var only = Resolve(caller, request.Instances);
        if (!only.Ok) { return only.Refusal; }
        var (name, now) = (request.Name.Trim(), time.GetUtcNow());
        await work.Db.ApiTokens.Where(t => t.UserId == work.User.Id && t.ExpiresAt <= now).ExecuteDeleteAsync();
        var mine = work.Db.ApiTokens.Where(t => t.UserId == work.User.Id && !t.Session);
        if (await mine.AnyAsync(t => t.Label == name)) { return new Refusal("token.exists", $"You have a token {name} already.", "Choose another name.") { Field = "name" }; }
        if (await mine.CountAsync() >= MostTokens) { return new Refusal("token.too-many", $"You have {MostTokens} tokens already.", "Remove some first."); }
        var (token, row) = tokens.Make(work.User.Id, name, request.Hours is { } hours ? TimeSpan.FromHours(hours) : null);
        (row.ReadOnly, row.Instances) = (request.ReadOnly, request.Instances is null ? null : only.Value);
        work.Db.ApiTokens.Add(row);
        await work.Db.SaveChangesAsync();
        return new AddTokenReply(View(row), token);
    });

    /// <summary>By id, or by name.</summary>
    public Task<Outcome<Done>> RemoveTokenAsync(Caller caller, string idOrName) => OwnAsync<Done>(caller, "token.remove", async work =>
    {
        var byId = Guid.TryParse(idOrName, out var wanted);
        var id = await work.Db.ApiTokens.Where(t => t.UserId == work.User.Id && (byId ? t.Id == wanted : t.Label == idOrName && !t.Session)).Select(t => (Guid?)t.Id).FirstOrDefaultAsync();
        if (id is null) { return new Refusal("token.not-found", "There is no such token (any more)."); }
        await tokens.RemoveAsync(work.User.Id, id, null, default);
        return Done.Value;
    });

    // Names and ids as ids. What the caller may not see is as unknown as what is not there.
    private Outcome<List<Guid>> Resolve(Caller caller, IReadOnlyList<string>? instances)
    {
        var found = new List<Guid>();
        if (instances is { Count: 0 or > MostInstances }) { return new Refusal("token.instances-invalid", $"A token is for one to {MostInstances} instances, or for all.") { Field = "instances" }; }
        foreach (var wanted in instances ?? [])
        {
            if (engine.FindInstance(wanted) is not { } instance || !engine.SightOf(caller).Instance(instance.Id, instance.Owner))
                return new Refusal("instance.absent", $"There is no instance {Short(wanted)}.") { Field = "instances" };
            if (!found.Contains(instance.Id)) { found.Add(instance.Id); }
        }
        return found;
    }

    private static TokenView View(ApiToken row) => new(row.Id, row.Label, row.ReadOnly, row.CreatedAt) { Instances = row.Instances, ExpiresAt = row.ExpiresAt, LastUsed = row.LastUsedAt, Session = row.Session };
}
