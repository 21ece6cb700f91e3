using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;

namespace IoTMesh.Gateway.Http;

/// <summary>A program's key to the gateway. The token itself is 256 random bits, shown once; only its SHA-256 is kept.</summary>
/// <param name="Sha256">64 hex digits.</param>
/// <param name="Expires">Null: never.</param>
public sealed record ApiToken(string Name, Role Role, string Sha256, DateTimeOffset Created, DateTimeOffset? Expires);

/// <summary>
/// The tokens of a site: <c>tokens.json</c> in the data folder, mode 0600. The command line writes it beside a running gateway, which reads
/// it again when it changes. A file that cannot be read lets nobody in. Thread-safe.
/// </summary>
/// <param name="folder">The data folder; null keeps the tokens in memory.</param>
internal sealed class TokenFile(string? folder)
{
    internal const int TokensMax = 256;

    private const string Prefix = "iotm_";
    private const int SecretLength = 32;
    private const int WaitTries = 50;
    private const int WaitMs = 20;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    private readonly Lock _gate = new();
    private IReadOnlyList<ApiToken> _tokens = [];
    private (DateTime Written, long Length) _read;

    internal string? Path { get; } = folder is null ? null : System.IO.Path.Combine(folder, "tokens.json");

    /// <summary>Makes an empty file where there is none: it then is the gateway's own, also where root adds a token.</summary>
    internal void CreateIfMissing()
    {
        if (Path is not null && !File.Exists(Path))
        {
            Change(tokens => tokens);
        }
    }

    /// <summary>Throws <see cref="SiteException"/> with one line where the file is damaged or open to others.</summary>
    internal IReadOnlyList<ApiToken> Load()
    {
        lock (_gate)
        {
            if (Path is null)
            {
                return _tokens;
            }

            var file = new FileInfo(Path);
            if (!file.Exists)
            {
                _read = default;
                return _tokens = [];
            }

            if ((file.LastWriteTimeUtc, file.Length) != _read)
            {
                _tokens = [];
                _tokens = Read(Path);
                _read = (file.LastWriteTimeUtc, file.Length);
            }

            return _tokens;
        }
    }

    /// <summary>The token that is good now, or null. Takes the same time whichever it is.</summary>
    internal ApiToken? Find(string presented, DateTimeOffset now)
    {
        byte[] hash = Encoding.ASCII.GetBytes(Hash(presented));
        ApiToken? found = null;
        foreach (ApiToken token in Load())
        {
            bool isIt = CryptographicOperations.FixedTimeEquals(hash, Encoding.ASCII.GetBytes(token.Sha256));
            found = isIt && (token.Expires is null || token.Expires > now) ? token : found;
        }

        return found;
    }

    /// <summary>Makes a token and returns it: it cannot be shown again. Throws <see cref="SiteException"/> where that name is taken.</summary>
    internal string Create(string name, Role role, int? days, DateTimeOffset now)
    {
        if (CheckName(name) is { } problem)
        {
            throw new SiteException($"a token's name {problem}");
        }

        string token = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretLength)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        Change(tokens =>
        {
            if (tokens.Any(t => t.Name == name))
            {
                throw new SiteException($"there is a token {name} already; revoke it, or choose another name");
            }

            return tokens.Count < TokensMax
                ? [.. tokens, new ApiToken(name, role, Hash(token), now, days is null ? null : now.AddDays(days.Value))]
                : throw new SiteException($"there are {TokensMax} tokens already; revoke some");
        });
        return token;
    }

    /// <returns>False where there is none of that name.</returns>
    internal bool Revoke(string name)
    {
        bool isKnown = false;
        Change(tokens =>
        {
            isKnown = tokens.Any(t => t.Name == name);
            return [.. tokens.Where(t => t.Name != name)];
        });
        return isKnown;
    }

    /// <summary>Null for a good name, else what is wrong with it.</summary>
    internal static string? CheckName(string name)
    {
        bool isGood = name.Length is > 0 and <= 48 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        return isGood ? null : $"must be 1 to 48 characters a-z, A-Z, 0-9, - _ and ., is \"{name}\"";
    }

    private static string Hash(string token)
    {
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
    }

    private static IReadOnlyList<ApiToken> Read(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new SiteException($"{path}: can be read by others; make it private with: chmod 600 {path}");
        }

        using FileStream stream = Open(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Parse(path, stream);
    }

    private static IReadOnlyList<ApiToken> Parse(string path, Stream stream)
    {
        try
        {
            List<ApiToken> tokens = stream.Length == 0 ? [] : JsonSerializer.Deserialize<List<ApiToken>>(stream, _json) ?? [];
            return tokens.All(t => t is not null && t.Sha256.Length == 64 && CheckName(t.Name) is null)
                ? tokens
                : throw new SiteException($"{path}: is damaged; restore it, or delete it and make the tokens anew");
        }
        catch (JsonException e)
        {
            string reason = e.Message.ReplaceLineEndings(" ").TrimEnd('.');
            throw new SiteException($"{path}: is damaged ({reason}); restore it, or delete it and make the tokens anew");
        }
    }

    // In place, so that the file stays its owner's where root adds a token to a service's; others wait for the lock meanwhile.
    private void Change(Func<IReadOnlyList<ApiToken>, IReadOnlyList<ApiToken>> change)
    {
        lock (_gate)
        {
            if (Path is null)
            {
                _tokens = change(_tokens);
                return;
            }

            using FileStream stream = Open(Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(change(Parse(Path, stream)), _json);
            stream.Position = 0;
            stream.SetLength(0);
            stream.Write([.. json, (byte)'\n']);
            stream.Flush(flushToDisk: true);
        }
    }

    private static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share };
        if (mode == FileMode.OpenOrCreate && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        for (int tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(path, options);
            }
            catch (IOException) when (tries < WaitTries)
            {
                Thread.Sleep(WaitMs); // another process changes it
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new SiteException($"{path}: cannot be opened: {e.Message}");
            }
        }
    }
}
