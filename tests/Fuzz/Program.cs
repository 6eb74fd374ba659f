// Random requests to every route of a portal: dotnet run -c Release --project tests/Fuzz -- [--requests N] [--seed S] [--only NUMBER]
using System.Globalization;
using WebManager.Web.Tests.Fuzz;

int? Of(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : null;

var (requests, seed) = (Of("--requests") ?? 20_000, Of("--seed") ?? Random.Shared.Next());
var report = await FuzzRun.GoAsync(requests, seed, Of("--only"), Console.WriteLine);
Console.WriteLine($"Seed {seed}: {report.Requests} requests to {report.Routes} routes. Answers: {string.Join(", ", report.Answers.OrderBy(a => a.Key).Select(a => $"{a.Value} x {a.Key}"))}.");
foreach (var fault in report.Faults) { Console.WriteLine(fault); }
Console.WriteLine(report.Faults.Count == 0 ? "No fault." : $"{report.Faults.Count} faults. One again: --requests {requests} --seed {seed} --only NUMBER");
return report.Faults.Count == 0 ? 0 : 1;
