namespace IoTMesh.Core;

/// <summary>
/// Keys that any two nodes of a site share without talking to anyone: shares of a symmetric bivariate polynomial
/// (Blundo et al., 1992) over GF(2^61 - 1). protocol.md 8.3.
/// </summary>
public static class PairwiseKeys
{
    /// <summary>Degree of the polynomial: up to this many stolen nodes together reveal nothing about other pairs.</summary>
    public const int Degree = 31;

    /// <summary>Independent polynomials, hashed into one 128-bit key.</summary>
    public const int Polynomials = 3;

    /// <summary>Bytes of one node's share: three polynomials of 32 coefficients, 8 bytes little-endian each.</summary>
    public const int ShareLength = Polynomials * (Degree + 1) * 8;

    private const ulong Modulus = (1UL << 61) - 1;
    private const int Terms = Degree + 1;

    /// <summary>Computes the share of one address from the site's secret (provisioning only; allocates).</summary>
    /// <param name="siteSecret">At least 16 bytes, known to the site's owner alone.</param>
    public static byte[] CreateShare(ICrypto crypto, byte[] siteSecret, ushort address)
    {
        return CreateShare(CreateCoefficients(crypto, siteSecret), address);
    }

    /// <summary>
    /// The site's polynomials, from which <see cref="CreateShare(ulong[], ushort)"/> makes shares for many nodes. As secret as
    /// the site's secret.
    /// </summary>
    public static ulong[] CreateCoefficients(ICrypto crypto, byte[] siteSecret)
    {
        ulong[] coefficients = new ulong[Polynomials * Terms * Terms];
        byte[] mac = new byte[32];
        for (int polynomial = 0; polynomial < Polynomials; polynomial++)
        {
            for (int i = 0; i < Terms; i++)
            {
                for (int j = i; j < Terms; j++)
                {
                    // That of x^i y^j is that of x^j y^i: that symmetry makes both ends compute the same value.
                    ulong coefficient = Coefficient(crypto, siteSecret, polynomial, i, j, mac);
                    coefficients[(((polynomial * Terms) + i) * Terms) + j] = coefficient;
                    coefficients[(((polynomial * Terms) + j) * Terms) + i] = coefficient;
                }
            }
        }

        return coefficients;
    }

    /// <summary>Computes the share of one address from the site's polynomials.</summary>
    public static byte[] CreateShare(ulong[] coefficients, ushort address)
    {
        byte[] share = new byte[ShareLength];
        ulong[] row = new ulong[Terms];
        for (int polynomial = 0; polynomial < Polynomials; polynomial++)
        {
            System.Array.Clear(row, 0, Terms);
            ulong power = 1;
            for (int i = 0; i < Terms; i++)
            {
                for (int j = 0; j < Terms; j++)
                {
                    row[j] = Add(row[j], Multiply(coefficients[(((polynomial * Terms) + i) * Terms) + j], power));
                }

                power = Multiply(power, address);
            }

            for (int j = 0; j < Terms; j++)
            {
                Bytes.PutU64(share, ((polynomial * Terms) + j) * 8, row[j]);
            }
        }

        return share;
    }

    /// <summary>Writes the 16-byte key that the share's owner (<paramref name="self"/>) has with <paramref name="peer"/>.</summary>
    public static void Derive(ICrypto crypto, byte[] share, ushort self, ushort peer, byte[] key)
    {
        byte[] values = new byte[Polynomials * 8];
        for (int polynomial = 0; polynomial < Polynomials; polynomial++)
        {
            ulong value = 0;
            for (int j = Terms - 1; j >= 0; j--)
            {
                ulong coefficient = Bytes.GetU64(share, ((polynomial * Terms) + j) * 8);
                value = Add(Multiply(value, peer), coefficient);
            }

            Bytes.PutU64(values, polynomial * 8, value);
        }

        ushort low = self < peer ? self : peer;
        ushort high = self < peer ? peer : self;
        byte[] derived = KeySchedule.Derive(crypto, values, KeySchedule.LabelPair, low | (high << 16));
        System.Array.Copy(derived, 0, key, 0, KeySchedule.KeyLength);
    }

    /// <summary>Product in GF(2^61 - 1) with 64-bit words only.</summary>
    internal static ulong Multiply(ulong a, ulong b)
    {
        ulong a1 = a >> 32;
        ulong a0 = a & 0xFFFFFFFF;
        ulong b1 = b >> 32;
        ulong b0 = b & 0xFFFFFFFF;
        ulong middle = (a1 * b0) + (a0 * b1);
        ulong low = a0 * b0;

        // 2^61 is 1, so 2^64 is 8 and bits above 61 fold down.
        ulong sum = (a1 * b1 * 8) + (middle >> 29) + ((middle & 0x1FFFFFFF) << 32) + (low & Modulus) + (low >> 61);
        return Reduce(sum);
    }

    private static ulong Add(ulong a, ulong b)
    {
        return Reduce(a + b);
    }

    private static ulong Reduce(ulong value)
    {
        ulong folded = (value & Modulus) + (value >> 61);
        return folded >= Modulus ? folded - Modulus : folded;
    }

    private static ulong Coefficient(ICrypto crypto, byte[] siteSecret, int polynomial, int low, int high, byte[] mac)
    {
        byte[] info = KeySchedule.MakeInfo(KeySchedule.LabelPair, low | (high << 8) | (polynomial << 16));
        crypto.HmacSha256(siteSecret, info, info.Length, mac);
        return Reduce(Bytes.GetU64(mac, 0) & Modulus);
    }
}
