// The NoCloud seed of a guest. Written by our own ISO writer: a start must not wait for another program (failover time).
using System.Globalization;
using System.Text;
using WebManager.Contracts;

namespace WebManager.Agent.Storage;

public static class SeedIso
{
    /// <summary>Volume label by which cloud-init and our images find the seed.</summary>
    public const string Label = "cidata";

    public static void Write(string path, GuestSpec guest, DateTimeOffset at)
    {
        (string, byte[])[] files =
        [
            ("meta-data", Encoding.UTF8.GetBytes(MetaData(guest))),
            ("network-config", Encoding.UTF8.GetBytes(NetworkConfig(guest))),
            ("user-data", Encoding.UTF8.GetBytes(UserData(guest))),
        ];
        var iso = Iso9660.Build(Label, files, at);
        // Written aside and renamed: a guest that runs still reads the whole old file.
        File.WriteAllBytes(path + ".new", iso);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(path + ".new", path, overwrite: true);
    }

    public static string MetaData(GuestSpec guest) => $"instance-id: {Quoted(guest.Instance.ToString())}\nlocal-hostname: {Quoted(guest.Name)}\n";

    public static string UserData(GuestSpec guest)
    {
        var text = new StringBuilder("#cloud-config\n");
        if (guest.SshKeys.Count > 0)
        {
            text.Append("ssh_authorized_keys:\n");
            foreach (var key in guest.SshKeys) text.Append(CultureInfo.InvariantCulture, $"  - {Quoted(key.Trim())}\n");
        }
        if (guest.SshHostKey is { } hostKey)
        {
            text.Append("ssh_keys:\n  ed25519_private: |\n");
            foreach (var line in hostKey.Trim().Split('\n')) text.Append(CultureInfo.InvariantCulture, $"    {line.TrimEnd('\r')}\n");
        }
        if (guest.OsParams.Count > 0)
        {
            text.Append("webmanager:\n");
            foreach (var (name, value) in guest.OsParams.OrderBy(p => p.Key, StringComparer.Ordinal))
                text.Append(CultureInfo.InvariantCulture, $"  {Key(name)}: {Quoted(value)}\n");
        }
        return text.ToString();
    }

    public static string NetworkConfig(GuestSpec guest)
    {
        var text = new StringBuilder("version: 2\nethernets:\n");
        foreach (var nic in guest.Nics.OrderBy(n => n.Index))
        {
            text.Append(CultureInfo.InvariantCulture, $"  eth{nic.Index}:\n    match:\n      macaddress: {Quoted(nic.Mac.ToLowerInvariant())}\n");
            if (nic.Ip is null) text.Append("    dhcp4: true\n");
            else text.Append(CultureInfo.InvariantCulture, $"    addresses: [{Quoted(nic.Ip)}]\n");
            if (nic.Gateway is not null) text.Append(CultureInfo.InvariantCulture, $"    gateway4: {Quoted(nic.Gateway)}\n");
        }
        return guest.Nics.Count == 0 ? "version: 2\nethernets: {}\n" : text.ToString();
    }

    private static string Key(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? name : Quoted(name);

    /// <summary>A YAML double-quoted scalar: whatever the value, it stays one value on one line.</summary>
    private static string Quoted(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var c in value)
        {
            if (c is '"' or '\\') text.Append('\\').Append(c);
            else if (char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF') text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else text.Append(c);
        }
        return text.Append('"').ToString();
    }
}
