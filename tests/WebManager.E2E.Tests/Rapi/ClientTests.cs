// Ganeti's own Python client from Debian, unmodified, against the portal.
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests.Rapi;

[Trait("Speed", "Slow")]
public sealed class ClientTests(RapiLab lab) : IClassFixture<RapiLab>
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(8);

    /// <summary>Every public method of the class; those that answer 501 are those that docs/rapi.md lists.</summary>
    [Fact]
    public async Task Every_method_of_ganetis_client_does_what_it_says_or_what_the_page_says()
    {
        if (!Directory.Exists("/usr/lib/python3/dist-packages/ganeti")) Assert.Skip("Debian's package python3-ganeti-rapi is not installed (scripts/install.sh test).");
        var script = Path.Combine(Built.Root, "tests", "WebManager.E2E.Tests", "Rapi", "client_methods.py");
        var ran = await Shell.RunAsync("/usr/bin/python3", ["-B", script, $"{lab.Portal.RapiPort}", RapiLab.User, PortalProcess.AdminPassword], limit: s_limit);
        var lines = ran.Must().Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.DoesNotContain(lines, l => !l.StartsWith("ok ", StringComparison.Ordinal) && !l.StartsWith("later ", StringComparison.Ordinal));
        Assert.True(lines.Length > 75, $"only {lines.Length} methods:\n{ran.Output}{ran.Error}");
        var listed = RapiPage.Rows("Not here yet").SelectMany(r => r.Split(", ")).Order(StringComparer.Ordinal);
        Assert.Equal(listed, lines.Where(l => l.StartsWith("later ", StringComparison.Ordinal)).Select(l => l[6..]).Order(StringComparer.Ordinal));
        Print.Line($"{lines.Count(l => l.StartsWith("ok ", StringComparison.Ordinal))} methods of GanetiRapiClient work, {lines.Count(l => l.StartsWith("later ", StringComparison.Ordinal))} answer 501 as listed");
    }
}
