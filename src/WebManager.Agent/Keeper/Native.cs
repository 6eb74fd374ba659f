using System.Runtime.InteropServices;

namespace WebManager.Agent.Keeper;

/// <summary>The few libc calls for which .NET has no API: spawn into a file and an own session, reaping, the BOOTTIME clock and its timer.</summary>
internal static unsafe partial class Native
{
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;
    public const int ClockBootTime = 7;
    public const int WaitAll = 0;
    public const int WaitPid = 1;
    public const int WaitNoHang = 1;
    public const int WaitStopped = 2;
    public const int WaitExited = 4;
    public const int WaitNoReap = 0x01000000;
    public const short SpawnSetSigMask = 0x08;
    public const short SpawnSetSigDef = 0x04;
    public const short SpawnSetSid = 0x80;
    public const int LockCurrent = 1;
    public const int LockFuture = 2;
    public const int LockOnFault = 4;

    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;

        public static TimeSpec From(TimeSpan t) => new() { Seconds = (nint)(t.Ticks / TimeSpan.TicksPerSecond), Nanoseconds = (nint)(t.Ticks % TimeSpan.TicksPerSecond * 100) };

        public readonly TimeSpan ToTimeSpan() => new((Seconds * TimeSpan.TicksPerSecond) + (Nanoseconds / 100));
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct TimerSpec
    {
        public TimeSpec Interval;
        public TimeSpec Value;
    }

    /// <summary>sigevent, 64 bytes; only the signal form is used.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    public struct SignalEvent
    {
        public nint Value;
        public int Signal;
        public int Notify;
    }

    /// <summary>siginfo_t as waitid fills it on 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    public struct ChildInfo
    {
        [FieldOffset(8)] public int Code;
        [FieldOffset(16)] public int Pid;
        [FieldOffset(24)] public int Status;
    }

    [LibraryImport("libc", SetLastError = true)] public static partial int kill(int pid, int signal);
    [LibraryImport("libc", SetLastError = true)] public static partial int waitid(int type, uint id, ChildInfo* info, int options);
    [LibraryImport("libc")] public static partial int clock_gettime(int clock, TimeSpec* time);
    [LibraryImport("libc", SetLastError = true)] public static partial int timer_create(int clock, SignalEvent* signal, nint* timer);
    [LibraryImport("libc", SetLastError = true)] public static partial int timer_settime(nint timer, int flags, TimerSpec* value, TimerSpec* old);
    [LibraryImport("libc", SetLastError = true)] public static partial int mlockall(int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int posix_spawnp(int* pid, string file, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")] public static partial int posix_spawnattr_init(void* attributes);
    [LibraryImport("libc")] public static partial int posix_spawnattr_destroy(void* attributes);
    [LibraryImport("libc")] public static partial int posix_spawnattr_setflags(void* attributes, short flags);
    [LibraryImport("libc")] public static partial int posix_spawnattr_setsigdefault(void* attributes, void* set);
    [LibraryImport("libc")] public static partial int posix_spawnattr_setsigmask(void* attributes, void* set);
    [LibraryImport("libc")] public static partial int posix_spawn_file_actions_init(void* actions);
    [LibraryImport("libc")] public static partial int posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int posix_spawn_file_actions_addopen(void* actions, int fd, string path, int flags, uint mode);

    [LibraryImport("libc")] public static partial int posix_spawn_file_actions_adddup2(void* actions, int fd, int newFd);
    [LibraryImport("libc")] public static partial int sigemptyset(void* set);
    [LibraryImport("libc")] public static partial int sigfillset(void* set);
    [LibraryImport("libc")] public static partial int sigdelset(void* set, int signal);
}
