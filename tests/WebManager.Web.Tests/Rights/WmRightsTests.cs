// Every command of wm is a route of the table: run against a portal that notes what it is asked, and some for real in several roles.
using System.CommandLine;
using System.Text.RegularExpressions;
using WebManager.Cli;
using WebManager.Cli.Api;
using WebManager.Testing.Rights;
using WebManager.Web.Tests.Cli;

namespace WebManager.Web.Tests.Rights;

public sealed partial class WmRightsTests(RightsScene scene) : IClassFixture<RightsScene>
{
    [Fact]
    public async Task Every_command_asks_for_a_route_of_the_table()
    {
        var (table, said) = (scene.Table, new List<string>());
        var commands = Leaves(WmApp.Root(new Surroundings(TextReader.Null, TextWriter.Null, TextWriter.Null, _ => null, "", TimeProvider.System)), "").ToList();
        string? CommandOf(string typed) => commands.Where(c => typed == c || typed.StartsWith(c + " ", StringComparison.Ordinal)).MaxBy(c => c.Length);
        var rows = table.Of("wm").ToList();
        said.AddRange(commands.Except(rows.Select(r => CommandOf(r.What)).OfType<string>()).Select(c => $"wm {c} has no row. Under [wm] of tests/rights.txt belongs \"{c} ARGUMENTS = METHOD ROUTE\" or \"{c} none: why\"."));
        said.AddRange(rows.Where(r => CommandOf(r.What) is null).Select(r => $"There is no command wm {r.What}."));
        var routes = table.Of("routes").Select(r => r.What).ToHashSet();
        foreach (var row in rows.Where(r => r.Same is not null))
        {
            if (!routes.Contains(row.Same!)) { said.Add($"wm {row.What}: {row.Same} is no route under [routes]."); continue; }
            var asked = await AskedAsync(row.What);
            if (!asked.Any(a => Fits(row.Same!, a))) { said.Add($"wm {row.What} is to ask for {row.Same}; it asked for: {string.Join(", ", asked)}"); }
        }
        Assert.True(said.Count == 0, string.Join('\n', said));
    }

    [Theory]
    [InlineData("una", "instance start web-own", false, "There is no instance"), InlineData("pia", "instance remove web-own --yes", false, "may not do that"), InlineData("olga", "instance modify web-own --priority low", true, "")]
    [InlineData("look", "instance modify web-own --priority low", false, "This token may only look"), InlineData("only", "instance stop web-foreign", false, "This token is for other instances"), InlineData("greta", "user-group add-member ops extra", true, "")]
    [InlineData("mia", "user-group add-member ops extra", false, "may not do that"), InlineData("carl", "cluster modify --auto-recover on", true, ""), InlineData("carl", "user list", false, "Only superusers"), InlineData("sue", "user list", true, ""), InlineData("olga", "node list", true, "")]
    public async Task Commands_end_as_the_table_says(string role, string typed, bool done, string said)
    {
        using var wm = new WmRun();
        (wm.Environment["WEBMANAGER_URL"], wm.Environment["WEBMANAGER_TOKEN"]) = (scene.Portal.Address.ToString(), scene.TokenOf(role)!);
        var (code, output, error) = await wm.RunAsync(typed.Split(' '));
        Assert.True(done == (code == ExitCode.Ok), $"{code}: {output}{error}");
        Assert.Contains(said, error, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Leaves(Command command, string path) => command.Subcommands.Count == 0 ? [path]
        : command.Subcommands.SelectMany(c => Leaves(c, path.Length == 0 ? c.Name : $"{path} {c.Name}"));

    /// <summary>"POST /api/v1/nodes/n1/maintenance", each request that the command made.</summary>
    private static async Task<IReadOnlyList<string>> AskedAsync(string typed)
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /nodes", 200, "[]").On("GET /images", 200, "[]");
        using var wm = new WmRun(portal) { TypedIn = typed.StartsWith("ssh-key", StringComparison.Ordinal) ? RightsBodies.Key(1) + "\n" : "a password\n" };
        wm.Environment["WEBMANAGER_TOKEN"] = "t";
        Access.Store(new Surroundings(TextReader.Null, TextWriter.Null, TextWriter.Null, _ => null, Path.Combine(wm.Home, "config"), TimeProvider.System), new StoredLogin(portal.Url, "una", "t"));
        await wm.RunAsync([.. typed.Split(' ').Select(w => w == "$file" ? Path.Combine(wm.Home, "file") : w)]);
        return [.. portal.Requests.Select(r => $"{r.Method} /api/v1{r.Path.Split('?')[0]}")];
    }

    private static bool Fits(string route, string asked) => Regex.IsMatch(asked.TrimEnd('/'), "^" + string.Join("[^/]+", Parameter().Split(route).Select(Regex.Escape)) + "$");

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
