using WebManager.Cli;
using Xunit;

namespace WebManager.Web.Tests.Cli;

/// <summary>wm instance found, adopt, and change-owner of several.</summary>
public sealed class FoundCommandTests
{
    private const string Pair = "0c000000-0000-4000-8000-000000000001", Half = "0c000000-0000-4000-8000-000000000002";
    private const string Found = $$"""
        [{"id":"{{Pair}}","name":"pair","image":"tiny","vcpus":1,"memoryMiB":64,"diskMiB":1024,"template":"mirror","primary":"n1","secondary":"n2","runs":true,"owner":"ada","ownerHere":true,"tags":["shop"],"nodes":["n1","n2"]},
         {"id":"{{Half}}","name":"half","image":"tiny","vcpus":1,"memoryMiB":64,"diskMiB":0,"template":"diskless","primary":"n3","runs":false,"owner":"eve","ownerHere":false,"tags":[],"nodes":["n3"],"why":"Its node n3 does not answer."}]
        """;

    [Fact]
    public async Task What_was_found_reads_as_a_table()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /found", 200, Found);
        using var wm = new WmRun(portal);
        var (code, said, _) = await wm.RunAsync("instance", "found");
        Assert.Equal(0, code);
        Assert.Matches($@"pair +runs +n1 +n2 +ada +64M +1G +tiny +{Pair}", said);
        Assert.Matches(@"half +stopped +n3 +- +eve \(not here\).*Its node n3 does not answer", said);
    }

    [Theory]
    [InlineData("""{"ownerFromTags":true,"newAddresses":false,"force":false}""", "pair", "--owner-from-tags")]
    [InlineData("""{"name":"old","owner":"usergroup:ops","ownerFromTags":false,"newAddresses":true,"force":true,"reason":"back"}""", "pair", "--name", "old", "--owner", "usergroup:ops", "--new-addresses", "--force", "--reason", "back")]
    public async Task One_is_taken_up_by_name(string body, params string[] args)
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /found", 200, Found).On($"POST /found/{Pair}/adopt", 202, """{"job":7}""");
        using var wm = new WmRun(portal);
        Assert.Equal((0, "Job 7 is accepted.\n", ""), await wm.RunAsync(["instance", "adopt", .. args, "--no-wait"]));
        Assert.Equal(body, portal.Requests.Last().Body);
    }

    [Fact]
    public async Task Of_all_each_is_tried_and_what_was_refused_is_said()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /found", 200, Found).On($"POST /found/{Pair}/adopt", 202, """{"job":7}""").On($"POST /found/{Half}/adopt", 409, """{"title":"Its node n3 does not answer.","code":"node.not-online"}""");
        using var wm = new WmRun(portal);
        var (code, said, error) = await wm.RunAsync("instance", "adopt", "--all", "--owner-from-tags", "--no-wait");
        Assert.Equal((ExitCode.Refused, "Job 7 is accepted.\n"), (code, said));
        Assert.Contains("Its node n3 does not answer.", error);
        Assert.Contains("1 of 2 were refused", error);
    }

    [Fact]
    public async Task Orphans_get_an_owner_all_at_once()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /instances", 200, $"[{Instance("a", "")},{Instance("b", "ada")},{Instance("c", "")}]").On("POST /instances/a/change-owner", 202, """{"job":7}""").On("POST /instances/c/change-owner", 202, """{"job":8}""");
        using var wm = new WmRun(portal);
        Assert.Equal((0, "Job 7 is accepted.\nJob 8 is accepted.\n", ""), await wm.RunAsync("instance", "change-owner", "--orphans", "ada", "--no-wait"));
        Assert.Equal(["GET /instances", "POST /instances/a/change-owner", "POST /instances/c/change-owner"], portal.Requests.Select(r => $"{r.Method} {r.Path}"));
    }

    private static string Instance(string name, string owner) =>
        $$"""{"id":"{{Pair}}","name":"{{name}}","owner":"{{owner}}","image":"tiny","vcpus":1,"memoryMiB":64,"disksMiB":[],"template":"diskless","primary":"n1","wanted":"up","status":"running","mirror":"none","createdAt":"2026-01-01T00:00:00Z","generation":0}""";
}
