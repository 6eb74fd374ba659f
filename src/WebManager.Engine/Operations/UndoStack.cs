// What a job has to take back when it fails: runs backwards, 30 s each, and says what it could not undo.
using WebManager.Contracts;

namespace WebManager.Engine.Operations;

public sealed class UndoStack
{
    private readonly Stack<(string What, Func<CancellationToken, Task<Outcome<Done>>> How)> _steps = [];

    public void Push(string what, Func<CancellationToken, Task<Outcome<Done>>> how) => _steps.Push((what, how));

    public void Keep() => _steps.Clear();

    /// <summary>Takes everything back; the texts of what could not be.</summary>
    public async Task<IReadOnlyList<string>> RunAsync(TimeProvider clock)
    {
        var left = new List<string>();
        while (_steps.TryPop(out var step))
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), clock);
            try
            {
                var outcome = await step.How(limit.Token);
                if (!outcome.Ok) { left.Add($"{step.What}: {outcome.Refusal.Message}"); }
            }
            catch (Exception ex) { left.Add($"{step.What}: {ex.Message}"); }
        }
        return left;
    }
}
