using System.Security.Claims;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Engine.Model;
using WebManager.Testing.Rights;
using WebManager.Web.Components;
using WebManager.Web.Components.Layout;
using WebManager.Web.Components.Shared;
using WebManager.Web.Identity;

namespace WebManager.Web.Tests.Rights;

/// <summary>The portal's real pages as somebody sees them, drawn without a browser on the services of a whole portal.</summary>
internal sealed class RightsPages : IAsyncDisposable
{
    private static readonly Dictionary<string, Type> s_pages = typeof(App).Assembly.GetTypes()
        .SelectMany(t => t.GetCustomAttributes(typeof(RouteAttribute), inherit: false).Select(r => (((RouteAttribute)r).Template, Type: t))).ToDictionary(p => p.Template, p => p.Type);

    private readonly BunitContext _context = new();
    private readonly AsyncServiceScope _scope;
    private readonly Dictionary<string, IRenderedComponent<IComponent>> _drawn = [];

    public RightsPages(RightsScene scene, string role)
    {
        var who = RightsPeople.Caller(role);
        _context.Services.AddSingleton(TimeProvider.System).AddScoped<Toasts>();
        _context.Services.AddScoped<Questions>();
        _scope = scene.Portal.Services.CreateAsyncScope();
        _context.Services.AddFallbackServiceProvider(_scope.ServiceProvider);
        _context.JSInterop.Mode = JSRuntimeMode.Loose;
        var claims = new ClaimsIdentity([new(ClaimTypes.NameIdentifier, who.UserId), new(ClaimTypes.Name, who.Name), .. who.Admin ? [new Claim(Callers.AdministratorClaim, "true")] : Array.Empty<Claim>()], "test");
        _context.RenderTree.Add<CascadingValue<Caller>>(p => p.Add(v => v.Value, who));
        _context.RenderTree.Add<CascadingValue<Task<AuthenticationState>>>(p => p.Add(v => v.Value, Task.FromResult(new AuthenticationState(new ClaimsPrincipal(claims)))));
    }

    /// <summary>Every page that the router finds.</summary>
    public static IReadOnlyCollection<string> Addresses => s_pages.Keys;

    /// <summary>What is drawn at "/instances/{Name}?tab=access" for that object; drawn once.</summary>
    public IRenderedComponent<IComponent> Draw(string page, string on)
    {
        var (route, query) = page.Split('?') is [var path, var rest] ? (path, rest) : (page, null);
        var address = string.Join('/', route.Split('/').Select((part, i) => part.StartsWith('{') ? Value(route.Split('/')[i - 1], on) : part));
        var key = $"{page} {address}";
        // What is drawn follows the address: a tab of the same page may have been asked for since.
        _context.Services.GetRequiredService<NavigationManager>().NavigateTo(query is null ? address : $"{address}?{RightsBodies.Fill(query, on)}");
        if (query is null && _drawn.TryGetValue(key, out var known)) { return known; }
        var drawn = _drawn[key] = _context.Render<IComponent>(builder =>
        {
            builder.OpenComponent(0, route == nameof(RecoveryBanner) ? typeof(RecoveryBanner) : s_pages[route]);
            builder.AddMultipleAttributes(1, Parameters(route, on));
            builder.CloseComponent();
        });
        if (route is "/users" or "/users/{Name}") { drawn.WaitForState(() => drawn.FindAll(".empty, [data-testid=user-active], [data-testid=user-sue]").Count > 0, TimeSpan.FromSeconds(30)); }
        return drawn;
    }

    private static IEnumerable<KeyValuePair<string, object>> Parameters(string route, string on)
    {
        var parts = route.Split('/');
        for (var i = 1; i < parts.Length; i++)
        {
            if (!parts[i].StartsWith('{')) { continue; }
            var (name, value) = (parts[i].Trim('{', '}').Split(':')[0], Value(parts[i - 1], on));
            yield return new(name, parts[i].Contains(":long", StringComparison.Ordinal) ? long.Parse(value, System.Globalization.CultureInfo.InvariantCulture) : value);
        }
    }

    private static string Value(string before, string on) => before switch
    {
        "instances" => RightsScene.InstanceOf(on),
        "nodes" => "n1",
        "jobs" => on switch { "foreign" => "2", "shared" => "3", _ => "1" },
        "templates" => RightsScene.TemplateOf(on),
        "user-groups" => RightsScene.GroupOf(on),
        "quotas" => RightsScene.OwnerOf(on),
        "users" => on switch { "own" => "olga", "foreign" => "otto", _ => "extra" },
        var other => throw new InvalidOperationException($"What stands in a page's address behind {other}? Say it in RightsPages."),
    };

    /// <summary>The mark of a page: what stands where its heading is not.</summary>
    public char Mark(RightsRow row)
    {
        var drawn = Draw(row.What, row.On);
        var said = string.Join('\n', drawn.FindAll(".empty, .empty h2").Select(e => e.TextContent));
        return said.Contains("There is no", StringComparison.Ordinal) ? RightsTable.Hidden
            : said.Contains("This is for", StringComparison.Ordinal) || said.Contains("Only superusers", StringComparison.Ordinal) || said.Contains("You may not", StringComparison.Ordinal) ? RightsTable.Refused
            : row.More.Length > 0 && !drawn.Markup.Contains(RightsBodies.Fill(row.More, row.On), StringComparison.Ordinal) ? RightsTable.Without
            : RightsTable.Allowed;
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeComponentsAsync();
        await _context.DisposeAsync();
        await _scope.DisposeAsync();
    }
}
