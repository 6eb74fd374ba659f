using WebManager.Contracts.Agent;

namespace WebManager.Web.Hosting;

/// <summary>What this portal was built from; agents that were built with it say the same.</summary>
public static class PortalVersion
{
    public static readonly string Own = ProgramVersion.Of(typeof(PortalVersion).Assembly);
}
