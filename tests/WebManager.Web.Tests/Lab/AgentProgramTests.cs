using WebManager.Web.Lab;
using Xunit;

namespace WebManager.Web.Tests.Lab;

/// <summary>What the lab installs for its nodes: by a name that stays, so that an agent can be restarted as what was built since.</summary>
public sealed class AgentProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("wm-lab").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Built(string text)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "built")).FullName;
        File.WriteAllText(Path.Combine(folder, "WebManager.Agent"), text);
        return folder;
    }

    private static LabProcess Running(string program) => new(1, "n1", "WebManager.Agen", "lab/programs/current/WebManager.Agent run --dir n1", false, false) { Program = program };

    [Fact]
    public void New_build_is_behind_the_same_name_and_what_still_runs_stays()
    {
        var lab = Path.Combine(_folder, "lab");
        var name = AgentProgram.Install(Built("one"), lab, []);
        Assert.Equal("one", File.ReadAllText(name));
        var first = new DirectoryInfo(Path.GetDirectoryName(name)!).LinkTarget!;
        Assert.Equal(name, AgentProgram.Install(Built("the second"), lab, [Running(Path.Combine(first, "WebManager.Agent"))]));
        Assert.Equal("the second", File.ReadAllText(name));
        Assert.True(Directory.Exists(first));
        AgentProgram.Install(Built("the second"), lab, []);
        Assert.False(Directory.Exists(first));
        Assert.Equal("the second", File.ReadAllText(name));
    }
}
