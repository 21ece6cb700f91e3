using System.Security.Claims;
using IoTMesh.Gateway.Settings;

namespace IoTMesh.Gateway.Http;

/// <summary>On an endpoint: the role it needs. Null: anybody, without a login. Endpoints that say nothing need a viewer.</summary>
internal sealed record RequiredRole(Role? Least)
{
    internal static Role? Of(Microsoft.AspNetCore.Http.Endpoint? endpoint)
    {
        return endpoint?.Metadata.GetMetadata<RequiredRole>() is { } required ? required.Least : Role.Viewer;
    }
}

/// <summary>Roles of endpoints and of those who call.</summary>
internal static class RoleExtensions
{
    internal static TBuilder RequireRole<TBuilder>(this TBuilder builder, Role least)
        where TBuilder : IEndpointConventionBuilder
    {
        return builder.WithMetadata(new RequiredRole(least));
    }

    internal static TBuilder ForAnybody<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        return builder.WithMetadata(new RequiredRole((Role?)null));
    }

    /// <summary>The role of somebody who is logged in, else null.</summary>
    internal static Role? RoleOf(this ClaimsPrincipal user)
    {
        return RoleNames.Parse(user.FindFirst(ClaimTypes.Role)?.Value);
    }

    /// <summary>The caller's name for the audit.</summary>
    internal static string Caller(this HttpContext context)
    {
        return context.User.Identity?.Name ?? "nobody";
    }
}
