// A part of a page that asks Accounts for something: shows refusals at the field they are about, everything else as a toast.
using Microsoft.AspNetCore.Components;
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Web.Components.Shared;
using WebManager.Web.Identity;

namespace WebManager.Web.Components.Pages.Account;

public abstract class AccountPart : ComponentBase
{
    private Refusal? _refused;

    [Inject] public Accounts Accounts { get; set; } = default!;
    [Inject] public Toasts Toasts { get; set; } = default!;
    [Inject] public Questions Questions { get; set; } = default!;
    [CascadingParameter] public Caller Caller { get; set; } = default!;

    protected bool Busy { get; private set; }

    /// <summary>The fields that this part shows, as refusals name them.</summary>
    protected virtual string[] Fields => [];

    protected string? Wrong(string field) => _refused?.Field == field ? $"{_refused.Message} {_refused.Remedy}".TrimEnd() : null;

    protected void Forget() => _refused = null;

    /// <summary>Null: it was refused, and that is shown.</summary>
    protected async Task<T?> AskAsync<T>(Func<Task<Outcome<T>>> act) where T : class
    {
        Busy = true;
        _refused = null;
        try
        {
            var outcome = await act();
            if (outcome.Ok) { return outcome.Value; }
            if (outcome.Refusal.Field is { } field && Fields.Contains(field)) { _refused = outcome.Refusal; } else { Toasts.Refused(outcome.Refusal); }
            return null;
        }
        finally { Busy = false; }
    }

    protected async Task<bool> DoneAsync<T>(Func<Task<Outcome<T>>> act, string said) where T : class
    {
        if (await AskAsync(act) is null) { return false; }
        Toasts.Said(said);
        return true;
    }
}
