// "Do you really want to?" as a value to await; the dialog itself is QuestionHost.
namespace WebManager.Web.Components.Shared;

/// <param name="TypeThis">What has to be typed before the answer can be yes; null: nothing.</param>
public sealed record Question(string Title, string Text, string Yes)
{
    public bool Danger { get; init; }
    public string? TypeThis { get; init; }
}

/// <summary>One per circuit.</summary>
public sealed class Questions
{
    private TaskCompletionSource<bool>? _answer;

    public Question? Open { get; private set; }
    public event Action? Changed;

    public Task<bool> AskAsync(Question question)
    {
        Answer(false);
        _answer = new TaskCompletionSource<bool>();
        Open = question;
        Changed?.Invoke();
        return _answer.Task;
    }

    public void Answer(bool yes)
    {
        if (_answer is not { } waiting) { return; }
        (_answer, Open) = (null, null);
        Changed?.Invoke();
        waiting.TrySetResult(yes);
    }
}
