// wm instance modify, and a recovery's timeline as lines.
using System.CommandLine;
using System.Globalization;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class InstanceModify
{
    public static Command Modify(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The instance's name or id."), Parts.Reason(), Parts.NoWait());
        var auto = Parts.Switch("--auto-recover", "Whether it is started on its secondary by itself when its node is lost.");
        var priority = Parts.OneOf("--priority", "Who is started first when many are.", "low", "normal", "high");
        return new Command("modify", "Change how it is recovered.").Does(around, async run =>
        {
            var body = new ModifyInstanceRequest { AutoRecover = Parts.IsOn(run.Get(auto)), Priority = run.Get(priority), Reason = run.Get(reason) };
            var job = await run.Portal.PatchAsync($"instances/{Parts.Path(run.Get(name))}", body, CliJson.Default.ModifyInstanceRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, auto, priority, reason, noWait);
    }

    /// <summary>Times are since the last sign of the lost node's life.</summary>
    public static Details Recovery(this Details details, RecoveryView? r, TimeProvider clock) => r is null ? details : details
        .Line("recovery", $"{r.From} -> {r.To}, job {r.Job}, last sign of {r.From} {Text.Time(r.LastSignAt, clock)}")
        .Line("  detected", At(r.DetectedSeconds)).Line("  promoted", At(r.PromotedSeconds))
        .Line("  fenced", r.FencedSeconds is { } fenced ? $"{At(fenced)}  {r.FencedBy}" : null)
        .Line("  started", At(r.StartedSeconds)).Line("  first sign", At(r.FirstSignSeconds))
        .Line("  slack", r.SlackSeconds is { } slack ? $"{At(slack)} more than the {At(r.RequiredSeconds)} required" : null);

    private static string? At(double? seconds) => seconds?.ToString("0.00 's'", CultureInfo.InvariantCulture);
}
