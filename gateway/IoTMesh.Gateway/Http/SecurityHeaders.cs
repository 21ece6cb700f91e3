namespace IoTMesh.Gateway.Http;

/// <summary>What browsers must know of every answer: nothing from elsewhere, no frames, no guessing of types, no copies kept.</summary>
internal static class SecurityHeaders
{
    // Blazor moves and colors by style attributes; scripts are files of ours only.
    private const string PagePolicy = "script-src 'self'; style-src 'self' 'unsafe-inline'";

    /// <summary>Middleware, first of all.</summary>
    internal static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";

        // With no-referrer browsers send forms with the origin "null", which is not ours.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.ContentSecurityPolicy = Policy(PagePolicy);
        context.Response.OnStarting(() =>
        {
            if (headers.CacheControl.Count == 0)
            {
                headers.CacheControl = "no-store";
            }

            return Task.CompletedTask;
        });
        return next(context);
    }

    /// <param name="sources">Where scripts and styles come from.</param>
    internal static string Policy(string sources)
    {
        return "default-src 'none'; connect-src 'self'; img-src 'self' data:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
            + sources;
    }
}
