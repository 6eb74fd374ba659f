// WEBMANAGER_CRASH_AT=operation:step ends the portal like a power cut at that step boundary, so that tests can show what recovery does.
using System.Diagnostics;
using WebManager.Engine.Ports;

namespace WebManager.Web.Hosting;

public sealed class CrashAtStep(string at) : IStepObserver
{
    public const string Key = "Portal:CrashAt";

    public void At(string operation, string step)
    {
        if (at != $"{operation}:{step}") { return; }
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}
