// Ganeti's own planning programs from Debian, unmodified: they read the cluster, and what hbal proposes is done.
using System.Text.Json;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests.Rapi;

[Trait("Speed", "Slow")]
public sealed class HtoolsTests(RapiLab lab) : IClassFixture<RapiLab>
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Htools_read_the_cluster()
    {
        if (!File.Exists("/usr/bin/hbal")) Assert.Skip("Debian's package ganeti-htools is not installed (scripts/install.sh test).");
        foreach (var name in (string[])["one", "two"])
        {
            var (_, job) = await lab.AskAsync("POST", "/2/instances", $$"""{"__version__":1,"mode":"create","name":"{{name}}","disk_template":"drbd","disks":[{"size":64}],"nics":[],"os_type":"tiny-linux","pnode":"n1","snode":"n2","beparams":{"maxmem":128}}""");
            await Until.TrueAsync(async () => JsonElement.Parse((await lab.AskAsync("GET", $"/2/jobs/{job}")).Body).GetProperty("status").GetString() == "success", s_limit, $"{name} is made");
        }
        var info = await RunAsync("hinfo", "--print-nodes=name,pcnt", "--print-instances");
        Assert.Matches(@"(?m)^ *n1 +2\s*$", info);
        Assert.Contains("two", info, StringComparison.Ordinal);
        Assert.Contains("HTS_INI_INST_CNT=2", await RunAsync("hspace", "--machine-readable"), StringComparison.Ordinal);
        Assert.Contains("Loaded 3 nodes, 2 instances", await RunAsync("hbal"), StringComparison.Ordinal);
        Assert.Contains("n3", await RunAsync("hroller", "--force", "--skip-non-redundant"), StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(string program, params string[] options)
    {
        var ran = await Shell.RunAsync($"/usr/bin/{program}", ["-m", lab.Address, .. options], limit: s_limit);
        return ran.ExitCode == 0 ? ran.Output : throw new InvalidOperationException($"{program}: {ran.Output}{ran.Error}");
    }
}
