// Explores random histories of the simulator: dotnet run -c Release --project tests/Simulation -- --seeds N [--first S] [--bias ID] [--jobs K]
using WebManager.Simulation;

var (options, mistake) = Options.Read(args);
if (options is null)
{
    Console.Error.WriteLine(mistake);
    Console.Error.WriteLine(Options.Usage);
    return 2;
}

return options.Replay is { } file ? Replay.Run(file) : new Run(options).Go() == 0 ? 0 : 1;
