// The one place that turns a refusal into something a person sees at the edge of the screen.
namespace WebManager.Web.Components.Shared;

using WebManager.Contracts;

public sealed record Toast(long Id, Tone Tone, string Text, string? Remedy, string? Href);

/// <summary>One per circuit.</summary>
public sealed class Toasts(TimeProvider clock)
{
    private static readonly TimeSpan Shown = TimeSpan.FromSeconds(10);
    private readonly List<Toast> _open = [];
    private long _last;

    public IReadOnlyList<Toast> Open => _open;
    public event Action? Changed;

    public void Refused(Refusal refusal) => Show(Tone.Bad, refusal.Message, refusal.Remedy, null);

    public void Accepted(string text, long job) => Show(Tone.Ok, text, null, $"/jobs/{job}");

    public void Said(string text) => Show(Tone.Ok, text, null, null);

    public void Close(Toast toast)
    {
        if (_open.Remove(toast)) { Changed?.Invoke(); }
    }

    private void Show(Tone tone, string text, string? remedy, string? href)
    {
        var toast = new Toast(++_last, tone, text, remedy, href);
        _open.RemoveAll(t => t.Text == text);
        _open.Add(toast);
        if (_open.Count > 4) { _open.RemoveAt(0); }
        Changed?.Invoke();
        _ = CloseLaterAsync(toast);
    }

    private async Task CloseLaterAsync(Toast toast)
    {
        await Task.Delay(Shown, clock);   // continues on the circuit's own context
        Close(toast);
    }
}
