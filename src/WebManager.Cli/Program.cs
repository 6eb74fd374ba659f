// `wm`: the portal's REST API on the command line.
using WebManager.Cli;

return await WmApp.RunAsync(args, Surroundings.OfThisProcess());
