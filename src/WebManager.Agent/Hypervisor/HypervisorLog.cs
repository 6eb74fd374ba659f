namespace WebManager.Agent.Hypervisor;

/// <summary>Log lines of hypervisor, disks and copies: 3100 to 3199.</summary>
public static partial class HypervisorLog
{
    [LoggerMessage(3101, LogLevel.Information, "Instance {Instance} copy opened under generation {Generation} on port {Port}")]
    public static partial void ReplicaOpened(this ILogger log, Guid instance, long generation, int port);

    [LoggerMessage(3102, LogLevel.Warning, "Instance {Instance} storage daemon gave no answer, attempt {Attempt}")]
    public static partial void ReplicaSilent(this ILogger log, Guid instance, int attempt);

    [LoggerMessage(3103, LogLevel.Warning, "Instance {Instance} storage daemon could not be closed and is killed: {Why}")]
    public static partial void ReplicaKilled(this ILogger log, Guid instance, string why);

    [LoggerMessage(3110, LogLevel.Information, "Instance {Instance} runs as process {Pid}: {Prepared} ms to prepare, {Connected} ms to the monitor, {Running} ms to the running CPU")]
    public static partial void GuestRuns(this ILogger log, Guid instance, int pid, long prepared, long connected, long running);

    [LoggerMessage(3111, LogLevel.Information, "Instance {Instance} adopted, process {Pid}, {Phase}, mirror {Mirror}")]
    public static partial void GuestAdopted(this ILogger log, Guid instance, int pid, string phase, string mirror);

    [LoggerMessage(3112, LogLevel.Warning, "Instance {Instance} {Kind}: {Text}")]
    public static partial void GuestTrouble(this ILogger log, Guid instance, string kind, string text);

    [LoggerMessage(3113, LogLevel.Information, "Instance {Instance} {Kind}: {Text}")]
    public static partial void GuestNews(this ILogger log, Guid instance, string kind, string text);

    [LoggerMessage(3114, LogLevel.Warning, "Instance {Instance}: {Node} cannot hash its copy, so it is read over the network: {Why}")]
    public static partial void PeerHashesNot(this ILogger log, Guid instance, string node, string why);

    [LoggerMessage(3115, LogLevel.Warning, "Instance {Instance}: changed blocks are not marked, the next copy compares everything: {Why}")]
    public static partial void NotMarked(this ILogger log, Guid instance, string why);

    [LoggerMessage(3116, LogLevel.Information, "Instance {Instance} came from another node and runs as process {Pid}: {Milliseconds} ms to take it over")]
    public static partial void GuestTakenOver(this ILogger log, Guid instance, int pid, long milliseconds);

    [LoggerMessage(3120, LogLevel.Information, "Hypervisor is {Kind} {Version}: {Note}")]
    public static partial void HypervisorChosen(this ILogger log, string kind, string version, string note);
}
