// The portal's own settings, section Portal; docs/portal-backend.md lists them.
using System.ComponentModel.DataAnnotations;

namespace WebManager.Web.Hosting;

public sealed class PortalOptions
{
    /// <summary>Folder for the database, keys, CA and tokens. WEBMANAGER_DATA overrides it.</summary>
    [Required] public string Data { get; set; } = "data";

    /// <summary>Port on localhost; 0: any free one. WEBMANAGER_PORT overrides it.</summary>
    [Range(0, 65535)] public int Port { get; set; } = 5000;

    /// <summary>More addresses to listen on, separated by semicolons, like http://10.77.1.1:5000 for the lab's nodes. Empty: localhost only.</summary>
    public string Urls { get; set; } = "";

    /// <summary>How people and nodes reach the portal, for links and commands it prints. Empty: http://localhost:PORT.</summary>
    public string PublicUrl { get; set; } = "";

    /// <summary>Origins besides the portal's own that browsers may use it from (a reverse proxy's), separated by semicolons.</summary>
    public string Origins { get; set; } = "";

    /// <summary>Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or networks, separated by semicolons. Empty: none.</summary>
    public string Proxies { get; set; } = "";

    /// <summary>/healthz wants at least so many nodes online.</summary>
    [Range(0, 100000)] public int ExpectedNodes { get; set; }

    /// <summary>Whether people may make an account for themselves.</summary>
    public bool Registration { get; set; }

    public string Address => PublicUrl.Length > 0 ? PublicUrl.TrimEnd('/') : $"http://localhost:{Port}";
}
