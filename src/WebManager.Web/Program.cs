// The portal, put together. Each area says what it needs and where it answers.
using WebManager.Web.Api;
using WebManager.Web.Audit;
using WebManager.Web.Components;
using WebManager.Web.Data;
using WebManager.Web.Hosting;
using WebManager.Web.Hubs;
using WebManager.Web.Identity;
using WebManager.Web.Lab;
using WebManager.Web.Nodes;
using WebManager.Web.Rapi;

var builder = HostSettings.CreateBuilder(args);
var folder = builder.AddHosting();
builder.Services.AddPortalData(folder);      // first: the database is up to date before anything else starts
builder.Services.AddAudit();
builder.Services.AddPortalIdentity();
builder.Services.AddNodeLinks();
builder.Services.AddLab();                   // before the engine, which takes the lab's network
builder.Services.AddEngine();
builder.Services.AddPortalApi();
builder.Services.AddRapi();
builder.Services.AddLimits();
builder.Services.AddClusterHub();
builder.Services.AddPortalUi();
builder.Services.AddCircuitSignIn();        // after the pages, whose own it replaces

var app = builder.Build();
app.UseProxies();
app.UseSecurityHeaders();
app.UseExceptionHandler();
app.UsePortalUi();
app.UseApiProblems();
app.UseSameOrigin();
app.UseWebSockets();
app.UseAuthentication();
app.UseLimits();
app.UseAuthorization();
app.UseAntiforgery();
app.MapStaticAssets().AllowAnonymous();
app.MapAccountForms();
app.MapNodeRoutes();
app.MapPortalApi();
app.MapLabApi();
app.MapClusterHub();
app.MapPortalUi();
await app.RunAsync();
