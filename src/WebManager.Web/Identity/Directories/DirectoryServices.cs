// Registers the directory and the OpenID provider; both are off until the settings name one.
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace WebManager.Web.Identity.Directories;

internal static class DirectoryServices
{
    public static IServiceCollection AddDirectories(this IServiceCollection services)
    {
        services.AddOptions<LdapOptions>().BindConfiguration("Ldap").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<LdapOptions>, LdapCheck>();
        services.AddOptions<OpenIdOptions>().BindConfiguration("OpenId").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<OpenIdOptions>, OpenIdCheck>();
        services.AddSingleton<ExternalSources>();
        services.AddSingleton<LdapDirectory>();
        services.AddSingleton<OpenIdSignIn>();
        services.AddTransient<OpenIdConnectHandler>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<OpenIdConnectOptions>, OpenIdConnectPostConfigureOptions>());
        // The handler looks at every request as soon as it is there: without a provider it is not.
        services.AddOptions<AuthenticationOptions>().Configure<IOptions<OpenIdOptions>>((schemes, settings) =>
        {
            if (settings.Value.IsOn) { schemes.AddScheme<OpenIdConnectHandler>(OpenIdSignIn.Scheme, null); }
        });
        services.AddOptions<OpenIdConnectOptions>(OpenIdSignIn.Scheme).Configure<IOptions<OpenIdOptions>, OpenIdSignIn>((handler, settings, signIn) => OpenIdHandler.Configure(handler, settings.Value, signIn));
        return services;
    }
}
