using WebManager.Agent.Hypervisor;
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Keeper;
using WebManager.Agent.Network;
using WebManager.Agent.Node;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Agent.Storage;
using WebManager.Agent.Upgrade;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Host;

/// <summary>The agent's parts.</summary>
internal static class NodeServices
{
    public static void AddNode(this IServiceCollection services, NodeFolder folder, NodeConfig config, NodeCertificates certificates, AgentStart start)
    {
        // BOOTTIME also here: the age of a heard challenge must not stand still while the machine sleeps.
        services.AddSingleton<TimeProvider>(BootClock.Instance);
        services.AddSingleton(folder).AddSingleton(config).AddSingleton(certificates).AddSingleton(start);
        services.AddSingleton(s => new NodeRules(config.Node, s.GetRequiredService<TimeProvider>().Monotonic()));
        services.AddSingleton(s => new KeeperClient(folder.Root, new KeeperLauncher(folder.Root, config.Isolation, config.Watchdog).LaunchAsync, s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IKeeper>(s => s.GetRequiredService<KeeperClient>()).AddSingleton<IGuestProcesses>(s => s.GetRequiredService<KeeperClient>());
        services.AddSingleton(s => new Journal(folder.Journal, s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<EpochFile>().AddSingleton<InstanceFiles>().AddSingleton<InstanceTable>().AddSingleton<EventHub>();
        services.AddSingleton<Generations>().AddSingleton<GuestWatch>().AddSingleton<Recovery>().AddSingleton<OrderDesk>().AddSingleton<NodeIdentity>().AddSingleton<DiskProbe>();
        services.AddSingleton<LeaseGate>().AddSingleton<MigrationOrders>().AddSingleton<HandOver>();
        services.AddSingleton<GenerationOrders>().AddSingleton<GuestOrders>().AddSingleton<CopyOrders>().AddSingleton<DiskOrders>().AddSingleton<ImageStore>();
        services.AddSingleton<BeatDesk>().AddSingleton<PeerBook>().AddSingleton<PeerDesk>().AddSingleton<PeerLoop>().AddSingleton<PeerLink>();
    }

    /// <summary>The probe asks the machine once per boot (it boots a guest); later starts of the agent read what it found.</summary>
    public static async Task AddHypervisorAsync(this IServiceCollection services, NodeFolder folder, NodeConfig config)
    {
        var options = new HypervisorOptions { Accelerator = config.Hypervisor, CopyRateMiB = config.CopyRateMiB, MigrationHost = config.Host };
        if (config.OldestWrite is { } oldest) options.OldestWrite = oldest;
        var storage = new StorageOptions { InstancesFolder = folder.Instances, ImagesFolder = folder.Images, DiskMiB = config.DiskMiB, ReplicaHost = config.Host };
        var network = new NetworkOptions { Bridge = config.Bridge, Namespace = config.NetworkNamespace };
        var accelerator = await new AcceleratorProbe(options, folder.Root, TimeProvider.System).ChooseAsync(CancellationToken.None);
        services.AddSingleton(accelerator).AddSingleton(options).AddSingleton(storage);
        if (accelerator.Kind == HypervisorKind.Fake)
        {
            services.AddSingleton<INodeNetwork, UserNetwork>().AddSingleton<IHypervisor, FakeHypervisor>();
            services.AddSingleton<IReplicas>(new FakeReplicas(config.Host)).AddSingleton<IDisks>(new FakeDisks(folder.Instances, config.DiskMiB));
            return;
        }

        services.AddSingleton<NodeTls>().AddSingleton<ICopyPeer, CopyPeer>();
        services.AddSingleton(NodeNetworks.Choose(network));
        services.AddSingleton(new FileImages(storage, options.RunFolder, options.QemuImg)).AddSingleton(new ImageCatalog(folder.Images));
        services.AddSingleton<IHypervisor>(s => new QemuHypervisor(accelerator, options, s.GetRequiredService<ImageCatalog>(), s.GetRequiredService<INodeNetwork>(),
            config.NetworkNamespace, s.GetRequiredService<IGuestProcesses>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<QemuHypervisor>>(),
            s.GetRequiredService<NodeTls>(), s.GetRequiredService<ICopyPeer>()));
        services.AddSingleton(s => new ReplicaExporter(s.GetRequiredService<FileImages>(), storage, options, config.NetworkNamespace,
            s.GetRequiredService<IGuestProcesses>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<ReplicaExporter>>(),
            s.GetRequiredService<NodeTls>(), config.Node));
        services.AddSingleton<IReplicas, QemuReplicas>().AddSingleton<IDisks, QemuDisks>();
    }
}
