using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using IoTMesh.Gateway.Service;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;

namespace IoTMesh.Gateway.Http;

/// <summary>How a login ended.</summary>
/// <param name="User">Who it is; null where it is nobody.</param>
/// <param name="WaitSeconds">Above 0: too many tries, the next is looked at after so long.</param>
internal sealed record LoginResult(HttpUser? User, int WaitSeconds);

/// <summary>Checks passwords and tokens, slows down guessing, and writes logins down in the audit. Thread-safe.</summary>
internal sealed class Logins(HttpSettings settings, TokenFile tokens, IAudit audit, TimeProvider time)
{
    private const int RememberedMax = 256;
    private const int WaitingMax = 16;
    private const int BusySeconds = 2;

    // PBKDF2 is slow on purpose: a credential that was right once is remembered by its keyed hash, and one is looked at at a time.
    private readonly ConcurrentDictionary<string, bool> _remembered = new();
    private readonly byte[] _memoryKey = RandomNumberGenerator.GetBytes(32);
    private readonly SemaphoreSlim _checking = new(1, 1);
    private readonly LoginThrottle _passwords = new(time);
    private readonly LoginThrottle _badTokens = new(time);
    private readonly Lazy<string> _nobodysHash = new(() => Password.Hash(""));
    private int _waiting;

    /// <summary>Whether anybody on this machine may do all: no users are set, and only this machine can reach the gateway.</summary>
    internal bool IsOpen => settings.Users.Count == 0 && settings.Listen.IsLoopback;

    /// <summary>A user's password. Takes as long for a name that does not exist. Failures go to the audit.</summary>
    /// <param name="address">Where it comes from, <see cref="LoginThrottle.AddressOf"/>.</param>
    internal async Task<LoginResult> CheckAsync(string name, string password, string address)
    {
        HttpUser? user = settings.Users.FirstOrDefault(u => u.User == name);
        string memory = Convert.ToBase64String(HMACSHA256.HashData(_memoryKey, Encoding.UTF8.GetBytes(name + "\0" + password)));
        if (user is not null && _remembered.ContainsKey(memory))
        {
            return new LoginResult(user, 0);
        }

        if (Interlocked.Increment(ref _waiting) > WaitingMax)
        {
            Interlocked.Decrement(ref _waiting);
            return new LoginResult(null, BusySeconds);
        }

        await _checking.WaitAsync();
        try
        {
            int waitSeconds = _passwords.WaitSeconds(address);
            if (waitSeconds > 0)
            {
                return new LoginResult(null, waitSeconds);
            }

            bool isRight = await Task.Run(() => Password.Verify(password, user?.PasswordHash ?? _nobodysHash.Value)) && user is not null;
            if (!isRight)
            {
                _passwords.Fail(address);

                // The name of nobody may be a password typed into the wrong field.
                audit.Note(user?.User ?? "unknown user", "login", address, "wrong user name or password");
                return new LoginResult(null, 0);
            }

            _passwords.Succeed(address);
            Remember(memory);
            return new LoginResult(user, 0);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
            _checking.Release();
        }
    }

    /// <summary>Whose token this is, or null. A token cannot be guessed, so failures slow nobody down; the audit gets the first few.</summary>
    internal ClaimsPrincipal? CheckToken(string token, string address)
    {
        ApiToken? found = null;
        string reason = "unknown, revoked or expired token";
        try
        {
            found = tokens.Find(token, time.GetUtcNow());
        }
        catch (SiteException e)
        {
            reason = e.Message;
        }

        if (found is not null)
        {
            return CreatePrincipal(found.Name, found.Role, "token");
        }

        if (_badTokens.WaitSeconds(address) == 0)
        {
            _badTokens.Fail(address);
            audit.Note("unknown token", "login", address, reason);
        }

        return null;
    }

    internal static ClaimsPrincipal CreatePrincipal(string name, Role role, string kind, params ReadOnlySpan<Claim> more)
    {
        return new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, name), new Claim(ClaimTypes.Name, name), new Claim(ClaimTypes.Role, role.Name()), .. more], kind));
    }

    private void Remember(string memory)
    {
        if (_remembered.Count >= RememberedMax)
        {
            _remembered.Clear();
        }

        _remembered[memory] = true;
    }
}
