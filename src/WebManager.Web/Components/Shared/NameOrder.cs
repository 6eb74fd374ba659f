// n2 before n10: names compared as people do.
namespace WebManager.Web.Components.Shared;

public sealed class NameOrder : IComparer<string>
{
    public static readonly NameOrder By = new();

    public int Compare(string? x, string? y)
    {
        var a = x.AsSpan();
        var b = y.AsSpan();
        while (a.Length > 0 && b.Length > 0)
        {
            var (na, nb) = (Digits(a), Digits(b));
            var order = na > 0 && nb > 0 ? CompareNumbers(a[..na], b[..nb]) : char.ToLowerInvariant(a[0]).CompareTo(char.ToLowerInvariant(b[0]));
            if (order != 0) { return order; }
            a = a[Math.Max(na, 1)..];
            b = b[Math.Max(nb, 1)..];
        }
        return a.Length.CompareTo(b.Length);
    }

    private static int Digits(ReadOnlySpan<char> s)
    {
        var other = s.IndexOfAnyExceptInRange('0', '9');
        return other < 0 ? s.Length : other;
    }

    private static int CompareNumbers(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        a = a.TrimStart('0');
        b = b.TrimStart('0');
        return a.Length != b.Length ? a.Length.CompareTo(b.Length) : a.CompareTo(b, StringComparison.Ordinal);
    }
}
