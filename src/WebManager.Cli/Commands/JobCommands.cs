// wm job: list, show, log, wait, watch; cancel, change-priority, archive, autoarchive.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class JobCommands
{
    public static Command Job(Surroundings around) => new Command("job", "Changes in progress and done.").With(List(around), Show(around), Log(around), Wait(around), Watch(around),
        Order(around, "cancel", "Cancel it: at once while it waits, between its steps while it runs, where that is possible."),
        Order(around, "archive", "Take an ended job out of the list of recent ones."), Priority(around), AutoArchive(around));

    private static Command List(Surroundings around)
    {
        var limit = Parts.Int("--limit", "How many (50).", "N", 1, 1000);
        var archived = new Option<bool>("--archived") { Description = "Also those that are archived." };
        var (text, status, subject, user) = (Word("--text", "Words that it was, why, or its error."), Word("--status", "States, with commas between."), Word("--subject", "What it was about: instance:web1."), Word("--user", "Who filed it."));
        var (from, to, before) = (Word("--from", "Filed from this time on (2026-01-31T12:00:00Z)."), Word("--to", "Filed before this time."), Word("--before", "Only jobs with lower numbers: the next page."));
        return new Command("list", "The newest jobs, newest first.").Does(around, run =>
        {
            var asked = new[] { text, status, subject, user, from, to, before }.Where(o => run.Get(o) is not null).Select(o => $"&{o.Name.TrimStart('-')}={Parts.Path(run.Get(o)!)}");
            return run.ShowAsync($"jobs?limit={run.Get(limit) ?? 50}{(run.Get(archived) ? "&archived=true" : "")}{string.Concat(asked)}", CliJson.Default.JobViewArray, all =>
            {
                var table = new Output.Table("ID", "STATUS", "JOB", "BY", "RECEIVED", "ENDED", "ERROR");
                foreach (var j in all)
                    table.Row($"{j.Id}", j.Status, j.Summary, j.By, Text.Time(j.ReceivedAt, run.Around.Clock), Text.Time(j.EndedAt, run.Around.Clock), j.Error);
                table.Write(run.Around, "There are no such jobs.");
            });
        }, limit, archived, text, status, subject, user, from, to, before);
    }

    private static Option<string?> Word(string name, string help) => new(name) { Description = help, HelpName = name.TrimStart('-').ToUpperInvariant() };

    private static Command Show(Surroundings around)
    {
        var id = Parts.JobId();
        return new Command("show", "One job.").Does(around, run => run.ShowAsync($"jobs/{run.Get(id)}", CliJson.Default.JobView, j =>
            new Details().Line("job", $"{j.Id}").Line("what", j.Summary).Line("status", j.Status).Line("step", j.Step).Line("done", Percent(j)).Line("by", j.By)
                .Line("reason", string.Join(" - ", j.Reason ?? [])).Line("priority", j.Priority).Line("depends on", j.Depends is { Count: > 0 } d ? string.Join(", ", d.Select(One)) : null)
                .Line("received", Text.Time(j.ReceivedAt, run.Around.Clock))
                .Line("started", Text.Time(j.StartedAt, run.Around.Clock)).Line("ended", Text.Time(j.EndedAt, run.Around.Clock)).Line("cancelled by", j.CanceledBy)
                .Line("archived", Text.Time(j.ArchivedAt, run.Around.Clock))
                .Line("error", j.Error).Line("remedy", j.Remedy).Line("code", j.ErrorCode).Recovery(j.Recovery, run.Around.Clock).Write(run.Around)), id);
    }

    private static string One(JobDependencyView d) => d.Statuses.Count == 0 ? $"{d.Job}" : $"{d.Job} ({string.Join(" or ", d.Statuses)})";

    private static string? Percent(JobView j) => j.Percent is { } p ? $"{p:0} % {j.PercentOf}" : null;

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

    /// <summary>Each answer comes when there is something new.</summary>
    private static Command Watch(Surroundings around)
    {
        var id = Parts.JobId();
        return new Command("watch", "Show what the job becomes and does, as it happens, until it has ended.").Does(around, async run =>
        {
            var (status, serial, said) = ("queued", 0, "");
            while (true)
            {
                var answer = await run.Portal.GetAsync($"jobs/{run.Get(id)}/wait?status={status}&log={serial}&seconds={(said.Length == 0 ? 0 : 10)}", CliJson.Default.JobView, run.Ct);
                var job = answer.Value;
                foreach (var line in job.Log ?? []) { run.Say($"  {line.Text}"); serial = Math.Max(serial, line.Serial); }
                var now = string.Join(", ", new[] { job.Status, Percent(job) }.OfType<string>());
                if (now != said) run.Say($"{Text.Time(run.Around.Clock.GetUtcNow(), run.Around.Clock)}  {job.Summary}: {now}");
                (said, status) = (now, job.Status);
                if (status is "success" or "error" or "canceled") return;
            }
        }, id);
    }

    private static Command Order(Surroundings around, string name, string help)
    {
        var (id, reason) = (Parts.JobId(), Parts.Reason());
        return new Command(name, help).Does(around, async run =>
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"jobs/{run.Get(id)}/{name}", new ReasonRequest { Reason = run.Get(reason) }, CliJson.Default.ReasonRequest, CliJson.Default.JobAccepted, run.Ct), noWait: false), id, reason);
    }

    private static Command Priority(Surroundings around)
    {
        var (id, priority, reason) = (Parts.JobId(), Parts.Choice("PRIORITY", "Who begins first (high is for administrators).", "high", "normal", "low"), Parts.Reason());
        return new Command("change-priority", "Move a job that waits forward or back.").Does(around, async run =>
        {
            var body = new JobPriorityRequest(run.Get(priority)) { Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"jobs/{run.Get(id)}/priority", body, CliJson.Default.JobPriorityRequest, CliJson.Default.JobAccepted, run.Ct), noWait: false);
        }, id, priority, reason);
    }

    private static Command AutoArchive(Surroundings around)
    {
        var age = new Argument<string>("AGE") { Description = "How long ago they ended: seconds, or with s, m, h, d; \"all\"." };
        age.Validators.Add(r => { if (Seconds(r.Tokens[0].Value) is null) r.AddError("AGE: give a number of seconds, or one with s, m, h or d (6h), or all."); });
        var reason = Parts.Reason();
        return new Command("autoarchive", "Take all jobs that ended so long ago out of the list of recent ones.").Does(around, async run =>
        {
            var body = new ArchiveJobsRequest(Seconds(run.Get(age)) ?? 0) { Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync("jobs/archive", body, CliJson.Default.ArchiveJobsRequest, CliJson.Default.JobAccepted, run.Ct), noWait: false);
        }, age, reason);
    }

    private static int? Seconds(string text)
    {
        if (text == "all") return 0;
        var unit = "smhd".IndexOf(text.Length == 0 ? '?' : text[^1]);
        var number = unit < 0 ? text : text[..^1];
        int[] sizes = [1, 60, 3600, 86400];
        return int.TryParse(number, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var n) && n <= int.MaxValue / 86400 ? n * (unit < 0 ? 1 : sizes[unit]) : null;
    }
}
