using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>The real pages on real Kestrel, over a picture that the test owns.</summary>
public sealed class PageHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private PageHost(WebApplication app) => _app = app;

    /// <summary>Where it listens, ending in a slash.</summary>
    public Uri Address { get; private set; } = null!;

    /// <param name="environment">Production or Development.</param>
    /// <param name="port">0 for any free one.</param>
    public static async Task<PageHost> StartAsync(ILiveView live, string environment = "Production", int port = 0, INodeCommands? commands = null)
    {
        // As far from the project's folder as can be: the pages must not need it.
        WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            EnvironmentName = environment,
            ContentRootPath = Path.GetTempPath(),
        });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Services.AddSingleton(live);
        if (commands is not null)
        {
            builder.Services.AddSingleton(commands);
        }

        builder.Services.AddMeshPages();
        WebApplication app = builder.Build();
        app.MapMeshPages();
        await app.StartAsync();
        return new PageHost(app) { Address = new Uri(app.Urls.Single() + "/") };
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }
}
