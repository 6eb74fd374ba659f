using System.Text.Json;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>What QEMU's words about a disk mean.</summary>
public sealed class GuestEventsTests
{
    [Fact]
    public void Event_says_whose_disk_failed_and_a_failed_read_gives_up_no_copy()
    {
        var whole = new GuestState(GuestPhase.Running, MirrorPhase.InSync);
        var mine = Bad(whole, "local1", "write");
        Assert.Equal((MirrorPhase.Broken, 1, null), (mine.Mirror, mine.LocalFault?.Disk, mine.CopyFault));
        // Nothing but a look at the export tells a dead disk from a dead connection.
        var theirs = Bad(whole, "copy1-g4-1", "flush");
        Assert.Equal((MirrorPhase.Broken, null, 1), (theirs.Mirror, theirs.LocalFault, theirs.Suspected?.Disk));
        Assert.Equal((MirrorPhase.InSync, null), (Bad(whole, "local0", "read").Mirror, Bad(whole, "local0", "read").LocalFault));
        // The word of a failed write may be held back behind that of a failed read; the guest's own comes first then.
        var waits = GuestEvents.Apply(Bad(whole, "local0", "read"), new QmpEvent("BLOCK_IO_ERROR", JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["qom-path"] = "/machine/peripheral/vd0/virtio-backend", ["operation"] = "write", ["reason"] = "Input/output error" }))).State;
        Assert.Equal((MirrorPhase.Broken, 0), (waits.Mirror, waits.LocalFault?.Disk));
        // After the loss of the other copy, too: the engine must not go on with the copy that fails.
        Assert.NotNull(Bad(theirs, "local0", "write").LocalFault);
    }

    private static GuestState Bad(GuestState state, string node, string type) =>
        GuestEvents.Apply(state, new QmpEvent("QUORUM_REPORT_BAD", JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["node-name"] = node, ["type"] = type, ["error"] = "Input/output error" }))).State;
}
