using System.Collections.Concurrent;

namespace WebManager.Agent.Host;

/// <summary>agent.log: one line an entry, written through at once; begun anew (the old one kept as .1) when it has grown too long.</summary>
[ProviderAlias("File")]
internal sealed class FileLog(string path, TimeProvider clock) : ILoggerProvider
{
    private const long Longest = 16 << 20;
    private readonly ConcurrentDictionary<string, Logger> _loggers = new();
    private readonly Lock _gate = new();
    private StreamWriter _writer = Open(path);

    public ILogger CreateLogger(string categoryName) => _loggers.GetOrAdd(categoryName, c => new Logger(this, c[(c.LastIndexOf('.') + 1)..]));

    public void Dispose()
    {
        lock (_gate) { _writer.Dispose(); }
    }

    private void Write(LogLevel level, EventId id, string category, string text, Exception? ex)
    {
        // Whoever logs must not fail because the disk is full: that may be just what is being logged.
        try { WriteThrough(level, id, category, text, ex); }
        catch (IOException) { }
    }

    private void WriteThrough(LogLevel level, EventId id, string category, string text, Exception? ex)
    {
        lock (_gate)
        {
            if (_writer.BaseStream.Length > Longest)
            {
                _writer.Dispose();
                File.Move(path, path + ".1", overwrite: true);
                _writer = Open(path);
            }

            _writer.WriteLine($"{clock.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Short(level)} {id.Id} {category}: {text.ReplaceLineEndings(" ")}");
            if (ex is not null) _writer.WriteLine(ex);
        }
    }

    private static StreamWriter Open(string path) => new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };

    private static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        LogLevel.Critical => "crit",
        LogLevel.None => "none",
    };

    private sealed class Logger(FileLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) log.Write(logLevel, eventId, category, formatter(state, exception), exception);
        }
    }
}
