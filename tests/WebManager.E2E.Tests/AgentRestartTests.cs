// The agents of all nodes hand over to what is installed by now, one after the other, and guests that write all the time do not notice.
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class AgentRestartTests(LabFixture lab) : LabTest(lab)
{
    [Fact]
    public async Task Agents_of_all_nodes_are_restarted_one_by_one_under_running_guests()
    {
        var (alpha, alphaLedger) = await BeatingAsync("alpha");
        var (bravo, bravoLedger) = await BeatingAsync("bravo", "n2", "n3");
        var before = new[] { alpha, bravo }.Select(i => (i.Name, Lab.Processes.Guest(i.Id)!.Pid, i.Generation, i.Primary)).ToList();
        var (agents, keepers) = (PidsOf(p => p.IsAgent), PidsOf(p => p.IsKeeper));
        var (lastEvent, lastJob) = ((await Api.EventsAsync()).Max(e => e.Id), (await Api.JobsAsync()).Max(j => j.Id));
        var watches = new[] { alpha, bravo }.Select(i => (i.Name, Beats: new BeatWatch(Portal.Serial(i)))).ToList();

        var ran = await Lab.Wm.RunAsync("node", "restart-agent", "--all", "--timeout", "60", "--reason", "new version");
        Assert.True(ran.ExitCode == 0, ran.Output + ran.Error);
        Say(ran.Output.TrimEnd());
        foreach (var i in new[] { alpha, bravo }) await Lab.BeatsAsync(i, more: 100);   // well beyond a lease
        foreach (var (name, beats) in watches) Say($"{name}: longest pause between two beats {(await beats.StopAsync()).LongestPause.TotalMilliseconds:0} ms");

        Assert.Equal(keepers, PidsOf(p => p.IsKeeper));
        Assert.Empty(agents.Intersect(PidsOf(p => p.IsAgent)));
        Assert.Equal(LabFixture.NodeNames.Length, PidsOf(p => p.IsAgent).Count);
        var after = new[] { await Lab.InSyncAsync("alpha"), await Lab.InSyncAsync("bravo") };
        Assert.Equal(before, after.Select(i => (i.Name, Lab.Processes.Guest(i.Id)!.Pid, i.Generation, i.Primary)));
        Assert.DoesNotContain(await Api.JobsAsync(), j => j.Id > lastJob && j.Operation != "node.restart-agent");
        var events = (await Api.EventsAsync()).Where(e => e.Id > lastEvent).ToList();
        Assert.DoesNotContain(events, e => e.Severity == "error");
        Assert.Equal(LabFixture.NodeNames.Length, events.Count(e => e.Kind == "node.agent-restarted"));
        await CleanAsync(alphaLedger, after[0]);
        await CleanAsync(bravoLedger, after[1]);

        // The lab knows a successor as the node's agent: a kill takes it along, a start makes one.
        await Api.LabAsync("n3", "kill");
        Assert.Empty(Lab.Processes.All("n3"));
        await Lab.BackAsync("n3");
        await Lab.InSyncAsync("bravo");
    }

    [Fact]
    public async Task Node_gets_a_new_version_under_its_guest_and_keeps_the_old_one_when_the_new_is_broken()
    {
        var (at, ledger) = await BeatingAsync("kept");
        var guest = Lab.Processes.Guest(at.Id)!.Pid;
        var link = Path.Combine(Portal.LabFolder, "programs", "current");
        var was = new DirectoryInfo(link).LinkTarget!;
        var version = (await Api.NodeAsync("n1")).Version!;
        try
        {
            Install(link, Broken(was));
            var failed = await Lab.Wm.RunAsync("node", "restart-agent", "n1");
            Assert.Equal(1, failed.ExitCode);
            Assert.Contains("ends with code 7", failed.Error, StringComparison.Ordinal);
            Say(failed.Error.TrimEnd());
            Assert.Equal(("online", version), ((await Api.NodeAsync("n1")).Health, (await Api.NodeAsync("n1")).Version));

            Install(link, NewVersion(was));
            Say((await Lab.Wm.RunAsync("node", "restart-agent", "n1", "--timeout", "60")).Must().TrimEnd());
            Assert.Equal(version.Replace("1.0.0", "1.0.1", StringComparison.Ordinal), (await Api.NodeAsync("n1")).Version);
            var shown = (await Lab.Wm.RunAsync("node", "show", "n1")).Must();
            Say(shown.TrimEnd());
            Assert.Contains($"runs version {version} until its guests have left", shown, StringComparison.Ordinal);
        }
        finally { Install(link, was); }

        Say((await Lab.Wm.RunAsync("node", "restart-agent", "n1", "--timeout", "60")).Must().TrimEnd());
        Assert.Equal((guest, version), (Lab.Processes.Guest(at.Id)!.Pid, (await Api.NodeAsync("n1")).Version));
        var after = await Lab.InSyncAsync("kept");
        Assert.Equal((at.Primary, at.Generation), (after.Primary, after.Generation));
        await CleanAsync(ledger, after);
    }

    /// <summary>As a package does: another folder behind the same name.</summary>
    private static void Install(string link, string folder)
    {
        File.Delete(link);
        File.CreateSymbolicLink(link, folder);
    }

    private static string Broken(string program)
    {
        var folder = Directory.CreateDirectory(program + "-broken").FullName;
        var file = Path.Combine(folder, "WebManager.Agent");
        File.Copy(Path.Combine(program, "WebManager.Agent"), file);     // the mode of a program goes along
        File.WriteAllText(file, "#!/bin/sh\nexit 7\n");
        return folder;
    }

    /// <summary>The same program that says another version.</summary>
    private static string NewVersion(string program)
    {
        var folder = Directory.CreateDirectory(program + "-next").FullName;
        foreach (var file in Directory.EnumerateFiles(program)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        var assembly = Path.Combine(folder, "WebManager.Agent.dll");
        var bytes = File.ReadAllBytes(assembly);
        var (old, next, build) = ("1.0.0+"u8.ToArray(), "1.0.1+"u8.ToArray(), BuildOf(assembly).ToByteArray());
        next.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf(old)));
        Guid.NewGuid().ToByteArray().CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf(build)));
        File.WriteAllBytes(assembly, bytes);
        return folder;
    }

    private static Guid BuildOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var reader = file.GetMetadataReader();
        return reader.GetGuid(reader.GetModuleDefinition().Mvid);
    }

    private IReadOnlyList<int> PidsOf(Func<NodeProcess, bool> which) => [.. LabFixture.NodeNames.SelectMany(n => Lab.Processes.All(n)).Where(which).Select(p => p.Pid)];
}
