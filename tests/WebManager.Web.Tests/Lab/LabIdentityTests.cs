using System.Net;
using WebManager.Web.Lab;
using Xunit;

namespace WebManager.Web.Tests.Lab;

public sealed class LabIdentityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-test-").FullName;

    [Fact]
    public void The_choice_is_remembered_even_when_its_network_is_in_use_then()
    {
        var first = LabIdentity.Open(_folder, "10.77", LabWires.Namespaces, []);
        Assert.Equal(first, LabIdentity.Open(_folder, "10.99", LabWires.Loopback, [IPNetwork.Parse(first.Subnet!)]));
    }

    [Fact]
    public void A_network_in_use_is_left_alone()
    {
        var other = LabIdentity.Open(Path.Combine(_folder, "a"), "10.77", LabWires.Namespaces, []);
        var all = Enumerable.Range(1, 250).Where(x => x != 42).Select(x => IPNetwork.Parse($"10.77.{x}.0/24"));
        Assert.Equal("10.77.42", LabIdentity.Open(Path.Combine(_folder, "b"), "10.77", LabWires.Namespaces, all).Prefix);
        Assert.Throws<InvalidOperationException>(() => LabIdentity.Open(Path.Combine(_folder, "c"), "10.77", LabWires.Namespaces, [IPNetwork.Parse("10.0.0.0/8")]));
        Assert.StartsWith("10.77.", other.Prefix);
    }

    [Fact]
    public void Without_namespaces_the_nodes_live_on_loopback_addresses()
    {
        var lab = LabIdentity.Open(_folder, "10.77", LabWires.Loopback, [IPNetwork.Parse("127.0.0.0/8")]);
        Assert.StartsWith("127.77.", lab.Address(1));
        Assert.Null(lab.Subnet);
    }

    [Fact]
    public void Names_fit_the_kernels_15_bytes()
    {
        var lab = LabIdentity.Open(_folder, "10.77", LabWires.Namespaces, []);
        Assert.All([lab.Bridge, lab.Namespace(9)], name => Assert.InRange(name.Length, 1, 15));
        Assert.Equal(17, lab.Mac(19).Length);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
