using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using IoTMesh.Gateway.Pages;
using IoTMesh.Gateway.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace IoTMesh.Gateway.Http;

/// <summary>
/// Logins of the pages. The cookie holds them, sealed: a restart ends none. A session ends by logout, after twelve hours without a
/// request, after seven days, and when its user's password or role changes. Thread-safe.
/// </summary>
internal sealed class Sessions(HttpSettings settings, TimeProvider time) : IPageAccess
{
    internal const string Scheme = "session";

    private const int EndedMax = 1024;
    private const string IdClaim = "session";
    private const string SinceClaim = "since";
    private const string StampClaim = "stamp";
    private static readonly TimeSpan _idleMax = TimeSpan.FromHours(12);
    private static readonly TimeSpan _lifeMax = TimeSpan.FromDays(7);

    // Ids that were logged out; the oldest makes room. After that, and after a restart, a copied cookie of one lives until it expires.
    private readonly Queue<string> _endedInOrder = new();
    private readonly HashSet<string> _ended = [];
    private readonly Lock _gate = new();

    private bool IsOpen => settings.Users.Count == 0 && settings.Listen.IsLoopback;

    /// <summary>Cookies of pages and forms, and the keys that seal them.</summary>
    /// <param name="folder">The data folder, or null.</param>
    internal void AddTo(IServiceCollection services, string? folder)
    {
        bool isTls = settings.Certificate is not null;
        CookieSecurePolicy secure = isTls ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
        services.AddDataProtection().SetApplicationName("iotmesh");
        services.Configure<KeyManagementOptions>(o => o.XmlRepository = new SessionKeys(folder));
        services.AddAuthentication(Scheme).AddCookie(Scheme, o =>
        {
            o.Cookie.Name = isTls ? "__Host-iotmesh" : "iotmesh";
            o.Cookie.HttpOnly = true;
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = secure;
            o.ExpireTimeSpan = _idleMax;
            o.SlidingExpiration = true;
            o.TimeProvider = time;
            o.Events.OnValidatePrincipal = Validate;
        });
        services.AddAntiforgery(o =>
        {
            o.Cookie.Name = isTls ? "__Host-iotmesh-form" : "iotmesh-form";
            o.Cookie.HttpOnly = true;
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = secure;
            o.SuppressXFrameOptionsHeader = true;
        });
        services.AddSingleton<IPageAccess>(this);
    }

    /// <summary>Starts a session of its own for this user.</summary>
    internal Task BeginAsync(HttpContext context, HttpUser user)
    {
        ClaimsPrincipal principal = Logins.CreatePrincipal(
            user.User, user.Role, Scheme,
            new Claim(IdClaim, RandomNumberGenerator.GetHexString(32, lowercase: true)),
            new Claim(SinceClaim, time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
            new Claim(StampClaim, StampOf(user)));
        return context.SignInAsync(Scheme, principal, new AuthenticationProperties { IsPersistent = true });
    }

    /// <summary>Ends the caller's session: its cookie is of no use any more, and its open pages close.</summary>
    internal Task EndAsync(HttpContext context)
    {
        if (context.User.FindFirst(IdClaim)?.Value is { } id)
        {
            lock (_gate)
            {
                if (_ended.Add(id))
                {
                    _endedInOrder.Enqueue(id);
                }

                if (_endedInOrder.Count > EndedMax)
                {
                    _ended.Remove(_endedInOrder.Dequeue());
                }
            }
        }

        return context.SignOutAsync(Scheme);
    }

    /// <inheritdoc/>
    public bool IsLive(ClaimsPrincipal user)
    {
        if (user.FindFirst(IdClaim)?.Value is not { } id)
        {
            return IsOpen || user.RoleOf() is not null;
        }

        lock (_gate)
        {
            if (_ended.Contains(id))
            {
                return false;
            }
        }

        _ = long.TryParse(user.FindFirst(SinceClaim)?.Value, CultureInfo.InvariantCulture, out long since);
        return time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(since) < _lifeMax
            && settings.Users.FirstOrDefault(u => u.User == user.Identity?.Name) is { } known
            && StampOf(known) == user.FindFirst(StampClaim)?.Value;
    }

    /// <inheritdoc/>
    public bool MayCommand(ClaimsPrincipal user)
    {
        return IsLive(user) && (IsOpen || user.RoleOf() >= Role.Operator);
    }

    private Task Validate(CookieValidatePrincipalContext context)
    {
        if (context.Principal is null || !IsLive(context.Principal))
        {
            context.RejectPrincipal();
        }

        return Task.CompletedTask;
    }

    // Changes with the password and the role.
    private static string StampOf(HttpUser user)
    {
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{user.PasswordHash} {user.Role}")))[..16];
    }
}
