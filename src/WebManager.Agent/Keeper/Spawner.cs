using System.Collections;
using System.Runtime.InteropServices;
using System.Text;

namespace WebManager.Agent.Keeper;

#pragma warning disable CA1806 // the setters only fail for invalid arguments; posix_spawnp itself is checked
/// <summary>
/// Starts a program from an argument list in its own session, output appended to a file (null: it has ours), input from /dev/null, default signals.
/// Process.Start cannot do the first two. Whoever calls it is the parent *thread*: PDEATHSIG follows that thread.
/// </summary>
internal static unsafe class Spawner
{
    private const int WriteAppend = 0x1 | 0x40 | 0x400;   // O_WRONLY | O_CREAT | O_APPEND
    private const int Room = 1024;                        // more than any libc's sigset_t, posix_spawnattr_t, file actions

    /// <summary>The pid, or a negative errno.</summary>
    public static int Spawn(IReadOnlyList<string> arguments, string? outputFile, IReadOnlyDictionary<string, string>? environment = null)
    {
        byte* attributes = stackalloc byte[Room], actions = stackalloc byte[Room], signals = stackalloc byte[Room];
        Native.posix_spawnattr_init(attributes);
        Native.posix_spawn_file_actions_init(actions);
        var argv = Strings(arguments);
        var envp = Strings(Environment(environment));
        try
        {
            // .NET ignores SIGPIPE and masks others; a guest must not inherit that.
            Native.sigfillset(signals);
            Native.sigdelset(signals, Native.SigKill);
            Native.sigdelset(signals, 19);
            Native.posix_spawnattr_setsigdefault(attributes, signals);
            Native.sigemptyset(signals);
            Native.posix_spawnattr_setsigmask(attributes, signals);
            Native.posix_spawnattr_setflags(attributes, Native.SpawnSetSid | Native.SpawnSetSigDef | Native.SpawnSetSigMask);
            Native.posix_spawn_file_actions_addopen(actions, 0, "/dev/null", 0, 0);
            if (outputFile is not null)
            {
                Native.posix_spawn_file_actions_addopen(actions, 1, outputFile, WriteAppend, 0x180);
                Native.posix_spawn_file_actions_adddup2(actions, 1, 2);
            }

            int pid;
            var error = Native.posix_spawnp(&pid, arguments[0], actions, attributes, argv, envp);
            return error == 0 ? pid : -error;
        }
        finally
        {
            Free(argv);
            Free(envp);
            Native.posix_spawn_file_actions_destroy(actions);
            Native.posix_spawnattr_destroy(attributes);
        }
    }

    /// <summary>Our own without the runtime's settings, which are meant for this process only.</summary>
    private static List<string> Environment(IReadOnlyDictionary<string, string>? more)
    {
        var all = System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(e => !((string)e.Key).StartsWith("DOTNET_GC", StringComparison.Ordinal) && more?.ContainsKey((string)e.Key) != true)
            .Select(e => $"{e.Key}={e.Value}").ToList();
        if (more is not null) all.AddRange(more.Select(e => $"{e.Key}={e.Value}"));
        return all;
    }

    private static byte** Strings(IReadOnlyList<string> values)
    {
        var array = (byte**)NativeMemory.AllocZeroed((nuint)(values.Count + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < values.Count; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(values[i]);
            array[i] = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
            bytes.CopyTo(new Span<byte>(array[i], bytes.Length));
        }

        return array;
    }

    private static void Free(byte** array)
    {
        for (var i = 0; array[i] is not null; i++) NativeMemory.Free(array[i]);
        NativeMemory.Free(array);
    }
}
