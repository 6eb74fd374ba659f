// Ganeti's list of all instances, asked of the portal as Ganeti's clients ask it; against the 4.6 requests a second that Ganeti 3.0.2 answered on such a machine.
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using WebManager.Testing.E2E;

namespace WebManager.Benchmarks;

internal static class RapiLists
{
    private const int Instances = 200;
    private const double Ganeti = 4.6;
    private static readonly TimeSpan s_each = TimeSpan.FromSeconds(5), s_patience = TimeSpan.FromMinutes(5);

    public static async Task<int> MeasureAsync()
    {
        await using var portal = await PortalProcess.StartAsync(settings: new Dictionary<string, string>
        {
            ["Lab__Hypervisor"] = "fake", ["Lab__MemoryMiB"] = "65536", ["Limits__CallsPerAccount"] = "0",
        });
        using var http = Client(portal, close: false);
        await FillAsync(http);
        var lines = new List<string>();
        foreach (var (clients, close) in ((int, bool)[])[(1, false), (8, false), (1, true), (8, true)]) { lines.Add(await RunAsync(portal, clients, close)); }
        var size = (await http.GetByteArrayAsync("/2/instances?bulk=1")).Length;
        Console.WriteLine($"\nGET /2/instances?bulk=1, {Instances} instances (diskless, stopped), {size / 1024} KiB, {Environment.ProcessorCount} cores shared with the clients, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}; Ganeti 3.0.2: {Ganeti.ToString(CultureInfo.InvariantCulture)}/s, 186 ms of CPU each\n");
        Console.WriteLine($"| {"clients",7} | {"connection",-10} | {"requests/s",10} | {"median",9} | {"p95",9} | {"CPU each",9} | {"x Ganeti",8} |");
        Console.WriteLine("|--------:|------------|-----------:|----------:|----------:|----------:|---------:|");
        lines.ForEach(Console.WriteLine);
        Console.WriteLine($"\nA change shows in the next answer: {await FreshAsync(http)}");
        return 0;
    }

    private static async Task FillAsync(HttpClient http)
    {
        var jobs = new List<string>();
        for (var n = 1; n <= Instances; n++) { jobs.Add(await CreateAsync(http, $"inst{n}.example.com")); }
        foreach (var job in jobs) { await EndAsync(http, job); }
    }

    private static async Task<string> CreateAsync(HttpClient http, string name)
    {
        var body = $$$"""{"__version__":1,"mode":"create","name":"{{{name}}}","disk_template":"diskless","disks":[],"nics":[{}],"os_type":"tiny-linux","start":false,"beparams":{"maxmem":96}}""";
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("/2/instances", content);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    private static Task EndAsync(HttpClient http, string job) => Until.TrueAsync(async () =>
        JsonElement.Parse(await http.GetStringAsync($"/2/jobs/{job}")).GetProperty("status").GetString() is var s && (s == "success" || (s == "error" ? throw new InvalidOperationException($"job {job} failed") : false)), s_patience, $"job {job} ends");

    private static async Task<string> RunAsync(PortalProcess portal, int clients, bool close)
    {
        var (begun, used) = (Stopwatch.GetTimestamp(), Used(portal));
        var all = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(() => AskAsync(portal, close))));
        var took = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var times = all.SelectMany(t => t).Order().ToList();
        var (rate, cpu) = (times.Count / took, (Used(portal) - used).TotalMilliseconds / times.Count);
        return string.Create(CultureInfo.InvariantCulture, $"| {clients,7} | {(close ? "new each" : "kept open"),-10} | {rate,10:0} | {times[times.Count / 2],6:0.00} ms | {times[(int)(times.Count * 0.95)],6:0.00} ms | {cpu,6:0.00} ms | {rate / Ganeti,8:0} |");
    }

    /// <summary>Processor time of the portal, which other work on the machine does not change; Ganeti took 186 ms a request.</summary>
    private static TimeSpan Used(PortalProcess portal)
    {
        using var process = Process.GetProcessById(portal.Pid!.Value);
        return process.TotalProcessorTime;
    }

    private static async Task<List<double>> AskAsync(PortalProcess portal, bool close)
    {
        using var http = Client(portal, close);
        var (times, end) = (new List<double>(), Stopwatch.GetTimestamp() + (long)(s_each.TotalSeconds * Stopwatch.Frequency));
        await http.GetByteArrayAsync("/version");
        while (Stopwatch.GetTimestamp() < end)
        {
            var begun = Stopwatch.GetTimestamp();
            await http.GetByteArrayAsync("/2/instances?bulk=1");
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        return times;
    }

    private static async Task<string> FreshAsync(HttpClient http)
    {
        await EndAsync(http, await CreateAsync(http, "newest.example.com"));
        return (await http.GetStringAsync("/2/instances?bulk=1")).Contains("newest.example.com", StringComparison.Ordinal) ? "yes" : "NO";
    }

    private static HttpClient Client(PortalProcess portal, bool close)
    {
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } };
        var http = new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{portal.RapiPort}") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{PortalProcess.AdminPassword}")));
        http.DefaultRequestHeaders.ConnectionClose = close;
        return http;
    }
}
