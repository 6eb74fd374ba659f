namespace WebManager.Agent.Keeper;

/// <summary>
/// What a killed keeper's guests are to its successor: dead, or about to be (PDEATHSIG). Nothing is served before they are gone,
/// because "ended" must mean that no write can follow (H17).
/// </summary>
internal static class Leftovers
{
    public static async Task<int> EndAsync(KeeperFolder folder, GuestTable table, TimeProvider clock)
    {
        var notes = folder.Live();
        var boot = ProcFacts.BootId();
        foreach (var note in notes)
        {
            while (note.Boot == boot && IsAlive(note))
            {
                _ = Native.kill(note.Pid, Native.SigKill);
                await Task.Delay(TimeSpan.FromMilliseconds(10), clock);
            }

            table.NoteLost(note);
        }

        return notes.Count;
    }

    private static bool IsAlive(LiveNote note) => ProcFacts.StartTime(note.Pid) is { } started && started == note.StartTime;
}
