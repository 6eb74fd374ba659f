using System.Diagnostics;
using WebManager.Web.Nodes;
using WebManager.Web.Tests.Support;
using Xunit;

namespace WebManager.Web.Tests.Nodes;

public sealed class SshHostKeyTests
{
    [Theory]   // RFC 8032, 7.1
    [InlineData("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")]
    [InlineData("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")]
    public void Public_keys_are_those_of_the_standard(string seed, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(SshHostKey.PublicKey(Convert.FromHexString(seed))));

    [Theory]
    [InlineData("ssh-keygen", "-y", "-f")]
    [InlineData("dropbearconvert", "openssh", "dropbear")]
    public async Task Other_programs_read_the_file(string program, params string[] arguments)
    {
        if (!File.Exists("/usr/bin/" + program)) { Assert.Skip($"no {program} here"); }
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "key");
        await File.WriteAllTextAsync(file, SshHostKey.New());
        if (!OperatingSystem.IsWindows()) { File.SetUnixFileMode(file, UnixFileMode.UserRead); }
        string[] all = program == "dropbearconvert" ? [.. arguments, file, file + ".dropbear"] : [.. arguments, file];
        using var process = Process.Start(new ProcessStartInfo(program, all) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, text);
        Assert.Contains("ssh-ed25519", text, StringComparison.Ordinal);
    }
}
