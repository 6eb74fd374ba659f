// A whole portal with its lab, as people run it: the built program in a process of its own, with its own data folder and port.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using WebManager.Contracts.Api;

namespace WebManager.Testing.E2E;

public sealed class PortalProcess : IAsyncDisposable
{
    public const string AdminPassword = "Correct-Horse-9-Battery";
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(180);
    private readonly string? _adminPassword;
    private readonly IReadOnlyDictionary<string, string> _settings;
    private Process? _process;
    private Api? _api;

    private PortalProcess(string? adminPassword, IReadOnlyDictionary<string, string> settings)
    {
        (_adminPassword, _settings) = (adminPassword, settings);
        Data = LabCleaner.NewFolder();
        (Port, RapiPort) = (FreePort(), FreePort());
        Address = new Uri($"http://localhost:{Port}/");
        Nodes = new NodeProcesses(LabFolder);
        Wm = new Wm(Address, Data);
    }

    public string Data { get; }
    public int Port { get; }
    public int RapiPort { get; }
    public Uri Address { get; }
    public NodeProcesses Nodes { get; }
    public Wm Wm { get; }
    public string LabFolder => Path.Combine(Data, "lab");
    public string Log => Path.Combine(Data, "portal.log");
    public int? Pid => _process is { HasExited: false } p ? p.Id : null;

    /// <summary>As the administrator: with the token that the portal leaves in its data folder for its own host.</summary>
    public Api Api => _api ??= new Api(Address, File.ReadAllText(Path.Combine(Data, "local-token")).Trim());

    public string NodeFolder(string node) => Path.Combine(LabFolder, "nodes", node);
    public string InstanceFolder(string node, Guid instance) => Path.Combine(NodeFolder(node), "instances", instance.ToString());

    /// <summary>The file of the instance's first disk on that node.</summary>
    public string Disk(string node, Guid instance) => Directory.EnumerateFiles(InstanceFolder(node, instance), "disk0*").Single(f => f.EndsWith(".qcow2", StringComparison.Ordinal));

    public SerialFile Serial(string node, Guid instance) => new(Path.Combine(InstanceFolder(node, instance), "serial.log"));
    public SerialFile Serial(InstanceView at) => Serial(at.Primary, at.Id);

    /// <param name="adminPassword">Null: no user; the one-time link is in the data folder.</param>
    public static async Task<PortalProcess> StartAsync(string? adminPassword = AdminPassword, IReadOnlyDictionary<string, string>? settings = null)
    {
        LabCleaner.CleanUpAfterOthers();
        await Built.EnsureImagesAsync();
        var portal = new PortalProcess(adminPassword, settings ?? new Dictionary<string, string>());
        try
        {
            await portal.BeginAsync();
            await portal.AllOnlineAsync();
            return portal;
        }
        catch
        {
            await portal.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Starts the process where it ended; crashAt "instance.create:reserve" ends it at that step. Healthy: waits until every node is online,
    /// which a node that is cut off never is; otherwise until it answers.
    /// </summary>
    public async Task BeginAsync(string? crashAt = null, bool healthy = true)
    {
        // A shell that becomes the portal: its output goes to a file that outlives it.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec >>\"$1\" 2>&1 </dev/null; shift; exec \"$@\"", "portal", Log, Built.Portal]);
        foreach (var own in start.Environment.Keys.Where(k => k.StartsWith("WEBMANAGER_", StringComparison.Ordinal) || k.StartsWith("ASPNETCORE_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(own);
        start.Environment["WEBMANAGER_DATA"] = Data;
        start.Environment["WEBMANAGER_PORT"] = Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["WEBMANAGER_RAPI_PORT"] = RapiPort.ToString(CultureInfo.InvariantCulture);
        start.Environment["Lab__Enabled"] = "true";
        start.Environment["Images__Folder"] = Built.Images;
        if (_adminPassword is not null) start.Environment["WEBMANAGER_ADMIN_PASSWORD"] = _adminPassword;
        if (crashAt is not null) start.Environment["WEBMANAGER_CRASH_AT"] = crashAt;
        foreach (var (name, value) in _settings) start.Environment[name] = value;
        _process = Process.Start(start);
        await AnswersAsync(healthy);
    }

    private async Task AnswersAsync(bool healthy)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            await Until.TrueAsync(async () =>
            {
                if (_process is { HasExited: true }) return true;
                using var answer = await http.GetAsync(new Uri(Address, "healthz"));
                return !healthy || answer.StatusCode == HttpStatusCode.OK;
            }, s_startLimit, healthy ? "/healthz is 200" : "/healthz answers");
        }
        catch (TimeoutException e)
        {
            // One that hangs must not stand in the way of the next start.
            await KillAsync();
            throw new TimeoutException($"{e.Message}\n{LastLines()}", e);
        }
        if (_process is { HasExited: true }) throw new InvalidOperationException($"The portal ended with {_process.ExitCode}:\n{LastLines()}");
    }

    public async Task AllOnlineAsync(int nodes = 3)
    {
        try
        {
            await Until.TrueAsync(async () => (await Api.NodesAsync()).Count(n => n.Health == "online") >= nodes, s_startLimit, $"{nodes} nodes online");
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{LastLines()}", e);
        }
    }

    public string LastLines(int lines = 30) => File.Exists(Log) ? string.Join('\n', File.ReadLines(Log).TakeLast(lines)) : "no output";

    /// <summary>SIGKILL to the portal alone; its nodes and guests go on.</summary>
    public async Task KillAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited) NodeProcesses.Kill(_process.Id);
        await _process.WaitForExitAsync();
    }

    public async Task RestartAsync(string? crashAt = null)
    {
        await KillAsync();
        await BeginAsync(crashAt);
    }

    /// <summary>Waits for the process to end by itself.</summary>
    public async Task EndedAsync(TimeSpan limit, string what)
    {
        using var over = new CancellationTokenSource(limit);
        try
        {
            await _process!.WaitForExitAsync(over.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"The portal did not end within {limit.TotalSeconds} s: {what}\n{LastLines()}", e);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process?.Dispose();
        _api?.Dispose();
        LabCleaner.Clean(Data);
    }
}
