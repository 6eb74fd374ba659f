// Bad input gets a clear answer: which field, what is allowed.
using System.Text.RegularExpressions;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

public static partial class Rules
{
    public const int MaxVcpus = 64;
    public const long MaxDiskMiB = 64L * 1024 * 1024;
    public const int MaxDisks = 16;
    public const int MaxNics = 8;

    /// <summary>RFC 1123: labels of letters, digits and hyphens joined by dots; lower case only, so that two names never differ by case.</summary>
    [GeneratedRegex(@"\A(?=.{1,253}\z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\z")]
    private static partial Regex DnsName();

    [GeneratedRegex(@"\A(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{16,}={0,3}( [^\r\n\0]{0,256})?\z")]
    private static partial Regex SshKey();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,31}\z")]
    private static partial Regex OsParamName();

    public static bool IsDnsName(string name) => DnsName().IsMatch(name);

    public static Refusal? Name(string name, string field) => IsDnsName(name) && !Guid.TryParse(name, out _)
        ? null
        : Wrong(field, "name.invalid", $"{Shown.Name(name)} is not a DNS name.", "Use lower-case letters, digits and hyphens in labels of 1 to 63 characters joined by dots, like web1 or web1.example.org.");

    public static Refusal? Timeout(int seconds) => seconds is >= 0 and <= 3600
        ? null
        : Wrong("timeoutSeconds", "timeout.invalid", $"A timeout of {seconds} s is not possible.", "Use 0 to 3600 seconds.");

    public static Refusal InDoubt(Instance i) => new("instance.in-doubt", $"Nothing is decided for {i.Name}: {i.Doubt!.Why}.",
        "Wait until both of its nodes have answered, or confirm that one of them is off.");

    public static Refusal? Create(CreateInstance r, Picture now, EngineParts parts) =>
        Name(r.Instance, "instance") ?? Unique(r, now) ?? Image(r, parts) ?? Size(r) ?? Room(r, now) ?? Disks(r) ?? Nics(r) ?? Placement(r, now, parts) ?? Keys(r) ?? OsParams(r, parts) ?? Tags(r);

    /// <summary>The values alone, wherever it is put.</summary>
    public static Refusal? Parameters(CreateInstance r, EngineParts parts) => Image(r, parts) ?? Size(r) ?? Minimum(r, parts) ?? Disks(r) ?? Nics(r) ?? OsParams(r, parts);

    /// <summary>What the image needs; it is a known one.</summary>
    public static Refusal? Minimum(CreateInstance r, EngineParts parts) =>
        parts.Images.Images.First(i => i.Name == r.Image).MinMemoryMiB is var least && r.MemoryMiB >= least ? null
            : Wrong("memoryMiB", "memory.too-small", $"Image {r.Image} needs at least {least} MiB of memory.", $"Use {least} MiB or more.");

    private static Refusal? Nics(CreateInstance r) => r.Nics is >= 0 and <= MaxNics ? null : Wrong("nics", "nics.count", $"{r.Nics} network cards are not possible.", $"Use 0 to {MaxNics}.");

    private static Refusal? Unique(CreateInstance r, Picture now) => now.Names.ContainsKey(r.Instance)
        ? Wrong("instance", "instance.exists", $"There is already an instance {r.Instance}.", "Choose another name.")
        : null;

    private static Refusal? Tags(CreateInstance r) => r.Tags.Count == 0 ? null : TagRules.Own(r.Tags) ?? TagRules.Adding(r.Tags, []);

    private static Refusal? Image(CreateInstance r, EngineParts parts) => parts.Images.Images.Any(i => i.Name == r.Image)
        ? null
        : Wrong("image", "image.unknown", $"There is no image {Shown.Name(r.Image)}.",
            parts.Images.Images.Count == 0 ? "No image is installed yet." : $"Choose one of: {string.Join(", ", parts.Images.Images.Select(i => i.Name))}.");

    private static Refusal? Size(CreateInstance r) =>
        r.Vcpus is < 1 or > MaxVcpus ? Wrong("vcpus", "vcpus.invalid", $"{r.Vcpus} virtual CPUs are not possible.", $"Use 1 to {MaxVcpus}.")
        : r.MemoryMiB < 1 ? Wrong("memoryMiB", "memory.invalid", $"{r.MemoryMiB} MiB of memory is not possible.", "Use at least 1 MiB.") : null;

    private static Refusal? Room(CreateInstance r, Picture now)
    {
        var largest = now.Nodes.Values.Select(n => n.MemoryMiB).DefaultIfEmpty(0).Max();
        if (r.MemoryMiB > largest) { return Wrong("memoryMiB", "memory.too-large", $"No node has {r.MemoryMiB} MiB of memory.", $"The largest node has {largest} MiB."); }
        var most = now.Nodes.Values.Select(n => n.Cpus).DefaultIfEmpty(0).Max();
        return r.Vcpus > most * 4 ? Wrong("vcpus", "vcpus.too-many", $"No node can run {r.Vcpus} virtual CPUs.", $"The largest node takes {most * 4}.") : null;
    }

    private static Refusal? Disks(CreateInstance r)
    {
        if (!Enum.IsDefined(r.Template)) { return Wrong("template", "template.unknown", "That disk template does not exist.", "Use diskless, file or mirror."); }
        if (r.Template == DiskTemplate.Diskless)
        {
            return r.DisksMiB.Count == 0 ? null : Wrong("disksMiB", "disks.diskless", "A diskless instance has no disks.", "Leave the disks out or choose another disk template.");
        }
        if (r.DisksMiB.Count is < 1 or > MaxDisks) { return Wrong("disksMiB", "disks.count", $"{r.DisksMiB.Count} disks are not possible.", $"Use 1 to {MaxDisks}."); }
        return r.DisksMiB.Any(d => d is < 1 or > MaxDiskMiB)
            ? Wrong("disksMiB", "disk.invalid", $"A disk of {r.DisksMiB.First(d => d is < 1 or > MaxDiskMiB)} MiB is not possible.", $"Use 1 MiB to {MaxDiskMiB} MiB (64 TiB).")
            : null;
    }

    private static Refusal? Placement(CreateInstance r, Picture now, EngineParts parts)
    {
        if (r.Secondary is not null && r.Template != DiskTemplate.Mirror)
        {
            return Wrong("secondary", "secondary.not-mirrored", "Only mirrored instances have a secondary node.", "Leave the secondary out or choose the disk template mirror.");
        }
        if (r.Secondary is not null && r.Secondary == r.Primary)
        {
            return Wrong("secondary", "secondary.same", $"The secondary node cannot be the primary ({Shown.Name(r.Secondary)}).", "Choose another node, or leave it to the allocator.");
        }
        return Usable(r.Primary, "primary", now, parts) ?? Usable(r.Secondary, "secondary", now, parts);
    }

    private static Refusal? Usable(string? node, string field, Picture now, EngineParts parts) =>
        node is null ? null
        : !now.Nodes.ContainsKey(node) ? Wrong(field, "node.unknown", $"There is no node {Shown.Name(node)}.", $"Choose one of: {string.Join(", ", now.Nodes.Keys)}.")
        : parts.Nodes.HealthOf(node) != NodeHealth.Online ? Wrong(field, "node.not-online", $"Node {node} is not online.", "Choose another node, or wait until it is back.")
        : null;

    private static Refusal? Keys(CreateInstance r) => r.SshKeys.FirstOrDefault(k => !SshKey().IsMatch(k)) is { } bad
        ? Wrong("sshKeys", "ssh-key.invalid", $"That is not an OpenSSH public key: {Shown.Name(bad)}", "Paste the one line of a .pub file (ssh-ed25519, ecdsa-sha2-… or ssh-rsa). Never a private key.")
        : r.SshKeys.Count > 100 ? Wrong("sshKeys", "ssh-key.too-many", "More than 100 SSH keys.", "Use up to 100.") : null;

    private static Refusal? OsParams(CreateInstance r, EngineParts parts)
    {
        var known = parts.Images.Images.First(i => i.Name == r.Image).OsParams;
        var bad = r.OsParams.FirstOrDefault(p => !OsParamName().IsMatch(p.Key) || !known.Contains(p.Key));
        if (bad.Key is not null)
        {
            return Wrong("osParams", "osparam.unknown", $"Image {r.Image} has no parameter {Shown.Name(bad.Key)}.", known.Count == 0 ? "It has none." : $"It has: {string.Join(", ", known)}.");
        }
        var odd = r.OsParams.FirstOrDefault(p => p.Value.Length > 1000 || p.Value.Any(char.IsControl));
        return odd.Key is null ? null : Wrong("osParams", "osparam.invalid", $"The value of {odd.Key} is too long or has control characters.", "Use up to 1000 printable characters.");
    }

    private static Refusal Wrong(string field, string code, string message, string remedy) => new(code, message, remedy) { Field = field };
}
