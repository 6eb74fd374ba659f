// What System.DirectoryServices.Protocols cannot say to libldap on Linux, said through the library's defaults, which a new connection copies:
// - limits for connecting and for waiting: without them a silent directory keeps a thread for ever;
// - the file of trusted certificates;
// - the address, before StartTLS: it would go to port 389 of this host, because the address is only set when somebody signs in.
using System.DirectoryServices.Protocols;
using System.Runtime.InteropServices;
using System.Text;

namespace WebManager.Web.Identity.Directories;

internal static unsafe class NativeLdap
{
    // The library's constants (ldap.h).
    private const int Timeout = 0x5002, NetworkTimeout = 0x5005, Uri = 0x5006, CaCertFile = 0x6002, RequireCert = 0x6006, NewContext = 0x600f, Demand = 2;
    private const int KeepAliveIdle = 0x6300, KeepAliveProbes = 0x6301, KeepAliveInterval = 0x6302;

    // The names that System.DirectoryServices.Protocols tries, in its order: both must get the same one.
    private static readonly string[] s_names = ["libldap.so.2", "libldap-2.6.so.0", "libldap-2.5.so.0", "libldap-2.4.so.2"];
    private static readonly Lock s_gate = new();
    private static Library? s_library;

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeValue
    {
        public nint Seconds;
        public nint Microseconds;
    }

    /// <summary>A connection that is not open yet. The lock: another one must not get these defaults.</summary>
    public static LdapConnection Create(LdapDirectoryIdentifier server, string url, TimeSpan limit, string caFile)
    {
        if (!OperatingSystem.IsLinux()) { return new LdapConnection(server); }
        lock (s_gate)
        {
            (s_library ??= Library.Find()).Set(url, limit, caFile);
            return new LdapConnection(server);
        }
    }

    private sealed class Library
    {
        private readonly delegate* unmanaged<nint, int, void*, int> _set;
        private readonly string? _systemCaFile;

        private Library(nint handle)
        {
            _set = (delegate* unmanaged<nint, int, void*, int>)NativeLibrary.GetExport(handle, "ldap_set_option");
            var get = (delegate* unmanaged<nint, int, void*, int>)NativeLibrary.GetExport(handle, "ldap_get_option");
            nint file = 0;
            // From ldap.conf; the text is the library's own copy for us, once.
            if (get(0, CaCertFile, &file) == 0) { _systemCaFile = Marshal.PtrToStringUTF8(file); }
        }

        public static Library Find()
        {
            foreach (var name in s_names)
            {
                if (NativeLibrary.TryLoad(name, out var handle)) { return new Library(handle); }
            }
            throw new DllNotFoundException("libldap is not installed (Debian: libldap-2.5-0).");
        }

        public void Set(string url, TimeSpan limit, string caFile)
        {
            var time = new TimeValue { Seconds = (nint)limit.TotalSeconds, Microseconds = limit.Milliseconds * 1000 };
            _ = _set(0, NetworkTimeout, &time);
            _ = _set(0, Timeout, &time);
            // The library has no limit for the handshake of ldaps://: a host that vanished meanwhile ends it, not two hours later.
            Number(KeepAliveIdle, 10);
            Number(KeepAliveProbes, 3);
            Number(KeepAliveInterval, 5);
            Number(RequireCert, Demand);
            Text(Uri, url);
            Text(CaCertFile, caFile.Length == 0 ? _systemCaFile : Path.GetFullPath(caFile));
            Number(NewContext, 0);
        }

        private void Number(int option, int value) => _ = _set(0, option, &value);

        private void Text(int option, string? value)
        {
            var bytes = value is null ? null : Encoding.UTF8.GetBytes(value + '\0');
            fixed (byte* text = bytes) { _ = _set(0, option, text); }
        }
    }
}
