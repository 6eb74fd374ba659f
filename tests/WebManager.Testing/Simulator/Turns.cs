// Who may work on an instance: one order at a time.
namespace WebManager.Testing.Simulator;

/// <summary>First come, first served.</summary>
internal sealed class Turns
{
    private readonly Queue<TaskCompletionSource> _waiting = [];
    private bool _taken;

    public Task EnterAsync()
    {
        if (!_taken)
        {
            _taken = true;
            return Task.CompletedTask;
        }

        var turn = new TaskCompletionSource();
        _waiting.Enqueue(turn);
        return turn.Task;
    }

    public void Leave()
    {
        if (_waiting.TryDequeue(out var next)) next.SetResult();
        else _taken = false;
    }
}
