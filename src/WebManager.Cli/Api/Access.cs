// Which portal, and with which token: options before environment before the stored login before the portal's own host.
using System.Text.Json;

namespace WebManager.Cli.Api;

public sealed record Access(Uri Portal, string? Token)
{
    public static Access Find(Surroundings around, string? urlOption)
    {
        var stored = ReadLogin(around);
        var portal = ParseUrl(urlOption, "--url") ?? ParseUrl(around.Variable("WEBMANAGER_URL"), "WEBMANAGER_URL")
            ?? ParseUrl(stored?.Url, LoginFile(around)) ?? ParseUrl($"http://localhost:{Port(around)}", "WEBMANAGER_PORT")!;
        var token = NotEmpty(around.Variable("WEBMANAGER_TOKEN"))
            // A token goes to the portal it was made by, never elsewhere.
            ?? (stored is not null && ParseUrl(stored.Url, LoginFile(around)) == portal ? stored.Token : null)
            ?? (portal.IsLoopback ? LocalToken(around) : null);
        return new Access(portal, token);
    }

    public static string LoginFile(Surroundings around) => Path.Combine(around.ConfigFolder, "token.json");

    public static void Store(Surroundings around, StoredLogin login)
    {
        Directory.CreateDirectory(around.ConfigFolder);
        var file = LoginFile(around);
        File.Delete(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new FileStream(file, options);
        JsonSerializer.Serialize(stream, login, CliJson.Default.StoredLogin);
    }

    public static StoredLogin? ReadLogin(Surroundings around)
    {
        var file = LoginFile(around);
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize(File.ReadAllText(file), CliJson.Default.StoredLogin) : null;
        }
        catch (Exception e) when (e is JsonException or UnauthorizedAccessException or IOException)
        {
            throw new WmException(ExitCode.Usage, $"{file} cannot be read: {e.Message}", remedy: "Sign in again: wm logout, then wm login.");
        }
    }

    private static string Port(Surroundings around) => NotEmpty(around.Variable("WEBMANAGER_PORT")) ?? "5000";

    private static string? LocalToken(Surroundings around)
    {
        var file = Path.Combine(NotEmpty(around.Variable("WEBMANAGER_DATA")) ?? "data", "local-token");
        try
        {
            return File.Exists(file) ? NotEmpty(File.ReadAllText(file).Trim()) : null;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return null; // Another user's portal: the answer 401 says what to do.
        }
    }

    private static Uri? ParseUrl(string? text, string source)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        var withSlash = text.EndsWith('/') ? text : text + "/";
        if (Uri.TryCreate(withSlash, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") return url;
        throw new WmException(ExitCode.Usage, $"{source}: \"{text}\" is not an address of a portal.", remedy: "Give one like http://host:5000.");
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
