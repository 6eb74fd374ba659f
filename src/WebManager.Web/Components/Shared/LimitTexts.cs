// Limits, amounts and their changes as people read them.
using System.Globalization;
using WebManager.Engine.Model;

namespace WebManager.Web.Components.Shared;

public static class LimitTexts
{
    public static string Of(Limits l)
    {
        var parts = new[] { Word(l.Instances, "instance"), Word(l.Vcpus, "vCPU", plural: false), Size(l.MemoryMiB, "memory"), Size(l.DiskMiB, "disk") }.OfType<string>().ToList();
        return parts.Count == 0 ? "no limit" : string.Join(", ", parts);
    }

    /// <summary>+1 instance, +2 vCPU, +512 MiB memory; running: +1.</summary>
    public static string Change(Usage allocated, Usage running)
    {
        var parts = Parts(allocated, signed: true).ToList();
        var on = Parts(running, signed: true).ToList();
        return string.Join("; ", new[] { string.Join(", ", parts), on.Count == 0 ? "" : "running " + string.Join(", ", on) }.Where(t => t.Length > 0));
    }

    public static string Held(Usage allocated, Usage running) => allocated == default ? "nothing" : $"{string.Join(", ", Parts(allocated, signed: false))}; {running.Instances} running";

    private static IEnumerable<string> Parts(Usage u, bool signed)
    {
        if (u.Instances != 0) { yield return $"{Number(u.Instances, signed)} {(Math.Abs(u.Instances) == 1 ? "instance" : "instances")}"; }
        if (u.Vcpus != 0) { yield return $"{Number(u.Vcpus, signed)} vCPU"; }
        if (u.MemoryMiB != 0) { yield return $"{Sign(u.MemoryMiB, signed)}{Sizes.Text(Math.Abs(u.MemoryMiB))} memory"; }
        if (u.DiskMiB != 0) { yield return $"{Sign(u.DiskMiB, signed)}{Sizes.Text(Math.Abs(u.DiskMiB))} disk"; }
    }

    private static string Number(int n, bool signed) => Sign(n, signed) + Math.Abs(n).ToString(CultureInfo.InvariantCulture);
    private static string Sign(long n, bool signed) => n < 0 ? "−" : signed ? "+" : "";
    private static string? Word(int? n, string what, bool plural = true) => n is { } most ? $"{most.ToString(CultureInfo.InvariantCulture)} {what}{(plural && most != 1 ? "s" : "")}" : null;
    private static string? Size(long? mib, string what) => mib is { } most ? $"{Sizes.Text(most)} {what}" : null;
}
