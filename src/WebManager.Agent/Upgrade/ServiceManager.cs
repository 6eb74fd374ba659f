using System.Net.Sockets;
using System.Text;

namespace WebManager.Agent.Upgrade;

/// <summary>systemd's notification socket (sd_notify): that we serve, and who does from now on. Without one nothing is told.</summary>
internal static class ServiceManager
{
    public static void Tell(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } path) return;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            // '@' is the abstract namespace's zero byte.
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));
        }
        catch (SocketException) { }       // it then sees what happens to the processes
    }
}
