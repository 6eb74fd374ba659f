// wm token: list, add, remove; one's own.
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class TokenCommands
{
    private const int MostHours = 366 * 24;

    public static Command Token(Surroundings around) => new Command("token", "Your tokens for programs.").With(List(around), Add(around), Remove(around));

    private static Command List(Surroundings around) => new Command("list", "Your tokens, and the sign-ins of wm.").Does(around,
        run => run.ShowAsync("tokens", CliJson.Default.TokenViewArray, all =>
        {
            var table = new Output.Table("ID", "NAME", "KIND", "MAY", "INSTANCES", "EXPIRES", "LAST USED");
            foreach (var t in all)
            {
                table.Row($"{t.Id}", t.Name, t.Session ? "sign-in" : "token", t.ReadOnly ? "read" : "write", t.Instances is { } only ? $"{only.Count}" : "all",
                    t.ExpiresAt is null ? "never" : Text.Time(t.ExpiresAt, run.Around.Clock), Text.Time(t.LastUsed, run.Around.Clock));
            }
            table.Write(run.Around, "You have no tokens.");
        }));

    private static Command Add(Surroundings around)
    {
        var name = Parts.Name("What you call it.");
        var readOnly = new Option<bool>("--read-only") { Description = "It may look, and change nothing." };
        var instances = new Option<string[]>("--instance") { Description = "Only for this instance; may be given several times.", HelpName = "NAME" };
        var expires = new Option<int?>("--expires")
        {
            Description = "When it expires: hours, days, weeks or never; 90d if left out.", HelpName = "12h|30d|8w|1y|never", CustomParser = Hours, DefaultValueFactory = _ => 90 * 24,
        };
        return new Command("add", "Make a token; it is printed once.").Does(around, async run =>
        {
            var body = new AddTokenRequest(run.Get(name)) { Hours = run.Get(expires), ReadOnly = run.Get(readOnly), Instances = run.Get(instances) is { Length: > 0 } only ? only : null };
            var answer = await run.Portal.PostAsync("tokens", body, CliJson.Default.AddTokenRequest, CliJson.Default.AddTokenReply, run.Ct);
            if (run.Json) { run.WriteJson(answer.Json); return; }
            // The token alone on standard output, for $(wm token add ...).
            run.Around.Error.WriteLine($"Token {Text.Plain(answer.Value.View.Name)}, until {(answer.Value.View.ExpiresAt is { } end ? Text.Time(end, run.Around.Clock) : "it is removed")}. It is not shown again:");
            run.Say(answer.Value.Token);
        }, name, readOnly, instances, expires);
    }

    private static Command Remove(Surroundings around)
    {
        var token = new Argument<string>("TOKEN") { Description = "Its name, or its id." };
        return new Command("remove", "Take a token away; it ends at once.").Does(around, async run =>
        {
            await run.Portal.DeleteAsync($"tokens/{Parts.Path(run.Get(token))}", run.Ct);
            if (!run.Json) run.Say("The token is removed.");
        }, token);
    }

    private static int? Hours(ArgumentResult result)
    {
        var text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
        if (text == "never") return null;
        var unit = text.Length < 2 ? 0 : text[^1] switch { 'h' => 1, 'd' => 24, 'w' => 7 * 24, 'y' => 365 * 24, _ => 0 };
        if (unit > 0 && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 && (long)count * unit <= MostHours) return count * unit;
        result.AddError($"--expires: \"{text}\" is not allowed; give one hour to one year, like 12h, 30d, 8w, 1y, or never.");
        return null;
    }
}
