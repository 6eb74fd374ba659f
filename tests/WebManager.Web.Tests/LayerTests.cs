using System.Xml.Linq;
using Xunit;

namespace WebManager.Web.Tests;

public sealed class LayerTests
{
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["WebManager.Contracts"] = [],
        ["WebManager.Engine"] = ["WebManager.Contracts"],
        ["WebManager.Agent"] = ["WebManager.Contracts"],
        ["WebManager.Cli"] = ["WebManager.Contracts"],
        ["WebManager.Web"] = ["WebManager.Engine"],
    };

    [Fact]
    public void Projects_refer_only_downwards()
    {
        foreach (var (name, allowed) in s_allowed) { Assert.Empty(Items(name, "ProjectReference").Select(Path.GetFileNameWithoutExtension).Except(allowed)); }
    }

    [Fact]
    public void Contracts_and_engine_know_no_web_and_no_database()
    {
        Assert.Empty(Items("WebManager.Contracts", "PackageReference"));
        Assert.All(Items("WebManager.Engine", "PackageReference"), p => Assert.StartsWith("Microsoft.Extensions.", p, StringComparison.Ordinal));
        Assert.Empty(Items("WebManager.Engine", "FrameworkReference"));
        var referred = typeof(WebManager.Engine.IClusterEngine).Assembly.GetReferencedAssemblies().Select(a => a.Name!).ToList();
        Assert.DoesNotContain(referred, a => a.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || a.StartsWith("Microsoft.EntityFrameworkCore", StringComparison.Ordinal) || a == "System.Diagnostics.Process");
    }

    private static List<string> Items(string project, string kind) =>
        [.. XDocument.Load(Path.Combine(Root(), "src", project, project + ".csproj")).Descendants(kind).Select(r => r.Attribute("Include")!.Value)];

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "WebManager.sln"))) { folder = folder.Parent!; }
        return folder.FullName;
    }
}
