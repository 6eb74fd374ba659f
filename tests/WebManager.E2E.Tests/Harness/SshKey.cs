// A generated key and the system's own ssh: what a person with a terminal has.
using WebManager.Testing.E2E;

namespace WebManager.E2E.Tests.Harness;

internal sealed class SshKey : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("wm-ssh-").FullName;

    private SshKey() { }

    private string File => Path.Combine(_folder, "key");
    public string Public => System.IO.File.ReadAllText(File + ".pub").Trim();

    public static async Task<SshKey> MakeAsync()
    {
        var key = new SshKey();
        (await Shell.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "e2e", "-f", key.File])).Must();
        return key;
    }

    /// <summary>The host key is remembered from the first time: another machine at the same address would be refused.</summary>
    public Task CanSignInAsync(string address) => Until.TrueAsync(async () =>
    {
        var ran = await RunAsync(address, "echo signed-in", TimeSpan.FromSeconds(20));
        return ran.ExitCode == 0 && ran.Output.Contains("signed-in", StringComparison.Ordinal) ? true : throw new ApiException($"ssh to {address}: {ran.Error}");
    }, TimeSpan.FromSeconds(40), $"SSH to {address}");

    public Task<Ran> RunAsync(string address, string command, TimeSpan limit) => Shell.RunAsync("ssh",
    [
        "-i", File, "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "StrictHostKeyChecking=accept-new", "-o", $"UserKnownHostsFile={_folder}/known", "-o", "LogLevel=ERROR",
        $"root@{address.Split('/')[0]}", command,
    ], limit: limit);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
