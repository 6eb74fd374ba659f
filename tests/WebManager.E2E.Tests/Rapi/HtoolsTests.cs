// Ganeti's own planning programs from Debian, unmodified: they read the cluster, and what hbal proposes is done.
using System.Text.Json;
using System.Text.RegularExpressions;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests.Rapi;

[Trait("Speed", "Slow")]
public sealed partial class HtoolsTests(RapiLab lab) : IClassFixture<RapiLab>
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Htools_read_the_cluster_and_what_hbal_proposes_is_done()
    {
        if (!File.Exists("/usr/bin/hbal")) Assert.Skip("Debian's package ganeti-htools is not installed (scripts/install.sh test).");
        foreach (var name in (string[])["one", "two"])
        {
            await SucceedsAsync("POST", "/2/instances", $$$"""{"__version__":1,"mode":"create","name":"{{{name}}}","disk_template":"drbd","disks":[{"size":64}],"nics":[],"os_type":"tiny-linux","pnode":"n1","snode":"n2","beparams":{"maxmem":128}}""");
        }
        Assert.Contains("Loaded 3 nodes, 2 instances", await RunAsync("hinfo", "--print-nodes=name,pcnt", "--print-instances"), StringComparison.Ordinal);
        Assert.Contains("HTS_INI_INST_CNT=2", await RunAsync("hspace", "--machine-readable"), StringComparison.Ordinal);
        Assert.Contains("Node Reboot Groups", await RunAsync("hroller", "--force", "--skip-non-redundant"), StringComparison.Ordinal);

        var plan = Command().Matches(await RunAsync("hbal", "-C"));
        Assert.NotEmpty(plan);
        foreach (Match step in plan)
        {
            if (step.Groups["to"].Success) await SucceedsAsync("POST", $"/2/instances/{step.Groups["of"]}/replace-disks?mode=replace_new_secondary&remote_node={step.Groups["to"]}", null);
            else await SucceedsAsync("PUT", $"/2/instances/{step.Groups["name"]}/{step.Groups["verb"]}", null);
        }
        Assert.Contains("No solution found", (await RunAsync("hbal")).Replace("Cluster is already balanced", "No solution found", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    /// <summary>Until it may: a copy that was just made has to be whole first, and a guest has to run.</summary>
    private Task SucceedsAsync(string method, string path, string? body) => Until.TrueAsync(async () =>
    {
        var (_, job) = await lab.AskAsync(method, path, body);
        var status = "";
        await Until.TrueAsync(async () => (status = JsonElement.Parse((await lab.AskAsync("GET", $"/2/jobs/{job}")).Body).GetProperty("status").GetString()) is "success" or "error", s_limit, $"job {job} ends");
        return status == "success";
    }, s_limit, $"{method} {path} succeeds", TimeSpan.FromMilliseconds(300));

    private async Task<string> RunAsync(string program, params string[] options)
    {
        var ran = await Shell.RunAsync($"/usr/bin/{program}", ["-m", lab.Address, .. options], limit: s_limit);
        return ran.ExitCode == 0 ? ran.Output + ran.Error : throw new InvalidOperationException($"{program}: {ran.Output}{ran.Error}");
    }

    [GeneratedRegex(@"gnt-instance (?:(?<verb>migrate|failover) -f (?<name>\S+)|replace-disks -n (?<to>\S+) (?<of>\S+))")]
    private static partial Regex Command();
}
