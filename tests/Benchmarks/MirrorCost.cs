// What the mirror costs: the same writes in a guest, mirrored and not, in turns. No setting is other than in production.
using System.Globalization;
using System.Text.RegularExpressions;
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;

namespace WebManager.Benchmarks;

/// <summary>Needs root: the guests are reached by SSH.</summary>
internal sealed partial class MirrorCost(PortalProcess portal)
{
    private const int Small = 400, Large = 96;
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    public async Task<IReadOnlyList<Measured>> MeasureAsync(int runs)
    {
        using var key = await SshKey.MakeAsync();
        var (plain, mirrored) = (await MakeAsync("plain", "file", key), await MakeAsync("mirrored", "mirror", key));
        var small = (Plain: new List<TimeSpan>(), Mirrored: new List<TimeSpan>());
        var large = (Plain: new List<TimeSpan>(), Mirrored: new List<TimeSpan>());
        for (var run = 1; run <= runs; run++)
        {
            small.Plain.Add(await WriteAsync(key, plain, $"bs=4k count={Small} oflag=dsync") / Small);
            small.Mirrored.Add(await WriteAsync(key, mirrored, $"bs=4k count={Small} oflag=dsync") / Small);
            large.Plain.Add(await WriteAsync(key, plain, $"bs=1M count={Large} oflag=direct conv=fsync") / Large);
            large.Mirrored.Add(await WriteAsync(key, mirrored, $"bs=1M count={Large} oflag=direct conv=fsync") / Large);
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"cost {run}: 4 KiB {small.Plain[^1].TotalMilliseconds:0.00} and {small.Mirrored[^1].TotalMilliseconds:0.00} ms, 1 MiB {large.Plain[^1].TotalMilliseconds:0.00} and {large.Mirrored[^1].TotalMilliseconds:0.00} ms"));
        }
        return
        [
            new Measured("4 KiB written and flushed, one copy", small.Plain), new Measured("4 KiB written and flushed, mirrored", small.Mirrored) { Against = small.Plain },
            new Measured("1 MiB in sequence, one copy", large.Plain), new Measured("1 MiB in sequence, mirrored", large.Mirrored) { Against = large.Plain },
        ];
    }

    private async Task<string> MakeAsync(string name, string template, SshKey key)
    {
        await portal.Api.SucceedsAsync(portal.Api.CreateAsync(new CreateInstanceRequest(name, "tiny-linux", 1, 128, template, [256]) { SshKeys = [key.Public], Primary = "n1" }));
        var made = await Until.SomeAsync(async () => await portal.Api.InstanceAsync(name) is { Status: "running", Ip: not null } i ? i : null, s_limit, $"{name} runs");
        await key.CanSignInAsync(made.Ip!);
        return made.Ip!;
    }

    /// <summary>How long dd says that it took, by the guest's clock.</summary>
    private static async Task<TimeSpan> WriteAsync(SshKey key, string address, string how)
    {
        var ran = await key.RunAsync(address, $"gnu-dd if=/dev/zero of=/dev/vda {how}", s_limit);
        var took = Took().Match(ran.Error + ran.Output);
        return ran.ExitCode == 0 && took.Success
            ? TimeSpan.FromSeconds(double.Parse(took.Groups[1].Value, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"dd in the guest: {ran.Error}{ran.Output}");
    }

    [GeneratedRegex(@"copied, ([0-9.e-]+) s")]
    private static partial Regex Took();
}
