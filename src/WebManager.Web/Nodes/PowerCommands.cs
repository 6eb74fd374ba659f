// Runs the configured power commands: a program with an argument list, never a shell, killed when its time is up.
using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Engine.Ports;

namespace WebManager.Web.Nodes;

public sealed class PowerCommands(IOptions<FencingOptions> options, TimeProvider clock) : IPowerControl
{
    private const int MostText = 300;

    public bool Can(string node) => options.Value.Of(node) is not null;

    public async Task<Outcome<Done>> PowerOffAsync(string node, CancellationToken ct)
    {
        if (options.Value.Of(node) is not { } command) { return new Refusal("power.no-command", $"No power command is set up for {node}.", "Set Engine:Fencing in the portal's configuration."); }
        var start = new ProcessStartInfo(command.Program, command.Arguments.Select(a => a.Replace("{node}", node, StringComparison.Ordinal)))
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        using var process = new Process { StartInfo = start };
        try { process.Start(); }
        catch (Win32Exception e) { return Failed(node, e.Message); }
        using var time = new CancellationTokenSource(options.Value.Limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, ct);
        try { return await EndAsync(node, process, either.Token); }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            ct.ThrowIfCancellationRequested();
            return Failed(node, $"it did not end within {options.Value.Limit.TotalSeconds:0.#} s");
        }
    }

    private static async Task<Outcome<Done>> EndAsync(string node, Process process, CancellationToken ct)
    {
        process.StandardInput.Close();
        var texts = await Task.WhenAll(process.StandardError.ReadToEndAsync(ct), process.StandardOutput.ReadToEndAsync(ct));
        await process.WaitForExitAsync(ct);
        if (process.ExitCode == 0) { return Done.Value; }
        var said = string.Join(' ', texts).Trim();
        return Failed(node, $"exit code {process.ExitCode}{(said.Length > 0 ? ", " + said[..Math.Min(said.Length, MostText)] : "")}");
    }

    private static Refusal Failed(string node, string why) => new("power.failed", $"The power command of {node} failed: {why}.", "Look at Engine:Fencing and try the command by hand.");
}
