// Random faults on real guests: dotnet run -c Release --project tests/Soak -- --faults N --seed S. docs/lab.md says what it does and prints.
using System.Globalization;
using WebManager.Soak;
using WebManager.Testing.E2E;

int? Number(string name, int otherwise)
{
    var at = Array.IndexOf(args, name);
    if (at < 0) return otherwise;
    return at + 1 < args.Length && int.TryParse(args[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;
}

var unknown = args.Where((a, i) => a is not ("--faults" or "--seed") && (i == 0 || args[i - 1] is not ("--faults" or "--seed"))).FirstOrDefault();
var (faults, seed) = (Number("--faults", 20), Number("--seed", 1));
if (unknown is not null || faults is null or 0 || seed is null)
{
    Console.Error.WriteLine($"{(unknown is null ? "--faults and --seed take a whole number; --faults at least 1." : $"{unknown}: no such option.")}\nUsage: Soak [--faults N] [--seed S]");
    return 2;
}

// A guest that is killed often is to be started again each time here, and a node that is hurt often goes on: the limits have tests of their own.
var settings = new Dictionary<string, string> { ["Engine__Recovery__RestartLimit"] = "100", ["Engine__Recovery__FlapLimit"] = "1000" };
await using var portal = await PortalProcess.StartAsync(settings: settings);
await using var run = new SoakRun(portal, seed.Value);
return await run.RunAsync(faults.Value) ? 0 : 1;
