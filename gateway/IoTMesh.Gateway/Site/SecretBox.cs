using System.Security.Cryptography;
using System.Text;

namespace IoTMesh.Gateway.Site;

/// <summary>
/// Seals what must not be read at rest: AES-256-GCM (NIST SP 800-38D) under a key that is not kept in the database. The key comes from the
/// file that is named, from <c>$IOTMESH_KEY</c>, from systemd's credential <c>iotmesh-key</c>, or from <c>site.key</c> in the data folder.
/// </summary>
public sealed class SecretBox
{
    /// <summary>Names a key file.</summary>
    public const string KeyVariable = "IOTMESH_KEY";

    /// <summary>Name of the systemd credential (systemd.exec(5), LoadCredentialEncrypted=).</summary>
    public const string CredentialName = "iotmesh-key";

    /// <summary>The key file of a data folder, where no other is named.</summary>
    public const string KeyFileName = "site.key";

    private const int KeyLength = 32;
    private const int IdLength = 4;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int HeaderLength = 3 + IdLength;
    private const string TextPrefix = "sealed:";
    private static readonly byte[] _mark = "IS\u0001"u8.ToArray();

    private readonly byte[] _key;
    private readonly byte[] _id;
    private readonly string _origin;

    private SecretBox(byte[] key, string origin)
    {
        _key = key;
        _origin = origin;
        _id = HMACSHA256.HashData(key, "iotmesh key id"u8)[..IdLength];
    }

    /// <summary>A box with a key of this process alone, for sites that are gone with it.</summary>
    public static SecretBox CreateForProcess()
    {
        return new SecretBox(RandomNumberGenerator.GetBytes(KeyLength), "this process");
    }

    /// <summary>Opens the key of a data folder. Throws <see cref="SiteException"/> with one line.</summary>
    /// <param name="keyFile">A key file that was named, or null.</param>
    /// <param name="mayCreate">True where nothing is sealed yet: a key file that does not exist is made.</param>
    public static SecretBox Open(string folder, string? keyFile, bool mayCreate)
    {
        string? named = keyFile ?? NonEmpty(Environment.GetEnvironmentVariable(KeyVariable));
        if (named is null && CredentialFile() is { } credential)
        {
            // Its mode is systemd's affair: an access list that names the service's user shows as a group's bits.
            return new SecretBox(ReadKey(credential), "systemd's credential " + CredentialName);
        }

        string file = Path.GetFullPath(named ?? Path.Combine(folder, KeyFileName));
        if (!File.Exists(file))
        {
            if (!mayCreate)
            {
                throw new SiteException(
                    $"{file}: the key that opens this site's secrets is missing; restore it, or name it with --key, \"keys.file\" or ${KeyVariable}");
            }

            SecretFile.Create(file, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyLength)) + "\n");
        }

        SecretFile.CheckMode(file);
        return new SecretBox(ReadKey(file), file);
    }

    /// <summary>Seals a secret under a name; it opens under the same name only.</summary>
    public byte[] Seal(ReadOnlySpan<byte> secret, string name)
    {
        var box = new byte[HeaderLength + NonceLength + TagLength + secret.Length];
        _mark.CopyTo(box, 0);
        _id.CopyTo(box, _mark.Length);
        Span<byte> nonce = box.AsSpan(HeaderLength, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagLength);
        aes.Encrypt(
            nonce, secret, box.AsSpan(HeaderLength + NonceLength + TagLength), box.AsSpan(HeaderLength + NonceLength, TagLength), Bind(name));
        return box;
    }

    /// <summary>The secret, or a <see cref="SiteException"/> that says why not and never shows it.</summary>
    public byte[] Open(ReadOnlySpan<byte> box, string name)
    {
        if (!IsSealed(box))
        {
            throw new SiteException($"{name}: is damaged; restore it from a backup, the devices' keys depend on it");
        }

        if (!box.Slice(_mark.Length, IdLength).SequenceEqual(_id))
        {
            throw new SiteException(
                $"{name}: was sealed with another key than {_origin}; name the right one with --key, \"keys.file\" or ${KeyVariable}");
        }

        var secret = new byte[box.Length - HeaderLength - NonceLength - TagLength];
        try
        {
            using var aes = new AesGcm(_key, TagLength);
            aes.Decrypt(
                box.Slice(HeaderLength, NonceLength), box[(HeaderLength + NonceLength + TagLength)..],
                box.Slice(HeaderLength + NonceLength, TagLength), secret, Bind(name));
            return secret;
        }
        catch (CryptographicException)
        {
            throw new SiteException($"{name}: is damaged; restore it from a backup, the devices' keys depend on it");
        }
    }

    /// <summary>The sealed secret as a line of text.</summary>
    internal string SealText(ReadOnlySpan<byte> secret, string name)
    {
        return TextPrefix + Convert.ToBase64String(Seal(secret, name)) + "\n";
    }

    /// <summary>The bytes of a line that <see cref="SealText"/> made; null where it is none.</summary>
    internal static byte[]? ReadText(string text)
    {
        var bytes = new byte[text.Length];
        return text.StartsWith(TextPrefix, StringComparison.Ordinal)
            && Convert.TryFromBase64String(text[TextPrefix.Length..].Trim(), bytes, out int count) ? bytes[..count] : null;
    }

    internal static bool IsSealed(ReadOnlySpan<byte> bytes)
    {
        return bytes.Length >= HeaderLength + NonceLength + TagLength && bytes.StartsWith(_mark);
    }

    private static byte[] Bind(string name)
    {
        return Encoding.UTF8.GetBytes("iotmesh " + name);
    }

    private static string? CredentialFile()
    {
        string? folder = NonEmpty(Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY"));
        string file = Path.Combine(folder ?? "", CredentialName);
        return folder is not null && File.Exists(file) ? file : null;
    }

    private static byte[] ReadKey(string file)
    {
        string text = File.ReadAllText(file).Trim();
        return text.Length == 2 * KeyLength && text.All(char.IsAsciiHexDigit)
            ? Convert.FromHexString(text)
            : throw new SiteException($"{file}: is no key ({2 * KeyLength} hex digits expected); restore it, this site's secrets open with it alone");
    }

    private static string? NonEmpty(string? text)
    {
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }
}
