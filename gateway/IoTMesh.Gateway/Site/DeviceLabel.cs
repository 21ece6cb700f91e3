using System.Globalization;
using System.Security.Cryptography;
using IoTMesh.Core;

namespace IoTMesh.Gateway.Site;

/// <summary>
/// What is printed on a device: <c>iotmesh:1?s=SITE&amp;a=ADDRESS&amp;d=DEVICE&amp;k=SECRET</c>; SITE and DEVICE are 16 hex digits, ADDRESS is
/// decimal, SECRET is 32 hex digits. Whoever reads it can act as that device.
/// </summary>
/// <param name="SiteId">Tells the site, and is no secret.</param>
/// <param name="Secret">The device's own secret, 16 bytes.</param>
public sealed record DeviceLabel(string SiteId, ushort Address, string DeviceId, byte[] Secret)
{
    private const string Prefix = "iotmesh:1?";
    private const int IdDigits = 16;

    /// <summary>A site's id: 64 bits that follow from its secret and do not tell it.</summary>
    public static string SiteIdOf(byte[] siteSecret)
    {
        return Convert.ToHexStringLower(HMACSHA256.HashData(siteSecret, "iotmesh site id"u8)[..(IdDigits / 2)]);
    }

    /// <summary>The text of the code.</summary>
    public string Write()
    {
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix}s={SiteId}&a={Address}&d={DeviceId}&k={Convert.ToHexStringLower(Secret)}");
    }

    /// <summary>Reads the text of a code; null where it is none. Fields that are not known are passed over.</summary>
    public static DeviceLabel? Read(string text)
    {
        text = text.Trim();
        if (!text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var fields = new Dictionary<string, string>();
        foreach (string[] field in text[Prefix.Length..].Split('&').Select(f => f.Split('=', 2)))
        {
            if (field.Length != 2 || !fields.TryAdd(field[0].ToLowerInvariant(), field[1].ToLowerInvariant()))
            {
                return null;
            }
        }

        return IsHex(fields, "s", IdDigits) && IsHex(fields, "d", IdDigits) && IsHex(fields, "k", 2 * KeySchedule.KeyLength)
            && ushort.TryParse(fields.GetValueOrDefault("a"), NumberStyles.None, CultureInfo.InvariantCulture, out ushort address)
            && MeshAddress.IsUnicast(address)
            ? new DeviceLabel(fields["s"], address, fields["d"], Convert.FromHexString(fields["k"]))
            : null;
    }

    /// <summary>Never shows the secret.</summary>
    public override string ToString()
    {
        return $"label of device {DeviceId}, address {Address}";
    }

    private static bool IsHex(Dictionary<string, string> fields, string name, int digits)
    {
        return fields.TryGetValue(name, out string? value) && value.Length == digits && value.All(char.IsAsciiHexDigit);
    }
}
