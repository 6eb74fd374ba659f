using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace WebManager.Web.Tests.Fuzz;

/// <summary>Makes the n-th request of a seed: the same each time. Mostly what the route wants, with something wrong somewhere.</summary>
internal sealed class FuzzMaker(Random random, FuzzRoutes routes)
{
    public static readonly string[] Hostile =
    [
        "", " ", "\0", "a\0b", "..", "../../etc/passwd", "%2e%2e%2f", "..\\..\\", "/", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' OR 1=1 --", "\u202Egpj.exe", "\u200B",
        new('x', 10_000), new('9', 400), "\ud800", "💥", "null", "-1", "0", "9223372036854775808", "1e400", "NaN", "true", "{}", "[]", "\r\nX-Injected: 1", "{0}", "%s%n", "${jndi:ldap://x}", "web1 ", "WEB1", "web1.", ".", "-",
        "2026-13-45", "9999-12-31T23:59:59.9999999+14:00", "0001-01-01T00:00:00-14:00", "00000000-0000-0000-0000-000000000000", "node:n1", "a b c", "\t", "ａ", "ß", "İ",
    ];

    private static readonly string[] s_known = ["web1", "web2", "n1", "n2", "default", "ada", "eve", "root", "1", "2", "tiny-linux", "file", "mirror", "low", "csv", "json", "htools:nlocation:rack", "rack:a", "instance:web1", "template:small", "small"];
    private static readonly string[] s_methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"];
    private static readonly string[] s_types = ["application/json", "application/json; charset=utf-16", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/problem+json", "", "garbage"];

    public HttpRequestMessage Make(Uri address, FuzzRoute route)
    {
        var method = Chance(4) ? Pick(s_methods) : route.Method;
        var path = string.Join('/', route.Template.Split('/').Select(p => p.StartsWith('{') ? Part(p) : p)) + Query(route);
        if (Chance(3)) { path = Garble(path); }
        var uri = new Uri(address.ToString().TrimEnd('/') + "/" + path.TrimStart('/'), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(new HttpMethod(method), uri);
        if (route.Body is not null ? !Chance(5) : Chance(10)) { request.Content = Body(route); }
        Headers(request);
        return request;
    }

    private string Part(string parameter)
    {
        if (Chance(55)) { return parameter.Contains("id:long", StringComparison.Ordinal) ? random.Next(0, 40).ToString(CultureInfo.InvariantCulture) : Pick(s_known); }
        var text = Uri.EscapeDataString(Sound(Text()));
        return text.Length == 0 ? "%20" : Chance(10) ? text + Pick(["%00", "%ff%fe", "%2f..%2f", "%c0%ae", "%zz", "%"]) : text;
    }

    private string Query(FuzzRoute route)
    {
        var parts = route.Query.Where(_ => Chance(60)).Select(name => $"{name}={(name == "seconds" ? Pick(["0", "-5", "x", ""]) : Uri.EscapeDataString(Sound(Chance(40) ? Number() : Text())))}").ToList();
        if (Chance(8)) { parts.Add($"{Uri.EscapeDataString(Sound(Text()))}={Uri.EscapeDataString(Sound(Text()))}"); }
        if (Chance(4) && parts.Count > 0) { parts.Add(parts[0]); }
        return parts.Count == 0 ? "" : "?" + string.Join('&', parts);
    }

    private ByteArrayContent Body(FuzzRoute route)
    {
        var text = Chance(6) ? Pick(["", "null", "[]", "0", "\"x\"", "{", new string('[', 5000), "{\"a\":" + new string('{', 2000), new string(' ', 70_000), "\ufeff{}"]) : Value(route.Body, 0)?.ToJsonString() ?? "{}";
        var bytes = Encoding.UTF8.GetBytes(text);
        if (Chance(12) && bytes.Length > 0)
        {
            for (var i = random.Next(1, 4); i > 0; i--) { bytes[random.Next(bytes.Length)] = (byte)random.Next(256); }
            if (Chance(30)) { bytes = bytes[..random.Next(bytes.Length)]; }
        }
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", Chance(8) ? Pick(s_types) : "application/json");
        if (Chance(3)) { content.Headers.TryAddWithoutValidation("Content-Encoding", Pick(["gzip", "br", "x"])); }
        return content;
    }

    private JsonNode? Value(JsonNode? schema, int depth)
    {
        schema = routes.Schema(schema);
        if (Chance(4)) { return Odd(); }
        var types = schema?["type"] switch { JsonArray many => many.Select(t => (string?)t).ToList(), JsonValue one => [(string?)one], _ => [] };
        if (types.Contains("null") && Chance(20)) { return null; }
        if (types.Contains("array")) { return new JsonArray([.. Enumerable.Range(0, Chance(3) ? 300 : random.Next(0, 4)).Select(_ => Chance(3) ? null : Value(schema!["items"], depth + 1))]); }
        if (types.Contains("boolean")) { return Chance(50); }
        if (types.Contains("integer") || types.Contains("number")) { return Chance(70) ? random.Next(0, 2000) : Raw(Number()); }
        if (types.Contains("string")) { return Chance(45) ? Pick(s_known) : Sound(Text()); }
        if (schema?["properties"] is not JsonObject properties || depth > 5) { return types.Contains("object") ? new JsonObject { [Sound(Text())] = Sound(Text()) } : Odd(); }
        var made = new JsonObject();
        foreach (var (name, of) in properties)
        {
            if (Chance(12)) { continue; }
            made[name] = Value(of, depth + 1);
        }
        if (Chance(6)) { made[Sound(Text()) + "x"] = Odd(); }
        return made;
    }

    private JsonNode? Odd() => random.Next(7) switch { 0 => null, 1 => random.NextInt64(), 2 => Sound(Text()), 3 => Chance(50), 4 => new JsonArray(1, "x"), 5 => new JsonObject(), _ => Raw(Number()) };

    private static JsonNode? Raw(string number)
    {
        try { return JsonNode.Parse(number); }
        catch (JsonException) { return number; }
    }

    private void Headers(HttpRequestMessage request)
    {
        (string Name, string Value)[] odd =
        [
            ("Accept", "text/html"), ("Accept", "*/*;q=x"), ("Origin", "http://evil.example"), ("X-Forwarded-For", "1.2.3.4, <script>"), ("X-HTTP-Method-Override", "DELETE"), ("Cookie", "webmanager=x; .AspNetCore.Antiforgery=y"),
            ("User-Agent", "wm/1.0"), ("User-Agent", new string('u', 3000)), ("If-None-Match", "*"), ("Range", "bytes=0-1,-5"), ("Accept-Encoding", "br, gzip;q=9"), ("Upgrade", "websocket"), ("Referer", "javascript:1"), ("X-Request-Id", "a\tb"),
        ];
        while (Chance(15))
        {
            var (name, value) = Pick(odd);
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private string Number() => Pick(["0", "-1", "1", "100", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "1.5", "1e3", "1e999", "-0", "0x10", "٣"]);

    private string Text() => Chance(35) ? Pick(s_known) : Chance(85) ? Pick(Hostile) : new string([.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => (char)random.Next(0x20, 0x3000))]);

    private string Garble(string path)
    {
        var at = random.Next(1, path.Length + 1);
        return path[..at] + Pick(["%00", "//", "/../", "\\", "%2e%2e/", ";x", "%25", "?", "&&", "%ff"]) + path[at..];
    }

    // Half characters cannot be sent in UTF-8.
    private static string Sound(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private bool Chance(int percent) => random.Next(100) < percent;
    private T Pick<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];

    public static void Sign(HttpRequestMessage request, string? token)
    {
        if (token is not null) { request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token); }
    }
}
