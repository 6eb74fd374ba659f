// wm backup and wm restore: the portal's database and secrets as one file, and back.
using System.CommandLine;

namespace WebManager.Cli.Commands;

internal static class BackupCommands
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static Command Backup(Surroundings around)
    {
        var file = new Argument<FileInfo>("FILE") { Description = "Where to put it; it must not be there yet. It holds the cluster's keys." };
        return new Command("backup", "Copy the portal's database and keys into one file, while it runs.").Does(around, async run =>
        {
            var to = run.Get(file);
            if (to.Exists) throw new WmException(ExitCode.Refused, $"{to} is there already.", remedy: "Choose another name, or remove it.");
            var part = to.FullName + ".part";
            File.Delete(part);
            try
            {
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
                if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
                await using (var stream = new FileStream(part, options))
                {
                    await run.Portal.DownloadAsync("backup", stream, run.Ct);
                    stream.Flush(flushToDisk: true);
                }
                File.Move(part, to.FullName);
            }
            finally
            {
                File.Delete(part);
            }
            to.Refresh();
            run.Say($"{to}: {to.Length} bytes. Keep it like a key.");
        }, file);
    }

    public static Command Restore(Surroundings around)
    {
        var file = new Argument<FileInfo>("FILE") { Description = "What wm backup made." };
        var data = new Option<DirectoryInfo?>("--data") { Description = "The portal's data folder (WEBMANAGER_DATA).", HelpName = "DIR" };
        var yes = Parts.Yes();
        return new Command("restore", "Put a backup into the data folder of a portal that is stopped.").Does(around, async run =>
        {
            var (from, folder) = (run.Get(file), run.Get(data)?.FullName ?? run.Around.Variable("WEBMANAGER_DATA"));
            if (!from.Exists) throw new WmException(ExitCode.Usage, $"FILE: there is no file {from}.");
            if (string.IsNullOrEmpty(folder)) throw new WmException(ExitCode.Usage, "Which data folder?", remedy: "Give --data DIR, or set WEBMANAGER_DATA.");
            using var restore = RestoreFile.Begin(folder);
            var manifest = await restore.UnpackAsync(from.FullName, run.Ct);
            run.Confirm($"Put cluster {manifest.Cluster} as of {manifest.MadeAt:yyyy-MM-dd HH:mm:ss} UTC into {folder}? What is there now is kept beside it.", run.Get(yes));
            var aside = restore.Swap(run.Around.Clock.GetUtcNow());
            run.Say($"{folder} has cluster {manifest.Cluster} as of {manifest.MadeAt:yyyy-MM-dd HH:mm:ss} UTC.{(aside is null ? "" : $" What was there is in {aside}.")}");
            run.Say("Start the portal now. It decides nothing for a mirrored instance until both of its nodes have answered, or you confirm with wm instance confirm that one is off.");
        }, file, data, yes);
    }
}
