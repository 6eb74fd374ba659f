// The API's record about what a search finds.
namespace WebManager.Contracts.Api;

/// <summary>GET /api/v1/search?text=&amp;limit=: what may be seen and has the text in its name, or an address or a MAC that fits. Kind: instance, node, group (of nodes), user-group, template, user. Href: its page in the portal.</summary>
public sealed record HitView(string Kind, string Name, string Detail, string Href);
