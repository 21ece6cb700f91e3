using System.Globalization;
using System.Security.Cryptography;

namespace IoTMesh.Gateway.Settings;

/// <summary>Passwords and tokens as <c>pbkdf2-sha256$iterations$salt$hash</c> (RFC 8018), salt and hash in base 64.</summary>
public static class Password
{
    private const string Scheme = "pbkdf2-sha256";
    private const int Iterations = 210_000;
    private const int IterationsMin = 10_000;
    private const int IterationsMax = 10_000_000;
    private const int SaltLength = 16;
    private const int HashLength = 32;

    public static string Hash(string password)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(SaltLength);
        byte[] hash = Rfc2898DeriveBytes.Pbkdf2(password, salt, Iterations, HashAlgorithmName.SHA256, HashLength);
        return string.Create(CultureInfo.InvariantCulture, $"{Scheme}${Iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}");
    }

    /// <summary>Compares in constant time. A hash that is not well-formed matches nothing.</summary>
    public static bool Verify(string password, string stored)
    {
        if (!TrySplit(stored, out int iterations, out byte[] salt, out byte[] hash))
        {
            return false;
        }

        byte[] mine = Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, hash.Length);
        return CryptographicOperations.FixedTimeEquals(mine, hash);
    }

    /// <summary>Null for a well-formed hash, else what to do.</summary>
    internal static string? CheckHash(string stored)
    {
        return TrySplit(stored, out _, out _, out _) ? null : "is not a hash that iotmesh hash-password prints";
    }

    private static bool TrySplit(string stored, out int iterations, out byte[] salt, out byte[] hash)
    {
        iterations = 0;
        salt = hash = [];
        string[] parts = stored.Split('$');
        if (parts.Length != 4 || parts[0] != Scheme || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out iterations))
        {
            return false;
        }

        var bytes = new byte[64];
        if (!Convert.TryFromBase64String(parts[2], bytes, out int saltLength) || saltLength < 8)
        {
            return false;
        }

        salt = bytes[..saltLength];
        if (!Convert.TryFromBase64String(parts[3], bytes, out int hashLength) || hashLength < 16)
        {
            return false;
        }

        hash = bytes[..hashLength];
        return iterations is >= IterationsMin and <= IterationsMax;
    }
}
