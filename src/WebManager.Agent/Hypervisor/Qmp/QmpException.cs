using System.Text.Json;

namespace WebManager.Agent.Hypervisor.Qmp;

/// <summary>QEMU refused a command: its error class and its sentence. A broken pipe is <see cref="QmpClosedException"/>.</summary>
public sealed class QmpException(string command, string errorClass, string description) : InvalidOperationException($"{command}: {description}")
{
    public string Command { get; } = command;
    public string ErrorClass { get; } = errorClass;
    public string Description { get; } = description;
}

/// <summary>The monitor is gone: QEMU ended, or the client was closed.</summary>
public sealed class QmpClosedException(string message) : IOException(message);

/// <summary>An asynchronous report of QEMU, like STOP or BLOCK_IO_ERROR.</summary>
public sealed record QmpEvent(string Name, JsonElement Data)
{
    public string? Text(string property) =>
        Data.ValueKind == JsonValueKind.Object && Data.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public bool Flag(string property) =>
        Data.ValueKind == JsonValueKind.Object && Data.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.True;
}
