using System.Net;
using IoTMesh.Gateway.Pages;
using IoTMesh.Gateway.Service;
using Microsoft.AspNetCore.Antiforgery;

namespace IoTMesh.Gateway.Http;

/// <summary>The login at /login and the logout at /logout: plain forms that work without JavaScript.</summary>
internal static class LoginPage
{
    private const int FieldLengthMax = 256;

    internal static void Map(WebApplication app)
    {
        app.MapGet("/login", Show).ForAnybody().ExcludeFromDescription();
        app.MapPost("/login", LoginAsync).ForAnybody().ExcludeFromDescription();
        app.MapPost("/logout", LogoutAsync).ForAnybody().ExcludeFromDescription();
    }

    private static Task Show(HttpContext context)
    {
        string to = TargetOf(context.Request.Query["to"]);
        if (context.User.RoleOf() is not null)
        {
            context.Response.Redirect(to);
            return Task.CompletedTask;
        }

        return WriteAsync(context, to, "", "");
    }

    private static async Task LoginAsync(HttpContext context, Logins logins, Sessions sessions, IAntiforgery antiforgery, IAudit audit)
    {
        if (!context.Request.HasFormContentType || !await antiforgery.IsRequestValidAsync(context))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await WriteAsync(context, "/", "", "The form was out of date. Please try again.");
            return;
        }

        IFormCollection form = await context.Request.ReadFormAsync();
        string name = Field(form, "user");
        string to = TargetOf(form["to"]);
        string address = LoginThrottle.AddressOf(context);
        LoginResult result = await logins.CheckAsync(name, Field(form, "password"), address);
        if (result.User is { } user)
        {
            await sessions.BeginAsync(context, user);
            audit.Note(user.User, "login", address, "ok");
            context.Response.StatusCode = StatusCodes.Status303SeeOther;
            context.Response.Headers.Location = to;
            return;
        }

        if (result.WaitSeconds > 0)
        {
            context.Response.Headers.RetryAfter = $"{result.WaitSeconds}";
        }

        context.Response.StatusCode = result.WaitSeconds > 0 ? StatusCodes.Status429TooManyRequests : StatusCodes.Status401Unauthorized;
        string problem = result.WaitSeconds > 0
            ? $"Too many wrong logins. Please try again in {result.WaitSeconds} s."
            : "Wrong user name or password.";
        await WriteAsync(context, to, name, problem);
    }

    private static async Task LogoutAsync(HttpContext context, Sessions sessions, IAntiforgery antiforgery, IAudit audit)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await WriteAsync(context, "/", "", "The form was out of date. Please try again.");
            return;
        }

        if (context.User.RoleOf() is not null)
        {
            audit.Note(context.Caller(), "logout", LoginThrottle.AddressOf(context), "ok");
        }

        await sessions.EndAsync(context);
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = "/login";
    }

    private static string Field(IFormCollection form, string name)
    {
        string text = form[name].ToString();
        return text.Length <= FieldLengthMax ? text : "";
    }

    // A path of this gateway, never another site: neither //host nor /\host.
    private static string TargetOf(string? to)
    {
        bool isOurs = to is { Length: > 0 and <= 1024 } && to[0] == '/' && (to.Length == 1 || to[1] is not ('/' or '\\')) && !to.Any(char.IsControl);
        return isOurs ? to! : "/";
    }

    private static Task WriteAsync(HttpContext context, string to, string name, string problem)
    {
        AntiforgeryTokenSet tokens = context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
        var files = context.RequestServices.GetRequiredService<PageAssets>();
        string alert = problem.Length == 0 ? "" : $"<p class=\"bad\" role=\"alert\">{WebUtility.HtmlEncode(problem)}</p>";
        (string userFocus, string passwordFocus) = name.Length == 0 ? (" autofocus", "") : ("", " autofocus");
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <meta name="color-scheme" content="light dark">
              <title>Sign in · IoTMesh</title>
              <link rel="icon" type="image/svg+xml" href="/{files.Url("favicon.svg")}">
              <link rel="stylesheet" href="/{files.Url("mesh.css")}">
            </head>
            <body>
              <main class="login card">
                <h1><span class="mark" aria-hidden="true"></span>IoTMesh</h1>
                {alert}
                <form method="post" action="/login">
                  <input type="hidden" name="{tokens.FormFieldName}" value="{WebUtility.HtmlEncode(tokens.RequestToken)}">
                  <input type="hidden" name="to" value="{WebUtility.HtmlEncode(to)}">
                  <label>User <input name="user" value="{WebUtility.HtmlEncode(name)}" autocomplete="username" autocapitalize="off" maxlength="64"
                    required{userFocus}></label>
                  <label>Password <input name="password" type="password" autocomplete="current-password" maxlength="{FieldLengthMax}"
                    required{passwordFocus}></label>
                  <button type="submit">Sign in</button>
                </form>
              </main>
            </body>
            </html>
            """);
    }
}
