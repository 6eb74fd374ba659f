using System.ComponentModel;
using System.Diagnostics;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Upgrade;

/// <summary>The program that is installed now, looked at before the running agent leaves its place to it.</summary>
internal static class Candidate
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private const int MostText = 300;

    /// <param name="keeper">What the keeper speaks; null: it holds nothing, and is replaced where it does not fit.</param>
    public static async Task<Outcome<ProgramFacts>> LookAsync(IReadOnlyList<string> program, SpeaksRange? keeper, TimeProvider clock)
    {
        var asked = await AskAsync(program, clock);
        if (!asked.Ok) return asked.Refusal;
        if (ProgramFacts.Read(asked.Value) is not { } facts) return Bad(program, $"it does not say which version it is: {Short(asked.Value)}");
        if (facts.HandOver.Common(Succession.Speaks) is null) return Bad(program, $"version {facts.Version} takes over by version {facts.HandOver} of the hand-over, this agent knows {Succession.Speaks}");
        if (keeper is not null && facts.Keeper.Common(keeper) is null) return Bad(program, $"version {facts.Version} speaks version {facts.Keeper} with keepers, and the keeper with this node's guests {keeper}. Move the guests away first (maintenance)");
        return facts;
    }

    private static async Task<Outcome<string>> AskAsync(IReadOnlyList<string> program, TimeProvider clock)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program[0], program.Skip(1).Append("version")) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true },
        };
        try { process.Start(); }
        catch (Win32Exception e) { return Bad(program, e.Message); }
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(Limit, clock);
        try
        {
            var texts = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0 ? texts[0] : Bad(program, $"asked for its version it ends with code {process.ExitCode}{(Short(texts[1] + texts[0]) is { Length: > 0 } said ? $" ({said})" : "")}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return Bad(program, $"asked for its version it does not answer within {Limit.TotalSeconds:0} s");
        }
    }

    public static Refusal Bad(IReadOnlyList<string> program, string why) => new("agent.candidate-bad", $"The installed program {program[^1]} cannot take over: {why}.", "The agent runs on as it is. Install a program that works, then try again.");

    private static string Short(string text) => text.Trim().ReplaceLineEndings(" ") is var line && line.Length > MostText ? line[..MostText] : line;
}
