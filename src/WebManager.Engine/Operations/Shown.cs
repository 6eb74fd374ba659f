// User text inside messages: bounded, and without control characters.
namespace WebManager.Engine.Operations;

public static class Shown
{
    private const int Most = 10;

    /// <summary>A list of our own names, not too long: "a, b and 3 more".</summary>
    public static string Some(IReadOnlyCollection<string> names) => string.Join(", ", names.Take(Most)) + (names.Count > Most ? $" and {names.Count - Most} more" : "");

    public static string Name(string text)
    {
        var clean = new string(text.Select(c => char.IsControl(c) || c is '\u202e' or '\u202d' or '\u2066' or '\u2067' or '\u2068' or '\u2069' ? '?' : c).Take(64).ToArray());
        return clean.Length < text.Length ? $"“{clean}…”" : clean.Length == 0 ? "“”" : clean;
    }
}
