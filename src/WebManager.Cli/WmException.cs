// Why a command did not do what was asked, and the exit code that tells scripts.
namespace WebManager.Cli;

public static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The portal refused, or the job failed.</summary>
    public const int Refused = 1;

    /// <summary>The command line is wrong; nothing was asked of the portal.</summary>
    public const int Usage = 2;

    /// <summary>No portal answered.</summary>
    public const int Unreachable = 3;

    /// <summary>Ctrl-C, as shells count it.</summary>
    public const int Interrupted = 130;
}

public sealed class WmException(int exitCode, string message, string? field = null, string? remedy = null) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
    /// <summary>The portal's stable code, for who handles it.</summary>
    public string? Code { get; init; }
    public string? Field { get; } = field;
    public string? Remedy { get; } = remedy;

    public void Print(TextWriter error)
    {
        error.WriteLine($"wm: {Text.Plain(Message)}");
        if (Field is not null) error.WriteLine($"  field: {Text.Plain(Field)}");
        if (Remedy is not null) error.WriteLine($"  {Text.Plain(Remedy)}");
    }
}
