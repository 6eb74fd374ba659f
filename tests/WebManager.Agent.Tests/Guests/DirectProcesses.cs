using System.Collections.Concurrent;
using System.Diagnostics;
using WebManager.Agent.Keeper;
using WebManager.Contracts;

namespace WebManager.Agent.Tests.Guests;

/// <summary>A keeper for tests: parent of the processes, no leases. Kills all it started when it is disposed.</summary>
public sealed class DirectProcesses : IGuestProcesses, IDisposable
{
    private readonly ConcurrentDictionary<string, Process> _live = [];

    public event Action<ProcessEnd>? Ended;

    public ConcurrentQueue<ProcessEnd> Ends { get; } = [];
    public ConcurrentQueue<SpawnRequest> Spawned { get; } = [];

    public int PidOf(string id) => _live[id].Id;

    public bool Runs(string id) => _live.ContainsKey(id);

    public Task<Outcome<int>> SpawnAsync(SpawnRequest request, CancellationToken ct)
    {
        Spawned.Enqueue(request);
        string[] command = request.NetworkNamespace is { } net ? ["ip", "netns", "exec", net, .. request.Arguments] : [.. request.Arguments];
        var info = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        var process = new Process { StartInfo = info, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, e) => Log(request.OutputFile, e.Data);
        process.ErrorDataReceived += (_, e) => Log(request.OutputFile, e.Data);
        process.Exited += (_, _) => End(request, process);
        if (!_live.TryAdd(request.Id, process)) return Task.FromResult<Outcome<int>>(new Refusal("process.exists", request.Id));
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return Task.FromResult<Outcome<int>>(process.Id);
    }

    private static void Log(string file, string? line)
    {
        if (line is null) return;
        try { lock (typeof(DirectProcesses)) File.AppendAllText(file, line + "\n"); }
        catch (IOException) { }
    }

    public Task<Outcome<int>> BecomeAsync(string id, string guestId, GenerationRecord record, CancellationToken ct)
    {
        if (!_live.TryGetValue(id, out var process) || !_live.TryAdd(guestId, process)) return Task.FromResult<Outcome<int>>(new Refusal("process.gone", id));
        _live.TryRemove(id, out _);
        return Task.FromResult<Outcome<int>>(process.Id);
    }

    private void End(SpawnRequest request, Process process)
    {
        var id = _live.FirstOrDefault(l => l.Value == process).Key ?? request.Id;
        _live.TryRemove(id, out _);
        var code = process.ExitCode;
        var end = new ProcessEnd(id, process.Id, request.Record?.Number ?? 0, code > 128 ? null : code, code > 128 ? code - 128 : null, false, DateTimeOffset.UtcNow);
        Ends.Enqueue(end);
        Ended?.Invoke(end);
    }

    public async Task<Outcome<Done>> KillAsync(string id, CancellationToken ct)
    {
        if (_live.TryGetValue(id, out var process))
        {
            process.Kill();
            await process.WaitForExitAsync(ct);
            await Until.TrueAsync(() => !_live.ContainsKey(id), $"{id} is reaped");
        }
        return Done.Value;
    }

    public void Dispose()
    {
        foreach (var process in _live.Values)
        {
            try { process.Kill(); }
            catch (InvalidOperationException) { }
        }
    }
}
