// What connections that stay open tell, in every role: the hub's picture, and the serial console's door (tests/rights.txt, [hub] and [console]).
using System.Net.WebSockets;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Testing.Rights;
using WebManager.Web.Hubs;
using WebManager.Web.Nodes;

namespace WebManager.Web.Tests.Rights;

public sealed class HubRightsTests(RightsScene scene) : IClassFixture<RightsScene>
{
    [Fact]
    public void Every_method_of_the_hub_has_a_row()
    {
        var methods = typeof(ClusterHub).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(m => !m.IsSpecialName && m.GetBaseDefinition() == m).Select(m => m.Name).Distinct().ToList();
        Assert.Equal(methods.Order(), scene.Table.Of("hub").Select(r => r.What).Distinct().Order());
    }

    [Fact]
    public async Task The_hub_tells_each_role_what_the_table_says()
    {
        var measured = scene.Table.Of("hub").ToDictionary(r => r, _ => new Dictionary<string, char>());
        foreach (var role in scene.Table.Roles)
        {
            foreach (var method in scene.Table.Of("hub").GroupBy(r => r.What))
            {
                var heard = await HeardAsync(role, method.Key);
                foreach (var row in method) { measured[row][role] = heard is null ? RightsTable.Nobody : heard.Contains(RightsBodies.Fill(row.More, row.On), StringComparison.Ordinal) ? RightsTable.Allowed : RightsTable.Without; }
            }
        }
        var wrong = measured.Select(m => scene.Table.Differs(m.Key, m.Value)).OfType<string>().ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>Whom the right lets in is told that the node does not answer: it is offline. Without a ticket of one's own nobody comes so far.</summary>
    [Fact]
    public async Task Consoles_open_for_whom_the_table_says()
    {
        var (tickets, wrong) = (scene.Portal.Services.GetRequiredService<IConsoleTickets>(), new List<string>());
        foreach (var row in scene.Table.Of("console"))
        {
            var instance = scene.Engine.FindInstance(RightsScene.InstanceOf(row.On))!;
            var measured = new Dictionary<string, char>();
            foreach (var role in scene.Table.Roles)
            {
                measured[role] = MarkOf(await StatusAsync(role, instance.Name, tickets.Create(RightsPeople.PersonOf(role), instance.Id)));
                if (role == "anon") { continue; }
                if (await StatusAsync(role, instance.Name, tickets.Create("extra", instance.Id)) != 403) { wrong.Add($"{role} comes in with a ticket of somebody else's on {row.On}"); }
                if (await StatusAsync(role, instance.Name, "") != 403) { wrong.Add($"{role} comes in without a ticket on {row.On}"); }
            }
            if (scene.Table.Differs(row, measured) is { } differs) { wrong.Add(differs); }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static char MarkOf(int status) => status switch { 401 => RightsTable.Nobody, 403 => RightsTable.Refused, 404 => RightsTable.Hidden, 503 => RightsTable.Allowed, _ => '?' };

    private async Task<int> StatusAsync(string role, string instance, string ticket)
    {
        using var socket = Socket(role);
        try
        {
            await socket.ConnectAsync(new Uri($"ws://{scene.Portal.Address.Authority}/console/{instance}/serial?ticket={ticket}"), TestContext.Current.CancellationToken);
            return 101;
        }
        catch (WebSocketException) { return (int)socket.HttpStatusCode; }
    }

    /// <summary>The first answer of a stream; null: not let in.</summary>
    private async Task<string?> HeardAsync(string role, string method)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        using var socket = Socket(role);
        try { await socket.ConnectAsync(new Uri($"ws://{scene.Portal.Address.Authority}/hubs/cluster"), limit.Token); }
        catch (WebSocketException) when ((int)socket.HttpStatusCode == 401) { return null; }
        foreach (var frame in new[] { """{"protocol":"json","version":1}""", $$"""{"type":4,"invocationId":"1","target":"{{method}}","arguments":[]}""" })
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(frame + '\u001e'), WebSocketMessageType.Text, true, limit.Token);
        }
        var (heard, buffer) = (new StringBuilder(), new byte[64 * 1024]);
        while (!heard.ToString().Split('\u001e')[..^1].Any(f => f.Contains("\"type\":2", StringComparison.Ordinal)))
        {
            var got = await socket.ReceiveAsync(buffer, limit.Token);
            heard.Append(Encoding.UTF8.GetString(buffer, 0, got.Count));
        }
        return heard.ToString();
    }

    private ClientWebSocket Socket(string role)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        if (scene.TokenOf(role) is { } token) { socket.Options.SetRequestHeader("Authorization", $"Bearer {token}"); }
        return socket;
    }
}
