// Section Rapi: where Ganeti's remote API is served.
using System.ComponentModel.DataAnnotations;

namespace WebManager.Web.Rapi;

public sealed class RapiOptions
{
    public bool Enabled { get; set; } = true;

    /// <summary>HTTPS; 0: any free one. WEBMANAGER_RAPI_PORT overrides it.</summary>
    [Range(0, 65535)] public int Port { get; set; } = 5080;

    /// <summary>Addresses to listen on, separated by semicolons; empty: this machine only. * means all.</summary>
    public string Addresses { get; set; } = "";

    /// <summary>Names and addresses besides localhost that the certificate is for, separated by semicolons.</summary>
    public string Names { get; set; } = "";
}
