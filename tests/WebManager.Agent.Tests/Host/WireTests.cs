using System.Text.Json;
using WebManager.Agent.Host;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Host;

public sealed class WireTests
{
    [Fact]
    public void Fields_that_may_be_null_may_be_absent_and_others_may_not()
    {
        var record = new GenerationRecord(Guid.NewGuid(), 1, "1", "n1", null, SyncState.Alone);
        var guest = new GuestSpec(record.Instance, "web", "tiny", 1, 96, DiskTemplate.Diskless, [], [new NicSpec(0, "52:54:00:00:00:01", null, null)]);
        var json = JsonSerializer.Serialize(new StartGuestOrder(Guid.NewGuid(), 1, guest) { Record = record }, WireJson.Options);
        Assert.DoesNotContain("secondary", json, StringComparison.Ordinal);
        var read = JsonSerializer.Deserialize<StartGuestOrder>(json, Calls.Strict)!;
        Assert.Equal((record, guest.Nics[0]), (read.Record, read.Guest.Nics[0]));
        var without = json.Replace("\"primary\":\"n1\",", "", StringComparison.Ordinal);
        Assert.NotEqual(json, without);
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<StartGuestOrder>(without, Calls.Strict));
    }
}
