// Measures what people feel, on the real thing: dotnet run -c Release --project tests/Benchmarks [-- --runs 20] [--only submit,kill,event,migrate,cost | --only rapi]
using System.Globalization;
using WebManager.Benchmarks;
using WebManager.Testing.E2E;

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
var runs = int.Parse(Option("--runs") ?? "20", CultureInfo.InvariantCulture);
var only = Option("--only")?.Split(',');

var (all, table) = (new Dictionary<string, Func<Measurements, Task<IReadOnlyList<Measured>>>>
{
    ["submit"] = async m => [await m.SubmitToRunningAsync(runs)],
    ["kill"] = async m => [await m.KillToInitAsync(runs)],
    ["migrate"] = async m => [await m.MigrateAsync(runs)],
    ["event"] = async m => [await m.EventToBrowserAsync(runs)],
    ["cost"] = m => m.MirrorCostAsync(runs),
}, new List<Measured>());

if (only is ["rapi"]) { return await RapiLists.MeasureAsync(); }   // on a portal of its own, with 200 instances

await using var portal = await PortalProcess.StartAsync();
await using var measurements = new Measurements(portal);
foreach (var (name, measure) in all)
{
    if (only is null || only.Contains(name)) table.AddRange(await measure(measurements));
}
Console.WriteLine();
Console.WriteLine($"{Built.Configuration}, {runs} runs each, {(await portal.Api.NodesAsync())[0].Hypervisor}, {Environment.ProcessorCount} cores, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");
Console.WriteLine();
Console.WriteLine($"| {"what",-52} | {"runs",4} | {"min",9} | {"median",9} | {"p95",9} | {"max",9} |");
Console.WriteLine($"|{new string('-', 54)}|-----:|{string.Concat(Enumerable.Repeat(new string('-', 10) + ":|", 4))}");
foreach (var row in table) Console.WriteLine(row.Line());
return 0;
