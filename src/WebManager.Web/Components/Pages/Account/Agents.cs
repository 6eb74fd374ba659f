// What a browser calls itself, in words.
namespace WebManager.Web.Components.Pages.Account;

public static class Agents
{
    private static readonly (string Mark, string Name)[] s_browsers =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("HeadlessChrome/", "Chromium"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"), ("wm/", "wm")];
    private static readonly (string Mark, string Name)[] s_systems =
        [("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")];

    public static string Name(string agent)
    {
        var (browser, system) = (Of(agent, s_browsers), Of(agent, s_systems));
        return (browser, system) switch
        {
            (null, null) => agent.Length == 0 ? "Unknown program" : agent[..Math.Min(agent.Length, 60)],
            (null, _) => $"A program on {system}",
            (_, null) => browser,
            _ => $"{browser} on {system}",
        };
    }

    private static string? Of(string agent, (string Mark, string Name)[] known) => known.FirstOrDefault(k => agent.Contains(k.Mark, StringComparison.Ordinal)).Name;
}
