// wm job: list, show, log, wait.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;

namespace WebManager.Cli.Commands;

internal static class JobCommands
{
    public static Command Job(Surroundings around) => new Command("job", "Changes in progress and done.").With(List(around), Show(around), Log(around), Wait(around));

    private static Command List(Surroundings around)
    {
        var limit = Parts.Int("--limit", "How many (50).", "N", 1, 1000);
        return new Command("list", "The newest jobs, newest first.").Does(around, run => run.ShowAsync($"jobs?limit={run.Get(limit) ?? 50}", CliJson.Default.JobViewArray, all =>
        {
            var table = new Output.Table("ID", "STATUS", "JOB", "BY", "RECEIVED", "ENDED", "ERROR");
            foreach (var j in all)
                table.Row($"{j.Id}", j.Status, j.Summary, j.By, Text.Time(j.ReceivedAt, run.Around.Clock), Text.Time(j.EndedAt, run.Around.Clock), j.Error);
            table.Write(run.Around, "There were no jobs yet.");
        }), limit);
    }

    private static Command Show(Surroundings around)
    {
        var id = Parts.JobId();
        return new Command("show", "One job.").Does(around, run => run.ShowAsync($"jobs/{run.Get(id)}", CliJson.Default.JobView, j =>
            new Details().Line("job", $"{j.Id}").Line("what", j.Summary).Line("status", j.Status).Line("step", j.Step).Line("by", j.By)
                .Line("reason", string.Join(" - ", j.Reason ?? [])).Line("received", Text.Time(j.ReceivedAt, run.Around.Clock))
                .Line("started", Text.Time(j.StartedAt, run.Around.Clock)).Line("ended", Text.Time(j.EndedAt, run.Around.Clock))
                .Line("error", j.Error).Line("remedy", j.Remedy).Line("code", j.ErrorCode).Recovery(j.Recovery, run.Around.Clock).Write(run.Around)), id);
    }

    private static Command Log(Surroundings around)
    {
        var id = Parts.JobId();
        return new Command("log", "What the job did so far.").Does(around, run => run.ShowAsync($"jobs/{run.Get(id)}/log", CliJson.Default.JobLogLineViewArray, lines =>
        {
            foreach (var line in lines) run.Say($"{Text.Time(line.At, run.Around.Clock)}  {line.Text}");
        }), id);
    }

    private static Command Wait(Surroundings around)
    {
        var id = Parts.JobId();
        return new Command("wait", "Wait until the job has ended, showing its log.").Does(around, run => JobFollower.FollowAsync(run, run.Get(id)), id);
    }
}
