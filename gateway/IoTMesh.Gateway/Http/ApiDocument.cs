using IoTMesh.Gateway.Settings;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace IoTMesh.Gateway.Http;

/// <summary>What the OpenAPI document says beside the endpoints themselves: the gateway, the ways to log in, the role of each operation.</summary>
internal static class ApiDocument
{
    internal static void Configure(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            Describe(document);
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            Describe(operation, context.Description.ActionDescriptor.EndpointMetadata.OfType<RequiredRole>().LastOrDefault()?.Least ?? Role.Viewer);
            return Task.CompletedTask;
        });
    }

    private static void Describe(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "IoTMesh gateway",
            Version = GatewayVersion.Text,
            Description = "Nodes, readings and commands of one mesh. Times are UTC, units are with each reading.",
        };
        document.Servers?.Clear();
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            ["token"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "A token that `iotmesh token create` or POST /api/v1/tokens has made.",
            },
            ["user"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "basic", Description = "A user of the settings file." },
            ["session"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Cookie,
                Name = "iotmesh",
                Description = "The cookie of a login at /login; under TLS its name is __Host-iotmesh.",
            },
        };
        document.Security =
        [
            .. document.Components.SecuritySchemes.Keys.Select(
                name => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(name, document)] = [] }),
        ];
    }

    private static void Describe(OpenApiOperation operation, Role least)
    {
        operation.Description = $"{operation.Description} Role: {least.Name()}.".TrimStart();
        operation.Responses ??= [];
        operation.Responses.TryAdd("401", new OpenApiResponse { Description = "No login, or one that is not good." });
        operation.Responses.TryAdd("403", new OpenApiResponse { Description = $"The login's role is less than {least.Name()}." });
    }
}
