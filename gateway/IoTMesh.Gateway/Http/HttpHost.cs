using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Text.Json;
using IoTMesh.Gateway.Bridge;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Pages;
using IoTMesh.Gateway.Settings;
using IoTMesh.Mqtt;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace IoTMesh.Gateway.Http;

/// <summary>Pages, REST, OpenAPI, metrics and health on one port.</summary>
internal static class HttpHost
{
    private const long BodyBytesMax = 64 * 1024;

    /// <summary>Listens. Throws <see cref="PortTakenException"/> with one line.</summary>
    /// <param name="folder">The data folder: tokens and the keys of sessions; null keeps them in memory.</param>
    /// <param name="addServices">Adds what the REST interface needs.</param>
    internal static async Task<WebApplication> StartAsync(
        HttpSettings settings, string? folder, LiveMesh live, Action<IServiceCollection> addServices, Func<byte[]> health)
    {
        var tokens = new TokenFile(folder);
        tokens.CreateIfMissing();
        CheckReach(settings, tokens);
        PemCertificate? certificate = LoadCertificate(settings, live);
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
                kestrel.Listen(address, settings.Listen.Port, listen => UseTls(listen, certificate));
            }
        });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton<ILiveView>(live);
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        builder.Services.AddOpenApi(ApiDocument.Configure);
        addServices(builder.Services);
        AddAccess(builder.Services, settings, folder, tokens);
        builder.Services.AddMeshPages();
        WebApplication app = builder.Build();
        Map(app, health);
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

    private static PemCertificate? LoadCertificate(HttpSettings settings, LiveMesh live)
    {
        try
        {
            return settings.Certificate is null ? null : new PemCertificate(settings.Certificate, settings.Key)
            {
                Changed = (isGood, text) => live.AddEvent(isGood ? "info" : "error", "http", text),
            };
        }
        catch (MqttException e)
        {
            throw new SettingsException("http.certificate: " + e.Message);
        }
    }

    private static void UseTls(ListenOptions listen, PemCertificate? certificate)
    {
        if (certificate is not null)
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificate.Context,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                }),
            });
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

    /// <summary>
    /// Beyond this machine nobody may come in without a login. Throws <see cref="SettingsException"/>, or <see cref="Site.SiteException"/> where
    /// the tokens cannot be read.
    /// </summary>
    internal static void CheckReach(HttpSettings settings, TokenFile tokens)
    {
        if (tokens.Load().Count == 0 && settings.Users.Count == 0 && !settings.Listen.IsLoopback)
        {
            throw new SettingsException(
                $"http.listen: {settings.Listen} can be reached from other machines, so a user (http.users, with iotmesh hash-password) "
                + "or a token (iotmesh token create) is needed");
        }
    }

    private static void AddAccess(IServiceCollection services, HttpSettings settings, string? folder, TokenFile tokens)
    {
        services.AddSingleton(settings).AddSingleton(tokens).AddSingleton<Logins>().AddSingleton<Access>();
        var sessions = new Sessions(settings, TimeProvider.System);
        sessions.AddTo(services, folder);
        services.AddSingleton(sessions);
    }

    private static void Map(WebApplication app, Func<byte[]> health)
    {
        Access access = app.Services.GetRequiredService<Access>();
        app.UseExceptionHandler(errors => errors.Run(AnswerErrorAsync));
        app.Use(next => context => SecurityHeaders.InvokeAsync(context, next));
        app.Use(next => context => access.InvokeAsync(context, next));
        app.UseStatusCodePages(pages => pages.HttpContext.Response.WriteAsJsonAsync(new { error = ReasonOf(pages.HttpContext) }));
        app.MapGet("/healthz", () => Results.Bytes(health(), "application/json")).ForAnybody().ExcludeFromDescription();
        app.MapGet("/metrics", (Metrics metrics) => Results.Text(metrics.Write(), Metrics.ContentType)).ExcludeFromDescription();
        RestApi.Map(app);
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapGet("/api", (HttpContext context) =>
        {
            context.Response.Headers.ContentSecurityPolicy = ApiPage.Policy;
            return Results.Content(ApiPage.Html, "text/html; charset=utf-8");
        }).ExcludeFromDescription();
        LoginPage.Map(app);
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
