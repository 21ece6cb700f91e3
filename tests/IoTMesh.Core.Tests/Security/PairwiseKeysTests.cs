using System.Numerics;
using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Security;

/// <summary>protocol.md 8.3.</summary>
public class PairwiseKeysTests
{
    private static readonly PlatformCrypto _crypto = new();
    private static readonly byte[] _secret = Convert.FromHexString("0102030405060708090a0b0c0d0e0f10");

    [Fact]
    public void Both_ends_compute_the_same_key_and_every_pair_another()
    {
        ushort[] addresses = [1, 2, 3, 77, 0x1234, 0xFFEF];
        byte[][] shares = addresses.Select(a => PairwiseKeys.CreateShare(_crypto, _secret, a)).ToArray();
        var keys = new HashSet<string>();
        for (int i = 0; i < addresses.Length; i++)
        {
            for (int j = i + 1; j < addresses.Length; j++)
            {
                byte[] there = new byte[16];
                byte[] back = new byte[16];
                PairwiseKeys.Derive(_crypto, shares[i], addresses[i], addresses[j], there);
                PairwiseKeys.Derive(_crypto, shares[j], addresses[j], addresses[i], back);
                Assert.Equal(there, back);
                Assert.True(keys.Add(Convert.ToHexString(there)));
            }
        }
    }

    [Fact]
    public void Shares_of_another_site_give_other_keys()
    {
        byte[] mine = new byte[16];
        byte[] other = new byte[16];
        PairwiseKeys.Derive(_crypto, PairwiseKeys.CreateShare(_crypto, _secret, 5), 5, 6, mine);
        PairwiseKeys.Derive(_crypto, PairwiseKeys.CreateShare(_crypto, [.. _secret[..15], 0], 5), 5, 6, other);
        Assert.NotEqual(mine, other);
    }

    [Fact]
    public void Products_are_those_of_the_field()
    {
        var random = new Random(3);
        var modulus = (BigInteger.One << 61) - 1;
        ulong[] edges = [0, 1, 2, (1UL << 61) - 2, 1UL << 32, (1UL << 32) - 1, (1UL << 60) + 12345];
        foreach (ulong a in edges)
        {
            foreach (ulong b in edges)
            {
                Assert.Equal((ulong)((BigInteger)a * b % modulus), PairwiseKeys.Multiply(a, b));
            }
        }

        for (int i = 0; i < 20_000; i++)
        {
            ulong a = (ulong)random.NextInt64(1L << 61) % (ulong)modulus;
            ulong b = (ulong)random.NextInt64(1L << 61) % (ulong)modulus;
            Assert.Equal((ulong)((BigInteger)a * b % modulus), PairwiseKeys.Multiply(a, b));
        }
    }
}
