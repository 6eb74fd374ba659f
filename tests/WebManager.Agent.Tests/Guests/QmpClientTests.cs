using System.Text.Json.Nodes;
using WebManager.Agent.Hypervisor.Qmp;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>Against a QEMU without a machine: up in a moment.</summary>
public sealed class QmpClientTests : IAsyncLifetime
{
    private readonly DirectProcesses _processes = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("wm-qmp-").FullName;
    private readonly List<QmpEvent> _events = [];
    private QmpClient _qmp = null!;

    public async ValueTask InitializeAsync()
    {
        var path = Path.Combine(_folder, "qmp.sock");
        await _processes.SpawnAsync(new("qemu", ["qemu-system-x86_64", "-M", "none", "-nodefaults", "-display", "none", "-chardev", $"socket,id=q,path={path},server=on,wait=off", "-mon", "chardev=q,mode=control"],
            Path.Combine(_folder, "log"), true, null), default);
        _qmp = (await QmpSockets.ConnectAsync(path, TimeSpan.FromSeconds(20), () => false, e => { lock (_events) _events.Add(e); }, TimeProvider.System, default))!;
    }

    [Fact]
    public async Task Commands_answer_and_errors_have_class_and_text()
    {
        var version = await _qmp.ExecuteAsync("query-version", null, default);
        Assert.True(version.GetProperty("qemu").GetProperty("major").GetInt32() > 5);
        var error = await Assert.ThrowsAsync<QmpException>(() => _qmp.ExecuteAsync("blockdev-del", new JsonObject { ["node-name"] = "nobody" }, default));
        Assert.Equal(("blockdev-del", "GenericError"), (error.Command, error.ErrorClass));
        Assert.Contains("nobody", error.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_commands_at_once_all_answer_and_out_of_band_is_accepted()
    {
        var many = Enumerable.Range(0, 50).Select(_ => _qmp.ExecuteAsync("query-status", null, default)).ToList();
        var yank = await Assert.ThrowsAsync<QmpException>(() => _qmp.ExecuteOobAsync("yank",
            new JsonObject { ["instances"] = new JsonArray(new JsonObject { ["type"] = "block-node", ["node-name"] = "nobody" }) }, default));
        Assert.Equal("DeviceNotFound", yank.ErrorClass);
        await Task.WhenAll(many);
    }

    [Fact]
    public async Task Limits_do_not_pass_while_the_process_stands_still()
    {
        var pid = _processes.PidOf("qemu");
        _qmp.Halted = true;
        Real.Signal(pid, 19);
        var limit = TimeSpan.FromMilliseconds(100);
        var commands = new[] { _qmp.ExecuteAsync("query-status", null, default, limit), _qmp.ExecuteAsync("query-status", null, default, limit) };
        await Task.Delay(limit * 4);
        Assert.All(commands, c => Assert.False(c.IsCompleted));
        Real.Signal(pid, 18);
        await Until.TrueAsync(() => !Real.IsStopped(pid), "it goes on");
        _qmp.Halted = false;
        await Task.WhenAll(commands);

        Real.Signal(pid, 19);
        await Assert.ThrowsAsync<TimeoutException>(() => _qmp.ExecuteAsync("query-status", null, default, limit));
        Real.Signal(pid, 18);
    }

    [Fact]
    public async Task End_of_qemu_fails_waiting_commands_and_is_told()
    {
        await _qmp.ExecuteAsync("quit", null, default);
        await _qmp.Closed.WaitAsync(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<QmpClosedException>(() => _qmp.ExecuteAsync("query-status", null, default));
        lock (_events) Assert.Contains(_events, e => e.Name == "SHUTDOWN" && e.Text("reason") == "host-qmp-quit");
    }

    public async ValueTask DisposeAsync()
    {
        await _qmp.DisposeAsync();
        _processes.Dispose();
        await Until.TrueAsync(() => !_processes.Ends.IsEmpty, "ended");
        Directory.Delete(_folder, true);
    }
}
