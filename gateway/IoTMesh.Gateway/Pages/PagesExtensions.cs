using Microsoft.Extensions.DependencyInjection.Extensions;

namespace IoTMesh.Gateway.Pages;

/// <summary>Adds the web pages to a host that has a <see cref="Live.ILiveView"/> among its services.</summary>
public static class PagesExtensions
{
    public static IServiceCollection AddMeshPages(this IServiceCollection services)
    {
        services.AddRazorComponents().AddInteractiveServerComponents();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<PageAssets>();
        services.AddSingleton<MapLayout>();
        services.AddHostedService(provider => provider.GetRequiredService<MapLayout>());
        return services;
    }

    /// <summary>Maps <c>/</c>, <c>/node/{id}</c>, their files and their live connection. Needs no files on disk.</summary>
    public static WebApplication MapMeshPages(this WebApplication app)
    {
        app.UseAntiforgery();
        app.Services.GetRequiredService<PageAssets>().Map(app);
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(o => o.ContentSecurityFrameAncestorsPolicy = null);
        return app;
    }
}
