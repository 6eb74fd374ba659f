// The engine's log lines; ids 1xxx.
using Microsoft.Extensions.Logging;
using WebManager.Engine.Model;

namespace WebManager.Engine;

internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Information, "Engine began with epoch {Epoch}: {Nodes} nodes, {Instances} instances, {Jobs} open jobs to carry on")]
    public static partial void Began(this ILogger log, long epoch, int nodes, int instances, int jobs);

    [LoggerMessage(1002, LogLevel.Warning, "Another engine ({Holder}) holds the database; it is taken once that has not renewed for {Needed}")]
    public static partial void LeaseTaken(this ILogger log, Guid holder, TimeSpan needed);

    [LoggerMessage(1003, LogLevel.Warning, "The lease on the database could not be renewed; challenges are not answered while it is over")]
    public static partial void LeaseLate(this ILogger log, Exception ex);

    [LoggerMessage(1004, LogLevel.Critical, "This engine stands still: {Why}")]
    public static partial void StandsStill(this ILogger log, string why);

    [LoggerMessage(1005, LogLevel.Warning, "This database is not the newest: {Why}. Nothing is decided for {Instances} mirrored instances until their nodes have answered")]
    public static partial void InDoubt(this ILogger log, string why, int instances);

    [LoggerMessage(1006, LogLevel.Warning, "Epoch raised from {From} to {To}: node {Node} has obeyed another engine")]
    public static partial void EpochRaised(this ILogger log, long from, long to, string node);

    [LoggerMessage(1101, LogLevel.Warning, "Node {Node}: {From} -> {To} after {Silence} of silence")]
    public static partial void HealthChanged(this ILogger log, string node, NodeHealth from, NodeHealth to, TimeSpan silence);

    [LoggerMessage(1102, LogLevel.Warning, "Node {Node} refused the beat: {Code} {Text}")]
    public static partial void BeatRefused(this ILogger log, string node, string code, string text);

    [LoggerMessage(1103, LogLevel.Error, "Beat of node {Node} failed")]
    public static partial void BeatFailed(this ILogger log, Exception ex, string node);

    [LoggerMessage(1104, LogLevel.Debug, "Node {Node} says {Kind} {Instance}: {Text}")]
    public static partial void NodeSaid(this ILogger log, string node, string kind, Guid? instance, string text);

    [LoggerMessage(1105, LogLevel.Debug, "Event stream of node {Node} ended")]
    public static partial void EventsFailed(this ILogger log, Exception ex, string node);

    [LoggerMessage(1201, LogLevel.Information, "Job {Job} {Operation} {Subject}: {Status} {Text}")]
    public static partial void JobEnded(this ILogger log, long job, string operation, string subject, JobStatus status, string? text);

    [LoggerMessage(1202, LogLevel.Error, "Job {Job} failed unexpectedly")]
    public static partial void JobBroke(this ILogger log, Exception ex, long job);

    [LoggerMessage(1203, LogLevel.Error, "Job {Job} could not undo: {What}")]
    public static partial void UndoFailed(this ILogger log, Exception? ex, long job, string what);

    [LoggerMessage(1204, LogLevel.Information, "Job {Job} is carried on after a restart, from step {Step}")]
    public static partial void JobResumed(this ILogger log, long job, string? step);

    [LoggerMessage(1301, LogLevel.Information, "Watcher files {Operation} for {Subject}")]
    public static partial void WatcherFiles(this ILogger log, string operation, string subject);

    [LoggerMessage(1302, LogLevel.Warning, "Watcher could not file {Operation} for {Subject}: {Text}")]
    public static partial void WatcherRefused(this ILogger log, string operation, string subject, string text);

    [LoggerMessage(1303, LogLevel.Error, "The reconciliation loop failed once; it goes on")]
    public static partial void ReconcileFailed(this ILogger log, Exception ex);

    [LoggerMessage(1305, LogLevel.Information, "{Node} answers the primary of {Subject} again: a stand-down had been left behind")]
    public static partial void StoodUp(this ILogger log, string node, string subject);

    [LoggerMessage(1306, LogLevel.Information, "Instance {Instance} was found on {Nodes}; no record names it")]
    public static partial void FoundOnNodes(this ILogger log, Guid instance, string nodes);

    [LoggerMessage(1307, LogLevel.Warning, "Node {Node} does not take the note of {Subject}: {Text}")]
    public static partial void NoteRefused(this ILogger log, string node, string subject, string text);

    [LoggerMessage(1304, LogLevel.Error, "Events could not be stored")]
    public static partial void EventsNotStored(this ILogger log, Exception ex);
}
