using System.Net.Sockets;
using WebManager.Web.Lab;
using Xunit;

namespace WebManager.Web.Tests.Lab;

/// <summary>Real namespaces and bridges; needs root.</summary>
public sealed class LabNetworkTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-test-").FullName;
    private readonly List<System.Diagnostics.Process> _started = [];
    private LabIdentity? _lab;
    private LabNetwork? _network;

    public async ValueTask InitializeAsync()
    {
        if (!await LabNetwork.PossibleAsync(default)) Assert.Skip("Network namespaces need root.");
        _lab = LabIdentity.Open(_folder, "10.78", LabWires.Namespaces, await LabNetwork.UsedAsync(default));
        _network = new LabNetwork(_lab, _folder);
    }

    [Fact]
    public async Task The_host_reaches_the_nodes_and_the_nodes_each_other()
    {
        await UpAsync();
        Listen(1);
        await ReachAsync(async () =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync(_lab!.Address(1), 7070);
        });
        Listen(1);
        await ReachAsync(() => LabCommand.MustAsync("ip", ["netns", "exec", _lab!.Namespace(2), "busybox", "nc", "-w", "2", _lab.Address(1), "7070"], default));
    }

    [Fact]
    public async Task Making_it_twice_is_as_good_as_once_and_removing_leaves_nothing()
    {
        await UpAsync();
        await UpAsync();
        await _network!.ForgetAddressesAsync(1, default);
        await _network.RemoveNodeAsync(1, default);
        await _network.EnsureNodeAsync(1, default);
        Assert.Contains(await LabNetwork.UsedAsync(default), n => n.ToString() == _lab!.Subnet);
        await DownAsync();
        await DownAsync();
        Assert.DoesNotContain(Directory.EnumerateDirectories("/sys/class/net"), d => Path.GetFileName(d).StartsWith(_lab!.Bridge, StringComparison.Ordinal));
        Assert.False(File.Exists($"/run/netns/{_lab!.Namespace(1)}"));
    }

    private async Task UpAsync()
    {
        await _network!.EnsureHostAsync(default);
        await _network.EnsureNodeAsync(1, default);
        await _network.EnsureNodeAsync(2, default);
    }

    private async Task DownAsync()
    {
        await _network!.RemoveNodeAsync(1, default);
        await _network.RemoveNodeAsync(2, default);
        await _network.RemoveHostAsync(default);
    }

    private void Listen(int node) =>
        _started.Add(System.Diagnostics.Process.Start("ip", ["netns", "exec", _lab!.Namespace(node), "busybox", "nc", "-l", "-p", "7070"]));

    /// <summary>The listener takes a moment to come up.</summary>
    private static async Task ReachAsync(Func<Task> connect)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await connect();
                return;
            }
            catch (Exception) when (tries < 50)
            {
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started)
        {
            process.Kill();
            process.Dispose();
        }
        if (_network is not null) await DownAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
