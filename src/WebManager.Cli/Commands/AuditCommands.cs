// wm audit: who did what. verify also reads a data folder itself, for those who do not want to take the portal's word.
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;
using WebManager.Contracts.Audit;

namespace WebManager.Cli.Commands;

internal static class AuditCommands
{
    public static Command Audit(Surroundings around) => new Command("audit", "Who did what, when and why.").With(List(around), Export(around), Verify(around));

    private sealed record Filter(params Option<string?>[] Options)
    {
        public static Filter New() => new(
            Text("--user", "Only what this user did.", "NAME"), Time("--from", "Only from then on."), Time("--to", "Only before then."),
            Text("--face", "portal, api, cli, watcher or lab.", "FACE"), Text("--address", "Only from this address.", "IP"),
            Text("--operation", "What was done, or how that begins: instance, instance.start.", "OPERATION"), Text("--subject", "An object like instance:web1, or part of its name.", "OBJECT"),
            Text("--result", "success, error or refused.", "RESULT"), Text("--job", "Only of this job.", "ID"));

        public string Query(Invocation run) => string.Concat(Options.Select(o => run.Get(o) is { Length: > 0 } v ? $"&{o.Name.TrimStart('-')}={Parts.Path(v)}" : ""));

        private static Option<string?> Text(string name, string help, string unit) => new(name) { Description = help, HelpName = unit };

        private static Option<string?> Time(string name, string help)
        {
            var option = Text(name, help + " UTC, unless it says otherwise.", "TIME");
            option.CustomParser = r =>
            {
                if (DateTimeOffset.TryParse(r.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)) { return at.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture); }
                r.AddError($"{name}: \"{r.Tokens[0].Value}\" is no time; give it like 2026-03-04 or 2026-03-04T05:06.");
                return null;
            };
            return option;
        }
    }

    private static Command List(Surroundings around)
    {
        var filter = Filter.New();
        var limit = Parts.Int("--limit", "How many (50).", "N", 1, 1000);
        var before = new Option<long?>("--before") { Description = "Only entries before this serial: the next page.", HelpName = "SERIAL" };
        return new Command("list", "The newest entries, newest first.").Does(around, run =>
            run.ShowAsync($"audit?limit={run.Get(limit) ?? 50}{(run.Get(before) is { } b ? $"&before={b}" : "")}{filter.Query(run)}", CliJson.Default.AuditPage, page => Print(run, page)),
            [.. filter.Options, limit, before]);
    }

    private static void Print(Invocation run, AuditPage page)
    {
        var table = new Output.Table("SERIAL", "WHEN", "WHO", "FACE", "FROM", "WHAT", "ON", "RESULT", "JOB", "WHY");
        foreach (var a in page.Entries)
            table.Row($"{a.Serial}", Text.Time(a.At, run.Around.Clock), a.User, a.Face, a.Address, a.Operation, Short(a.Subject), a.Result, a.Job is { } job ? $"{job}" : "", Short(a.Reason));
        table.Write(run.Around, "No entry matches.");
        if (page.Next is { } next && run.Around.IsTerminal) { run.Say($"More: --before {next}"); }
    }

    private static string? Short(string? text) => text is { Length: > 60 } ? text[..59] + "…" : text;

    private static Command Export(Surroundings around)
    {
        var filter = Filter.New();
        var format = Parts.OneOf("--format", "csv (what is taken when nothing is said) or json.", "csv", "json");
        var file = new Argument<FileInfo?>("FILE") { Description = "Where to put it; it must not be there yet. Nothing: standard output.", DefaultValueFactory = _ => null };
        return new Command("export", "All entries that match, oldest first.").Does(around, async run =>
        {
            var path = $"audit/export?format={run.Get(format) ?? "csv"}{filter.Query(run)}";
            if (run.Get(file) is { } to)
            {
                await using var stream = new FileStream(to.FullName, FileMode.CreateNew, FileAccess.Write);
                await run.Portal.DownloadAsync(path, stream, run.Ct);
                return;
            }
            await using var text = new TextStream(run.Around.Out);
            await run.Portal.DownloadAsync(path, text, run.Ct);
        }, [file, format, .. filter.Options]);
    }

    private static Command Verify(Surroundings around)
    {
        var data = new Option<DirectoryInfo?>("--data") { Description = "Read this data folder's database instead of asking the portal. It is not changed; the portal may run.", HelpName = "DIR" };
        var noted = new Option<string?>("--noted") { Description = "What an earlier verify printed: that entry must still be there as it was.", HelpName = "SERIAL:HASH" };
        return new Command("verify", "Whether no entry was changed or removed.").Does(around, async run =>
        {
            AuditMark? mark = null;
            if (run.Get(noted) is { } text) mark = AuditMark.TryParse(text, out var given) ? given : throw new WmException(ExitCode.Usage, "--noted: give a serial and a hash, like 120:3f0c….");
            var report = run.Get(data) is { } folder ? OfFolder(folder, mark) : (await run.Portal.GetAsync($"audit/verify{(mark is { } m ? $"?noted={m}" : "")}", CliJson.Default.AuditReport, run.Ct)).Value;
            if (run.Json) run.WriteJson(JsonSerializer.Serialize(report, CliJson.Default.AuditReport));
            if (!report.Ok) throw new WmException(ExitCode.Refused, $"The audit is broken at entry {report.BrokenAt}. {report.Problem}", remedy: $"{report.Count} entries before it are as they were written.");
            if (run.Json) return;
            run.Say($"OK: {report.Count} entries{(report.RemovedUpTo > 0 ? $", after {report.RemovedUpTo} that retention removed" : "")}. Newest, to be noted elsewhere:");
            run.Say($"{report.Newest}:{report.Hash}");
        }, data, noted);
    }

    private static AuditReport OfFolder(DirectoryInfo folder, AuditMark? noted)
    {
        var file = Path.Combine(folder.FullName, BackupManifest.Database);
        if (!File.Exists(file)) throw new WmException(ExitCode.Usage, $"--data: there is no {file}.");
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            connection.Open();
            return AuditVerifier.Verify(connection, noted);
        }
        catch (SqliteException ex)
        {
            throw new WmException(ExitCode.Refused, $"{file} cannot be read: {ex.Message}.", remedy: "A portal of this version must have opened it once.");
        }
    }

    /// <summary>UTF-8 that comes in pieces, as text.</summary>
    private sealed class TextStream(TextWriter to) : Stream
    {
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() => to.Flush();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            var text = new char[Encoding.UTF8.GetMaxCharCount(count)];
            to.Write(text, 0, _decoder.GetChars(buffer, offset, count, text, 0));
        }
    }
}
