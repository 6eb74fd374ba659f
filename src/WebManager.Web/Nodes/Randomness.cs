// Real random values for the engine.
using System.Security.Cryptography;
using WebManager.Engine.Ports;

namespace WebManager.Web.Nodes;

public sealed class Randomness : IRandomness
{
    public string NewTag() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    public Guid NewGuid() => Guid.NewGuid();

    public string NewMac()
    {
        var tail = RandomNumberGenerator.GetBytes(3);
        return $"aa:00:00:{tail[0]:x2}:{tail[1]:x2}:{tail[2]:x2}";
    }

    public string NewSshHostKey() => SshHostKey.New();
}
