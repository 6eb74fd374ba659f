// wm search: whatever may be seen, by a part of its name, an address or a MAC.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;

namespace WebManager.Cli.Commands;

internal static class SearchCommands
{
    public static Command Search(Surroundings around)
    {
        var text = new Argument<string>("TEXT") { Description = "A part of a name, the beginning of an address, or a part of a MAC." };
        var limit = Parts.Int("--limit", "At most so many (20).", "N", 1, 100);
        return new Command("search", "Find instances, nodes, groups, templates and users.").Does(around, run => run.ShowAsync(
            $"search?text={Uri.EscapeDataString(run.Get(text))}&limit={run.Get(limit) ?? 20}", CliJson.Default.HitViewArray, all =>
            {
                var table = new Output.Table("KIND", "NAME", "DETAIL");
                foreach (var hit in all) table.Row(hit.Kind, hit.Name, hit.Detail);
                table.Write(run.Around, "Nothing that you may see fits.");
            }), text, limit);
    }
}
