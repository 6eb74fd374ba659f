using System.Diagnostics.CodeAnalysis;

namespace WebManager.Contracts;

/// <summary>An expected failure: a stable dotted code, a sentence for people, what they can do, and the field it is about (camelCase), if any.</summary>
public sealed record Refusal(string Code, string Message, string? Remedy = null)
{
    /// <summary>The request's field that is at fault, camelCase as on the wire; null when no single field is.</summary>
    public string? Field { get; init; }
}

/// <summary>A value, or why there is none. Exceptions are left to bugs and broken pipes.</summary>
public readonly record struct Outcome<T>
{
    private Outcome(T? value, Refusal? refusal) => (Value, Refusal) = (value, refusal);

    public T? Value { get; }
    public Refusal? Refusal { get; }

    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool Ok => Refusal is null;

    public static implicit operator Outcome<T>(T value) => new(value, null);
    public static implicit operator Outcome<T>(Refusal refusal) => new(default, refusal);
}

/// <summary>The reply of calls that have nothing to say.</summary>
public sealed record Done
{
    public static readonly Done Value = new();
}
