using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using IoTMesh.Gateway.Settings;

namespace IoTMesh.Gateway.Http;

/// <summary>
/// Who may use pages, REST and metrics. With users or tokens in the settings: basic or bearer authentication on everything but
/// /healthz. Without (on loopback only): requests must name this machine as their host and come from its own pages, so that
/// no web site in the same browser can reach the gateway.
/// </summary>
public sealed class Access(HttpSettings settings)
{
    private const int RememberedMax = 256;
    private const int FailuresPerSecondMax = 5;

    // PBKDF2 is slow on purpose: a credential that was right once is remembered by its keyed hash.
    private readonly ConcurrentDictionary<string, bool> _remembered = new();
    private readonly byte[] _memoryKey = RandomNumberGenerator.GetBytes(32);
    private readonly SemaphoreSlim _checking = new(1, 1);
    private long _failureSecond;
    private int _failures;

    private bool IsOpen => settings.Users.Count + settings.Tokens.Count == 0;

    /// <summary>Middleware.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path == "/healthz")
        {
            await next(context);
        }
        else if (!IsSameOrigin(context.Request) || (IsOpen && settings.Listen.IsLoopback && !NamesThisMachine(context.Request.Host.Host)))
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "this request comes from another web site");
        }
        else if (IsOpen || await IsKnownAsync(context.Request.Headers.Authorization.ToString()))
        {
            await next(context);
        }
        else
        {
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"IoTMesh\", charset=\"UTF-8\"";
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "a user or token of the settings file is needed");
        }
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

    private async Task<bool> IsKnownAsync(string header)
    {
        if (header.Length is 0 or > 1024)
        {
            return false;
        }

        string memory = Convert.ToBase64String(HMACSHA256.HashData(_memoryKey, Encoding.UTF8.GetBytes(header)));
        if (_remembered.ContainsKey(memory))
        {
            return true;
        }

        await _checking.WaitAsync();
        try
        {
            if (IsGuessing() || !await Task.Run(() => Verify(header)))
            {
                _failures++;
                return false;
            }

            if (_remembered.Count >= RememberedMax)
            {
                _remembered.Clear();
            }

            _remembered[memory] = true;
            return true;
        }
        finally
        {
            _checking.Release();
        }
    }

    private bool IsGuessing()
    {
        long second = Environment.TickCount64 / 1000;
        if (second != _failureSecond)
        {
            _failureSecond = second;
            _failures = 0;
        }

        return _failures >= FailuresPerSecondMax;
    }

    private bool Verify(string header)
    {
        int space = header.IndexOf(' ');
        string scheme = space < 0 ? "" : header[..space];
        string value = header[(space + 1)..].Trim();
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return settings.Tokens.Any(t => Password.Verify(value, t.PasswordHash));
        }

        var bytes = new byte[value.Length];
        if (!scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) || !Convert.TryFromBase64String(value, bytes, out int length))
        {
            return false;
        }

        string[] parts = Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2);
        return parts.Length == 2 && settings.Users.FirstOrDefault(u => u.User == parts[0]) is { } user
            && Password.Verify(parts[1], user.PasswordHash);
    }
}
