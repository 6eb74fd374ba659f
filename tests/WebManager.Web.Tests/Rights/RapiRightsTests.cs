// Ganeti's remote API in every role (tests/rights.txt, [rapi]): what is looked at is looked at, what changes something is asked as a trial run.
using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Testing.Rights;
using WebManager.Web.Rapi;

namespace WebManager.Web.Tests.Rights;

public sealed class RapiRightsTests(RightsScene scene) : IClassFixture<RightsScene>
{
    private static readonly ParallelOptions s_some = new() { MaxDegreeOfParallelism = 6 };

    [Fact]
    public async Task Every_resource_has_a_row_and_every_row_a_resource()
    {
        var (all, said) = (Resources.All.Select(r => $"{r.Method} {r.Path}").Distinct().ToList(), new List<string>());
        foreach (var missing in all.Except(scene.Table.Of("rapi").Select(r => r.What)))
        {
            said.Add($"{missing} has no row. Under [rapi] of tests/rights.txt belongs \"{missing} none: 501, why\", or what is measured without a body:");
            foreach (var on in missing.Contains("/instances/", StringComparison.Ordinal) || missing.Contains("/jobs/", StringComparison.Ordinal) ? new[] { "own", "shared", "foreign" } : ["*"])
            {
                var measured = await MeasureAsync(new RightsRow("rapi", missing, on, new Dictionary<string, char>(), null, null, ""), scene.Table.Roles);
                said.Add(scene.Table.Line(missing, on, role => measured[role]));
            }
        }
        said.AddRange(scene.Table.Of("rapi").Select(r => r.What).Distinct().Except(all).Select(gone => $"{gone} has a row in tests/rights.txt, and the remote API has no such resource."));
        Assert.True(said.Count == 0, string.Join('\n', said));
    }

    [Fact]
    public async Task Each_role_may_what_the_table_says_and_nothing_is_another_than_before()
    {
        var (before, wrong) = (await scene.PictureAsync(), new ConcurrentBag<string>());
        await Parallel.ForEachAsync(scene.Table.Of("rapi"), s_some, async (row, _) =>
        {
            if (row.Why is { } why)
            {
                if (why.StartsWith("501", StringComparison.Ordinal) && await AskAsync(row, "sue") is not '5') { wrong.Add($"{row.What} does not answer 501 any more; it needs cells in tests/rights.txt."); }
                return;
            }
            var measured = await MeasureAsync(row, row.Cells.Where(c => c.Value != RightsTable.Unasked).Select(c => c.Key));
            if (scene.Table.Differs(row, measured) is { } differs) { wrong.Add(differs); }
        });
        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Order(StringComparer.Ordinal)));
        Assert.Equal(before, await scene.PictureAsync());
    }

    private async Task<Dictionary<string, char>> MeasureAsync(RightsRow row, IEnumerable<string> roles)
    {
        var measured = new Dictionary<string, char>();
        foreach (var role in roles) { measured[role] = await AskAsync(row, role); }
        return measured;
    }

    private async Task<char> AskAsync(RightsRow row, string role)
    {
        using var http = Client(role);
        var (method, path) = row.What.Split(' ') is [var m, var p] ? (m, Address(p, row.On)) : throw new FormatException(row.What);
        var (more, wanted) = RightsBodies.Fill(row.More, row.On).Split("# ", 2) is [var before, var behind] ? (before.Trim(), behind) : (RightsBodies.Fill(row.More, row.On), "");
        var (query, body) = more.StartsWith('?') ? (more[1..] + "&", "") : ("", more);
        using var request = new HttpRequestMessage(new HttpMethod(method), method == "GET" ? $"{path}?{query}" : $"{path}?{query}dry-run=1");
        if (body.Length > 0) { request.Content = new StringContent(body, Encoding.UTF8, "application/json"); }
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (int)answer.StatusCode switch
        {
            401 => RightsTable.Nobody,
            403 => RightsTable.Refused,
            404 or 500 => RightsTable.Hidden,   // Ganeti's own answers for what is not there
            501 => '5',
            200 when wanted.Length > 0 => text.Contains(wanted, StringComparison.Ordinal) ? RightsTable.Allowed : RightsTable.Without,
            200 or 503 => long.TryParse(text, out var job) && await UnknownAsync(http, job) ? RightsTable.Hidden : RightsTable.Allowed,
            _ => '?',
        };
    }

    /// <summary>What is not seen is told by a failed job, where Ganeti's clients look.</summary>
    private static async Task<bool> UnknownAsync(HttpClient http, long job) =>
        await http.GetStringAsync($"/2/jobs/{job}") is var told && told.Contains("\"unknown_entity\"", StringComparison.Ordinal) && !told.Contains("no image", StringComparison.Ordinal);

    private static string Address(string path, string on)
    {
        var parts = path.Split('/');
        for (var i = 1; i < parts.Length; i++)
        {
            if (!parts[i].StartsWith('{')) { continue; }
            parts[i] = parts[i - 1] switch
            {
                "instances" => RightsScene.InstanceOf(on),
                "nodes" => "n1",
                "groups" => "default",
                "query" => "instance",
                "jobs" => on switch { "foreign" => "2", "shared" => "3", _ => "1" },
                "disk" => "0",
                _ => "nothing",
            };
        }
        return string.Join('/', parts);
    }

    private HttpClient Client(string role)
    {
        var http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } }) { BaseAddress = scene.Portal.Services.GetRequiredService<RapiHost>().Address };
        if (role != "anon") { http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RightsPeople.PersonOf(role)}:{scene.TokenOf(role)}"))); }
        return http;
    }
}
