using System.Security.Claims;
using System.Text;
using IoTMesh.Gateway.Settings;
using Microsoft.AspNetCore.Authentication;

namespace IoTMesh.Gateway.Http;

/// <summary>
/// Who may use pages, REST and metrics: by session, bearer token or basic authentication, with the role that the endpoint names. Without
/// users (on loopback only) everybody on this machine is admin, but requests must name this machine as their host and come from its
/// own pages, so that no web site in the same browser can reach the gateway.
/// </summary>
internal sealed class Access(Logins logins)
{
    private const int HeaderLengthMax = 1024;

    private static readonly ClaimsPrincipal _local = Logins.CreatePrincipal("local", Role.Admin, "local");

    private sealed record Caller(ClaimsPrincipal? User, int WaitSeconds);

    /// <summary>Middleware, after routing.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        HttpRequest request = context.Request;
        Role? needed = RequiredRole.Of(context.GetEndpoint());
        if (request.Path == "/healthz")
        {
            await next(context);
            return;
        }

        if (!IsSameOrigin(request) || (logins.IsOpen && !NamesThisMachine(request.Host.Host)))
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "this request comes from another web site");
            return;
        }

        Caller caller = await IdentifyAsync(context);
        if (caller.User is not null)
        {
            context.User = caller.User;
        }

        if (needed is null || caller.User?.RoleOf() >= needed)
        {
            await next(context);
        }
        else if (caller.User is not null)
        {
            string error = $"this needs the role {needed.Value.Name()}; {context.Caller()} is {caller.User.RoleOf()?.Name()}";
            await RefuseAsync(context, StatusCodes.Status403Forbidden, error);
        }
        else
        {
            await AskForLoginAsync(context, caller.WaitSeconds);
        }
    }

    private static Task AskForLoginAsync(HttpContext context, int waitSeconds)
    {
        HttpRequest request = context.Request;
        if (waitSeconds > 0)
        {
            context.Response.Headers.RetryAfter = $"{waitSeconds}";
            return RefuseAsync(context, StatusCodes.Status429TooManyRequests, $"too many wrong logins; try again in {waitSeconds} s");
        }

        bool isPage = HttpMethods.IsGet(request.Method) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal)
            && !request.Path.StartsWithSegments("/_blazor") && !request.Path.StartsWithSegments("/api/v1");
        if (isPage && !request.Headers.ContainsKey("Authorization"))
        {
            context.Response.Redirect("/login" + QueryString.Create("to", request.Path + request.QueryString));
            return Task.CompletedTask;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"IoTMesh\"";
        return RefuseAsync(
            context, StatusCodes.Status401Unauthorized,
            "a login is needed: sign in at /login, or send the header \"Authorization: Bearer TOKEN\" (iotmesh token create makes one)");
    }

    private static Task RefuseAsync(HttpContext context, int status, string error)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { error });
    }

    private static bool NamesThisMachine(string host)
    {
        return new Settings.Endpoint(host.Trim('[', ']'), 0).IsLoopback;
    }

    // Browsers send Origin with every request that could change something and with WebSockets.
    private static bool IsSameOrigin(HttpRequest request)
    {
        string origin = request.Headers.Origin.ToString();
        return origin.Length == 0
            || (Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri)
                && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }

    private async Task<Caller> IdentifyAsync(HttpContext context)
    {
        string header = context.Request.Headers.Authorization.ToString();
        if (header.Length == 0)
        {
            AuthenticateResult session = await context.AuthenticateAsync(Sessions.Scheme);
            return new Caller(session.Principal ?? (logins.IsOpen ? _local : null), 0);
        }

        string address = LoginThrottle.AddressOf(context);
        int space = header.IndexOf(' ');
        string scheme = space < 0 || header.Length > HeaderLengthMax ? "" : header[..space];
        string value = header[(space + 1)..].Trim();
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return new Caller(logins.CheckToken(value, address), 0);
        }

        var bytes = new byte[value.Length];
        if (!scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) || !Convert.TryFromBase64String(value, bytes, out int length))
        {
            return new Caller(null, 0);
        }

        string[] parts = Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2);
        LoginResult result = await logins.CheckAsync(parts[0], parts[^1], address);
        return new Caller(result.User is { } user ? Logins.CreatePrincipal(user.User, user.Role, "basic") : null, result.WaitSeconds);
    }
}
