using WebManager.Agent.Keeper;
using WebManager.Agent.Network;
using WebManager.Agent.Storage;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>Makes the hypervisor this node can offer: KVM, TCG, or the Fake where there is no QEMU.</summary>
public static class Hypervisors
{
    public static async Task<IHypervisor> ChooseAsync(HypervisorOptions options, StorageOptions storage, NetworkOptions network, string nodeFolder,
        IGuestProcesses processes, TimeProvider clock, ILoggerFactory logs, CancellationToken ct)
    {
        var accelerator = await new AcceleratorProbe(options, nodeFolder, clock).ChooseAsync(ct);
        var log = logs.CreateLogger("WebManager.Agent.Hypervisor");
        log.HypervisorChosen(accelerator.Kind.ToString(), accelerator.Version, accelerator.Note ?? "as wished");
        return accelerator.Kind switch
        {
            HypervisorKind.Fake => new FakeHypervisor(accelerator, processes, clock, options),
            HypervisorKind.Kvm or HypervisorKind.Tcg => new QemuHypervisor(accelerator, options, new ImageCatalog(storage.ImagesFolder),
                NodeNetworks.Choose(network), network.Namespace, processes, clock, log),
        };
    }
}
