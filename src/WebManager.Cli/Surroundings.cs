// What `wm` touches besides the portal: streams, environment, home folder, clock. Tests bring their own.
namespace WebManager.Cli;

public sealed record Surroundings(TextReader In, TextWriter Out, TextWriter Error, Func<string, string?> Variable, string ConfigFolder, TimeProvider Clock)
{
    /// <summary>Standard input is a person at a keyboard.</summary>
    public bool CanAsk { get; init; }

    /// <summary>Standard output is a terminal: tables get lines and colours.</summary>
    public bool IsTerminal { get; init; }

    /// <summary>Reads a password without showing it.</summary>
    public Func<string?> ReadSecret { get; init; } = () => null;

    public static Surroundings OfThisProcess()
    {
        var config = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
        if (string.IsNullOrEmpty(config)) config = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config");
        return new Surroundings(Console.In, Console.Out, Console.Error, Environment.GetEnvironmentVariable, Path.Combine(config, "webmanager"), TimeProvider.System)
        {
            CanAsk = !Console.IsInputRedirected,
            IsTerminal = !Console.IsOutputRedirected,
            ReadSecret = ReadWithoutEcho,
        };
    }

    private static string ReadWithoutEcho()
    {
        var typed = new System.Text.StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    Console.Error.WriteLine();
                    return typed.ToString();
                case ConsoleKey.Backspace when typed.Length > 0:
                    typed.Length--;
                    break;
                default:
                    if (!char.IsControl(key.KeyChar)) typed.Append(key.KeyChar);
                    break;
            }
        }
    }
}
