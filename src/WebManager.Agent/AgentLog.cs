namespace WebManager.Agent;

/// <summary>Log lines of agent, keeper link and peers: 2001 to 2199. Secrets, tokens and keys are never arguments.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(2001, LogLevel.Information, "Node {Node} listens on {Address}, version {Version}, {Milliseconds} ms after its start")]
    public static partial void Listening(this ILogger log, string node, string address, string version, long milliseconds);

    [LoggerMessage(2002, LogLevel.Information, "Recovered {Instances} instances, {Guests} guests still running, {Ended} ended while away, {Killed} killed as outdated, {Unfinished} orders unfinished")]
    public static partial void Recovered(this ILogger log, int instances, int guests, int ended, int killed, int unfinished);

    [LoggerMessage(2003, LogLevel.Information, "Agent ends; guests go on")]
    public static partial void Ends(this ILogger log);

    [LoggerMessage(2004, LogLevel.Information, "Version {From} hands over to version {To}, process {Pid}; guests go on")]
    public static partial void HandsOver(this ILogger log, string from, string to, int pid);

    [LoggerMessage(2005, LogLevel.Warning, "No hand-over: {Text}")]
    public static partial void StaysHere(this ILogger log, string text);

    [LoggerMessage(2006, LogLevel.Error, "{Text} This agent ends; a keeper goes on without one as long as its guests' leases last")]
    public static partial void KeeperRefused(this ILogger log, string text);

    [LoggerMessage(2010, LogLevel.Information, "Keeper {Run} answers as pid {Pid} with {Live} processes")]
    public static partial void KeeperConnected(this ILogger log, Guid run, int pid, int live);

    [LoggerMessage(2011, LogLevel.Warning, "Keeper lost; a new one is started")]
    public static partial void KeeperLost(this ILogger log);

    [LoggerMessage(2020, LogLevel.Information, "Order {Path} {Operation} on instance {Instance} done in {Milliseconds} ms")]
    public static partial void OrderDone(this ILogger log, string path, Guid operation, Guid? instance, long milliseconds);

    [LoggerMessage(2021, LogLevel.Warning, "Order {Path} {Operation} on instance {Instance} refused with {Code}: {Text}")]
    public static partial void OrderRefused(this ILogger log, string path, Guid operation, Guid? instance, string code, string text);

    [LoggerMessage(2022, LogLevel.Error, "Call {Path} failed")]
    public static partial void CallFailed(this ILogger log, string path, Exception ex);

    [LoggerMessage(2023, LogLevel.Information, "Order {Path} {Operation} repeated; first result given")]
    public static partial void OrderRepeated(this ILogger log, string path, Guid operation);

    [LoggerMessage(2024, LogLevel.Error, "Stop {Operation} could not be written down and is carried out all the same: {Text}")]
    public static partial void NotJournalled(this ILogger log, Guid operation, string text);

    [LoggerMessage(2030, LogLevel.Information, "Instance {Instance} pid {Pid} ended as {End} under generation {Generation}")]
    public static partial void GuestEnded(this ILogger log, Guid instance, int pid, string end, long generation);

    [LoggerMessage(2031, LogLevel.Warning, "Instance {Instance} killed: {Newest} is newer and names another primary")]
    public static partial void Outdated(this ILogger log, Guid instance, string newest);

    [LoggerMessage(2032, LogLevel.Information, "Instance {Instance} goes on under {Record}")]
    public static partial void Adopted(this ILogger log, Guid instance, string record);

    [LoggerMessage(2033, LogLevel.Warning, "Instance {Instance} pid {Pid} does not answer on its monitor")]
    public static partial void NotAdopted(this ILogger log, Guid instance, int pid);

    [LoggerMessage(2034, LogLevel.Information, "Instance {Instance} promised never to write alone under generation {Generation}")]
    public static partial void PromiseMade(this ILogger log, Guid instance, long generation);

    [LoggerMessage(2035, LogLevel.Warning, "Instance {Instance} stands still: {Text}")]
    public static partial void Halted(this ILogger log, Guid instance, string text);

    [LoggerMessage(2036, LogLevel.Information, "Instance {Instance} goes on: somebody answers for it again")]
    public static partial void GoesOn(this ILogger log, Guid instance);

    [LoggerMessage(2037, LogLevel.Error, "Instance {Instance}: how its guest ended could not be written down: {Text}")]
    public static partial void EndNotKept(this ILogger log, Guid instance, string text);

    [LoggerMessage(2038, LogLevel.Error, "This node's disk: {Fault}")]
    public static partial void DiskFails(this ILogger log, string fault);

    [LoggerMessage(2039, LogLevel.Information, "This node's disk works again")]
    public static partial void DiskWorks(this ILogger log);

    [LoggerMessage(2040, LogLevel.Warning, "Peer {Peer} does not answer challenges: {Text}")]
    public static partial void PeerSilent(this ILogger log, string peer, string text);

    [LoggerMessage(2041, LogLevel.Information, "Peer {Peer} answers challenges again")]
    public static partial void PeerBack(this ILogger log, string peer);

    [LoggerMessage(2050, LogLevel.Error, "Background work {What} failed")]
    public static partial void WorkFailed(this ILogger log, string what, Exception ex);
}
