namespace WebManager.Web.Components.Shared;

/// <summary>What a search finds, in words and pictures.</summary>
internal static class HitTexts
{
    public static string Word(string kind) => kind switch { "group" => "node group", "user-group" => "group", "template" => "instance template", _ => kind };

    public static string Icon(string kind) => kind switch { "instance" => "instances", "node" => "nodes", "group" => "nodes", "user-group" => "people", "template" => "copy", _ => "user" };
}
