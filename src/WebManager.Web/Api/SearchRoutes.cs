// /api/v1/search: everything that may be seen, by a part of its name, an address or a MAC.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Web.Data;
using WebManager.Web.Identity;
using WebManager.Web.Search;

namespace WebManager.Web.Api;

internal static class SearchRoutes
{
    private const int Most = 100;

    public static void MapSearch(this RouteGroupBuilder api) => api.MapGet("/search", Search).Produces<IReadOnlyList<HitView>>().ProducesProblem(422).WithTags("search");

    private static IResult Search(HttpContext http, IClusterEngine engine, People people, string? text = null, int limit = 20)
    {
        if (text is null || text.Trim().Length is 0 or > Finder.Longest) { return Problems.From(new Refusal("search.text", "That is nothing to look for.", $"Give 1 to {Finder.Longest} characters of a name, an address or a MAC.") { Field = "text" }); }
        return TypedResults.Ok(Finder.Find(engine, engine.SightOf(Callers.From(http)), people, text, Math.Clamp(limit, 1, Most)).Select(h => new HitView(h.Kind, h.Name, h.Detail, h.Href)).ToList());
    }
}
