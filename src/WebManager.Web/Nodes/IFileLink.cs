using WebManager.Contracts;

namespace WebManager.Web.Nodes;

/// <summary>A link that can also carry files, for images.</summary>
internal interface IFileLink
{
    Task<Outcome<Done>> PutFileAsync(string path, string file, TimeSpan limit, CancellationToken ct);
}
