// Public keys as people paste them: what is taken, what is refused and why, and that new instances have them.
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class SshKeyTests
{
    public static TheoryData<string, string, int> Good() => new()
    {
        { Ed25519(7), "ssh-ed25519", 256 },
        { Line("ssh-rsa", [1, 0, 1], [0, .. Modulus(2048)]), "ssh-rsa", 2048 },
        { Line("ssh-rsa", [1, 0, 1], [0, .. Modulus(4096)]) + " ada@laptop", "ssh-rsa", 4096 },
        { Line("ecdsa-sha2-nistp256", "nistp256"u8.ToArray(), [4, .. new byte[64]]), "ecdsa-sha2-nistp256", 256 },
        { Line("ecdsa-sha2-nistp384", "nistp384"u8.ToArray(), [4, .. new byte[96]]), "ecdsa-sha2-nistp384", 384 },
        { Line("ecdsa-sha2-nistp521", "nistp521"u8.ToArray(), [4, .. new byte[132]]), "ecdsa-sha2-nistp521", 521 },
    };

    public static TheoryData<string> Bad() =>
    [
        "", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----",
        Line("ssh-dss", [1], [2], [3], [4]), Line("ssh-rsa", [1, 0, 1], [0, .. Modulus(1024)]), Line("ssh-ed25519", new byte[31]),
        "ssh-ed25519 " + Line("ssh-none", new byte[32]).Split(' ')[1], "ssh-rsa " + Ed25519(1).Split(' ')[1], Line("ecdsa-sha2-nistp256", "nistp384"u8.ToArray(), [4, .. new byte[64]]), Ed25519(1) + "\n" + Ed25519(2),
    ];

    [Theory]
    [MemberData(nameof(Good), DisableDiscoveryEnumeration = true)]
    public void Kinds_that_servers_take_are_taken(string line, string type, int bits)
    {
        var key = PublicKey.Parse(line + "\n").Value!;
        Assert.Equal((type, bits), (key.Type, key.Bits));
        var print = Convert.ToBase64String(SHA256.HashData(Convert.FromBase64String(line.Split(' ')[1]))).TrimEnd('=');
        Assert.Equal($"SHA256:{print}", key.Fingerprint);
        Assert.Equal(2, key.Line.Split(' ').Length);
    }

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void Everything_else_is_refused_with_what_to_do(string text)
    {
        var refusal = PublicKey.Parse(text).Refusal;
        Assert.Equal(("ssh-key.invalid", "key"), (refusal?.Code, refusal?.Field));
        Assert.NotNull(refusal!.Remedy);
        Assert.Equal(text.Contains("PRIVATE", StringComparison.Ordinal), refusal.Message.Contains("private key", StringComparison.Ordinal));
    }

    [Fact]
    public void New_instance_has_the_keys_of_its_owner_and_of_everybody_in_an_owning_group() => InCluster(async world =>
    {
        var engine = world.Portal!.Engine;
        foreach (var (name, n) in new[] { ("ada", 1), ("bob", 2), ("eve", 3) })
        {
            world.People.Add(name, name);
            Assert.True((await engine.SubmitAsync(new AddSshKey("", Ed25519(n) + $" {name}@home"), new Caller(name, name, false, "test"), "", CancellationToken.None)).Ok);
        }
        await world.Portal.DoAsync(new AddUserGroup("ops"));
        await world.Portal.DoAsync(new SetMember("ops", "ada"));
        await world.Portal.DoAsync(new SetMember("ops", "bob"));
        var given = Ed25519(9);
        await world.Portal.DoAsync(new CreateInstance("mine", "alpine", 1, 128, DiskTemplate.Diskless, []) { Owner = Keys.User("ada"), SshKeys = [given] });
        await world.Portal.DoAsync(new CreateInstance("ours", "alpine", 1, 128, DiskTemplate.Diskless, []) { Owner = Keys.Group(engine.Now.FindUserGroup("ops")!.Id) });
        Assert.Equal([given, Ed25519(1)], engine.FindInstance("mine")!.SshKeys);
        Assert.Equal([Ed25519(1), Ed25519(2)], engine.FindInstance("ours")!.SshKeys);
        Assert.Equal("ada@home", engine.Now.SshKeys.Values.Single(k => k.User == "ada").Name);
        var again = await engine.SubmitAsync(new AddSshKey("twice", Ed25519(1)), new Caller("ada", "ada", false, "test"), "", CancellationToken.None);
        Assert.Equal("ssh-key.exists", again.Refusal?.Code);
    });

    [Fact]
    public void Approval_does_what_was_asked_for_and_both_see_it() => InCluster(async world =>
    {
        var engine = world.Portal!.Engine;
        world.People.Add("ada", "ada");
        var ada = new Caller("ada", "ada", false, "test");
        await world.Portal.DoAsync(new AddUserGroup("ops"));
        Task<Outcome<long>> Ask(OperationRequest r) => engine.SubmitAsync(r, ada, "", CancellationToken.None);
        var more = new QuotaLimits(new Limits(5, null, null, null), Limits.None);
        Assert.Equal("reason", (await Ask(new AskQuota(Keys.User("ada"), more, " "))).Refusal?.Field);
        Assert.True((await Ask(new AskQuota(Keys.User("ada"), more, "for the course"))).Ok);
        Assert.Equal("request.exists", (await Ask(new AskQuota(Keys.User("ada"), more, "again"))).Refusal?.Code);
        Assert.True((await Ask(new AskMembership("ops", "I am new"))).Ok);
        foreach (var asked in engine.Now.UserRequests.Values.ToList()) { Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(new DecideRequest(asked.Id, true, ""))).Status); }
        Assert.Equal(5, engine.OwnerRow(Keys.User("ada"))!.Limits.Allocated.Instances);
        Assert.NotNull(engine.Now.FindUserGroup("ops")!.Find("ada"));
        Assert.All(engine.Feeds.UserRequests.Current(engine.SightOf(ada).For<Engine.Live.UserRequestRow>()), r => Assert.Equal((UserRequestState.Approved, "admin"), (r.State, r.DecidedBy)));
        Assert.Equal("request.decided", engine.WouldRefuse(new DecideRequest(engine.Now.UserRequests.Keys.First(), false, "no"), SimPortal.Admin)?.Code);
        Assert.Empty(engine.Feeds.UserRequests.Current(engine.SightOf(new Caller("bob", "bob", false, "test")).For<Engine.Live.UserRequestRow>()));
    });

    /// <summary>A well-formed key that nobody has.</summary>
    public static string Ed25519(int n) => Line("ssh-ed25519", [.. Enumerable.Repeat((byte)n, 32)]);

    private static byte[] Modulus(int bits) => [.. Enumerable.Repeat((byte)0xc1, bits / 8)];

    private static string Line(string type, params byte[][] parts)
    {
        var blob = new List<byte>();
        foreach (var part in parts.Prepend(Encoding.ASCII.GetBytes(type)))
        {
            var length = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(length, (uint)part.Length);
            blob.AddRange([.. length, .. part]);
        }
        return $"{type} {Convert.ToBase64String([.. blob])}";
    }
}
