// One node of the lab: its folder, its join, its start.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using WebManager.Contracts;

namespace WebManager.Web.Lab;

internal sealed class LabNode(int number, LabIdentity lab, LabOptions options, string labFolder, string program, TimeProvider time)
{
    /// <summary>$1 the log, then the program: a log file instead of the portal's own output, which ends with the portal.</summary>
    private const string DetachedScript = "exec >>\"$1\" 2>&1 </dev/null; shift; exec \"$@\"";
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    public int Number => number;
    public string Name { get; } = $"n{number}";
    public string Host => lab.Address(number);
    public string Address => $"{Host}:{options.AgentPort}";
    private string Folder => Path.Combine(labFolder, "nodes", Name);
    private string LogFile => Path.Combine(labFolder, "nodes", $"{Name}.log");

    public bool HasJoined => File.Exists(Path.Combine(Folder, "agent.json"));

    public void Forget()
    {
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
        if (File.Exists(LogFile)) File.Delete(LogFile);
    }

    /// <summary>The same join as any machine's: the agent's own command against the portal's own address. One that was in a cluster keeps its instances.</summary>
    public async Task<Outcome<Done>> JoinAsync(Uri portal, string token, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Folder)!);
        List<string> arguments = HasJoined ? ["rejoin", portal.ToString(), token, "--dir", Folder] :
        [
            "join", portal.ToString(), token, "--dir", Folder, "--name", Name, "--address", Address, "--memory", $"{options.MemoryMiB}", "--disk", $"{options.DiskMiB}",
            "--cpus", $"{options.Cpus}", "--hypervisor", options.Hypervisor,
        ];
        if (!HasJoined && lab.Wires == LabWires.Namespaces) arguments.AddRange(["--bridge", LabNetwork.NodeBridge]);
        var done = await LabCommand.RunAsync(program, arguments, ct);
        return done.Ok ? Done.Value : new Refusal("lab.join", $"Node {Name} could not join: {(done.Error + done.Output).Trim()}");
    }

    /// <summary>In a session of its own, so that neither Ctrl-C nor the portal's end reaches it. Answers when the agent listens.</summary>
    public async Task<Outcome<Done>> StartAsync(CancellationToken ct)
    {
        List<string> arguments = ["sh", "-c", DetachedScript, "lab-node", LogFile];
        if (lab.Wires == LabWires.Namespaces) arguments.AddRange(["ip", "netns", "exec", lab.Namespace(number)]);
        arguments.AddRange([program, "run", "--dir", Folder]);
        var start = new ProcessStartInfo("setsid", arguments) { WorkingDirectory = Folder };
        LabCommand.CleanEnvironment(start);
        start.Environment[LabIdentity.Marker] = $"{lab.Id}/{Name}";
        using var process = Process.Start(start) ?? throw new InvalidOperationException("setsid did not start.");

        var began = time.GetTimestamp();
        while (!await AnswersAsync(ct))
        {
            if (process.HasExited || time.GetElapsedTime(began) > s_startLimit)
                return new Refusal("lab.start", $"The agent of {Name} {(process.HasExited ? "ended at once" : "does not answer")}: {LastLines()}", $"Its log is {LogFile}.");
            await Task.Delay(s_look, time, ct);
        }
        return Done.Value;
    }

    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(Host), options.AgentPort), either.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return false;
        }
    }

    private string LastLines() => File.Exists(LogFile) ? string.Join(" | ", File.ReadLines(LogFile).TakeLast(5)) : "no output";
}
