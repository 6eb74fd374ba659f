// The limits that the acceptance lines state. WEBMANAGER_E2E_SLOWNESS=3 trebles them, for a machine that others use at the same time.
using System.Globalization;

namespace WebManager.E2E.Tests.Harness;

internal static class Limits
{
    private static readonly double s_slowness = double.Parse(Environment.GetEnvironmentVariable("WEBMANAGER_E2E_SLOWNESS") ?? "1", CultureInfo.InvariantCulture);

    public static TimeSpan SubmitToRunning => Seconds(10);
    public static TimeSpan KillToInit => Seconds(8);
    public static TimeSpan Standstill => Seconds(1);
    public static TimeSpan LossThatTells => Seconds(1);
    public static TimeSpan SilentLoss => Seconds(4);

    /// <summary>Of most moves; without KVM a move on a machine that does something else at that moment may take twice as long.</summary>
    public static TimeSpan MigrationGap => Seconds(0.5);

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds * s_slowness);
}
