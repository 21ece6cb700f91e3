using System.Net;
using System.Text.Json;
using IoTMesh.Gateway.Bridge;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Pages;
using IoTMesh.Gateway.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.OpenApi;

namespace IoTMesh.Gateway.Http;

/// <summary>Pages, REST, OpenAPI, metrics and health on one port.</summary>
internal static class HttpHost
{
    private const long BodyBytesMax = 64 * 1024;

    /// <summary>Listens. Throws <see cref="PortTakenException"/> with one line.</summary>
    /// <param name="addServices">Adds what the REST interface needs.</param>
    internal static async Task<WebApplication> StartAsync(
        HttpSettings settings, LiveMesh live, Action<IServiceCollection> addServices, Func<byte[]> health)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            EnvironmentName = Environments.Production,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(new EventLogger(live));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            foreach (IPAddress address in AddressesOf(settings.Listen.Host, settings.Listen.Port))
            {
                kestrel.Listen(address, settings.Listen.Port);
            }
        });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton<ILiveView>(live);
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        builder.Services.AddOpenApi(o => o.AddDocumentTransformer((document, _, _) => DescribeAsync(document)));
        addServices(builder.Services);
        builder.Services.AddMeshPages();
        WebApplication app = builder.Build();
        Map(app, new Access(settings), health);
        try
        {
            await app.StartAsync();
            return app;
        }
        catch (IOException e)
        {
            await app.DisposeAsync();
            throw e.InnerException is AddressInUseException
                ? new PortTakenException($"HTTP port {settings.Listen.Port} on {settings.Listen.Host} is taken by another program")
                : new PortTakenException($"cannot listen for HTTP on {settings.Listen}: {e.Message}");
        }
    }

    /// <summary>The addresses behind a name; localhost is both loopback addresses where the port is fixed.</summary>
    internal static IReadOnlyList<IPAddress> AddressesOf(string host, int port)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            return [address];
        }

        try
        {
            IPAddress[] found = Dns.GetHostAddresses(host);
            return found.Length > 0 ? [found[0]] : throw new PortTakenException($"cannot listen on {host}:{port}: no such address");
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new PortTakenException($"cannot listen on {host}:{port}: {e.Message}");
        }
    }

    private static void Map(WebApplication app, Access access, Func<byte[]> health)
    {
        app.UseExceptionHandler(errors => errors.Run(AnswerErrorAsync));
        app.Use(next => context => access.InvokeAsync(context, next));
        app.UseStatusCodePages(pages => pages.HttpContext.Response.WriteAsJsonAsync(new { error = ReasonOf(pages.HttpContext) }));
        app.MapGet("/healthz", () => Results.Bytes(health(), "application/json")).ExcludeFromDescription();
        app.MapGet("/metrics", (Metrics metrics) => Results.Text(metrics.Write(), Metrics.ContentType)).ExcludeFromDescription();
        RestApi.Map(app);
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapGet("/api", () => Results.Content(ApiPage.Html, "text/html; charset=utf-8")).ExcludeFromDescription();
        app.MapMeshPages();
    }

    private static Task AnswerErrorAsync(HttpContext context)
    {
        Exception? error = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        context.Response.StatusCode = error is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError;
        string text = error is BadHttpRequestException ? error.Message : "the gateway could not do that; its event log says why";
        return context.Response.WriteAsJsonAsync(new { error = text });
    }

    private static string ReasonOf(HttpContext context)
    {
        return context.Response.StatusCode switch
        {
            StatusCodes.Status400BadRequest => "a parameter has a value that cannot be read; /api describes them",
            StatusCodes.Status404NotFound => $"nothing at {context.Request.Path}",
            StatusCodes.Status405MethodNotAllowed => $"{context.Request.Method} is not possible here",
            StatusCodes.Status415UnsupportedMediaType => "send the body as application/json",
            int other => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(other),
        };
    }

    private static Task DescribeAsync(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "IoTMesh gateway",
            Version = GatewayVersion.Text,
            Description = "Nodes, readings and commands of one mesh. Times are UTC, units are with each reading.",
        };
        document.Servers?.Clear();
        return Task.CompletedTask;
    }

    /// <summary>The command line decides when the program ends.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken)
        {
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            return Task.CompletedTask;
        }
    }
}

/// <summary>A port cannot be listened on: one line that names it.</summary>
public sealed class PortTakenException(string message) : Exception(message);
