// A migration that an earlier run of the agent left: it does not know what that run has answered.
using WebManager.Agent.Hypervisor.Qmp;

namespace WebManager.Agent.Hypervisor.Migration;

public sealed class MigrationRecall(QmpClient qmp, TimeProvider clock)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(6);
    private readonly MigrationQmp _migration = new(qmp);

    /// <summary>
    /// Ends what is under way: the guest goes on here. False: everything was sent, so the target may be told to go on at any time, and this one
    /// must never again.
    /// </summary>
    public async Task<bool> EndAsync(CancellationToken ct)
    {
        var since = clock.GetTimestamp();
        var cancelled = false;
        while (true)
        {
            var (state, status) = (await _migration.RunStateAsync(ct), (await _migration.QueryAsync(ct)).Status);
            if (state == "postmigrate" && status == "completed") return false;
            if (status is not ("setup" or "active" or "pre-switchover" or "device" or "cancelling" or "wait-unplug") && state != "finish-migrate")
            {
                // It stood still before it was sent, so QEMU did not continue it when that was cancelled.
                if (state == "postmigrate" || (cancelled && state == "paused")) await qmp.ExecuteAsync("cont", null, ct);
                return true;
            }

            if (clock.GetElapsedTime(since) > Limit) throw new TimeoutException($"The migration stays {status}.");
            // What is just being sent to its end either gets there or fails by itself.
            if (status is not ("device" or "cancelling") || clock.GetElapsedTime(since) > Limit / 2)
            {
                cancelled = true;
                await _migration.CancelAsync(ct);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, ct);
        }
    }
}
