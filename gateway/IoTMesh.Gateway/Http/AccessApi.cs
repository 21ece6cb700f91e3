using System.ComponentModel;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;

namespace IoTMesh.Gateway.Http;

/// <summary>Users and tokens by REST, for admins; and, for everybody, who one is.</summary>
internal static class AccessApi
{
    private const int DaysMax = 3650;

    /// <param name="Role">viewer, operator or admin.</param>
    public sealed record WhoAmI(string Name, string Role);

    public sealed record UserInfo(string User, string Role);

    public sealed record TokenInfo(string Name, string Role, DateTimeOffset Created, DateTimeOffset? Expires);

    /// <param name="Role">viewer, operator or admin.</param>
    /// <param name="Days">How long it is good; for ever where not given.</param>
    public sealed record TokenWish(string Name, string Role, int? Days);

    /// <param name="Token">Shown this once.</param>
    public sealed record NewToken(string Name, string Role, string Token);

    internal static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/me", (HttpContext context) => new WhoAmI(context.Caller(), context.User.RoleOf()!.Value.Name()))
            .WithSummary("Who is asking, and with which role").WithTags("Access");
        api.MapGet("/users", (GatewaySettings settings) => settings.Http.Users.Select(u => new UserInfo(u.User, u.Role.Name())))
            .RequireRole(Role.Admin).WithSummary("The users of the settings file").WithTags("Access");
        api.MapGet("/tokens", (TokenFile tokens) => tokens.Load().Select(t => new TokenInfo(t.Name, t.Role.Name(), t.Created, t.Expires)))
            .RequireRole(Role.Admin).WithSummary("The tokens, without their secrets").WithTags("Access");
        api.MapPost("/tokens", Create).RequireRole(Role.Admin).WithSummary("Makes a token; it is shown this once").WithTags("Access")
            .Produces<NewToken>(201).Produces<RestApi.ApiError>(400);
        api.MapDelete("/tokens/{name}", Revoke).RequireRole(Role.Admin).WithSummary("Revokes a token at once").WithTags("Access")
            .Produces(204).Produces<RestApi.ApiError>(404);
    }

    private static IResult Create(HttpContext context, TokenWish wish, TokenFile tokens, IAudit audit, TimeProvider time)
    {
        string? problem = RoleNames.Parse(wish.Role) is null ? $"role: must be {RoleNames.All}"
            : wish.Days is < 1 or > DaysMax ? $"days: must be from 1 to {DaysMax}"
            : null;
        if (problem is not null)
        {
            return Results.BadRequest(new RestApi.ApiError(problem));
        }

        try
        {
            string token = tokens.Create(wish.Name ?? "", RoleNames.Parse(wish.Role)!.Value, wish.Days, time.GetUtcNow());
            audit.Note(context.Caller(), "create-token", wish.Name!, wish.Role);
            return Results.Json(new NewToken(wish.Name!, wish.Role, token), statusCode: StatusCodes.Status201Created);
        }
        catch (SiteException e)
        {
            return Results.BadRequest(new RestApi.ApiError(e.Message));
        }
    }

    private static IResult Revoke(HttpContext context, [Description("The token's name.")] string name, TokenFile tokens, IAudit audit)
    {
        if (!tokens.Revoke(name))
        {
            return Results.NotFound(new RestApi.ApiError($"no token {name}"));
        }

        audit.Note(context.Caller(), "revoke-token", name, "ok");
        return Results.NoContent();
    }
}
