using System.Security.Cryptography;
using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Security;

/// <summary>The primitives against the published vectors of their standards.</summary>
public class CryptoVectorTests
{
    private const string Sp80038Key = "2b7e151628aed2a6abf7158809cf4f3c";
    private const string Sp80038Text = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        + "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

    private static readonly PlatformCrypto _crypto = new();

    /// <summary>The class that <see cref="PlatformCrypto"/> takes here, and the one that it takes on other processors.</summary>
    private static IEnumerable<IBlockCipher> CiphersOf(byte[] key)
    {
        yield return _crypto.CreateAes(key);
        yield return new PlatformCrypto.LibraryAes(key);
        if (HardwareAes.IsSupported)
        {
            yield return new HardwareAes(key);
        }
    }

    [Theory]
    [InlineData("000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a")]
    [InlineData(Sp80038Key, Sp80038Text, "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
        + "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4")]
    public void Aes_blocks_are_those_of_FIPS_197_and_SP_800_38A(string key, string text, string expected)
    {
        byte[] input = Convert.FromHexString(text);
        foreach (IBlockCipher cipher in CiphersOf(Convert.FromHexString(key)))
        {
            Assert.Equal(expected, Convert.ToHexStringLower(Encrypt(cipher, input, input.Length)));
        }
    }

    [Fact]
    public void Cbc_mac_is_the_last_block_of_a_cbc_encryption_with_a_zero_iv()
    {
        byte[] text = Convert.FromHexString(Sp80038Text);
        using Aes aes = Aes.Create();
        aes.Key = Convert.FromHexString(Sp80038Key);
        byte[] expected = aes.EncryptCbc(text, new byte[16], PaddingMode.None)[^16..];
        foreach (IBlockCipher cipher in CiphersOf(aes.Key))
        {
            Assert.Equal(expected, CbcMac(cipher, text, text.Length));
            Assert.Equal(expected, CbcMac(cipher, text, text.Length));
        }
    }

    // Each block of the ciphertext is the MAC of the text up to it, with the IV added to the first block.
    [Theory]
    [InlineData(1, "7649abac8119b246cee98e9b12e9197d")]
    [InlineData(2, "5086cb9b507219ee95db113a917678b2")]
    [InlineData(3, "73bed6b8e3c1743b7116e69e22229516")]
    [InlineData(4, "3ff1caa1681fac09120eca307586e1a7")]
    public void Cbc_blocks_are_those_of_SP_800_38A_F_2_1(int blocks, string expected)
    {
        byte[] text = Convert.FromHexString(Sp80038Text);
        for (int i = 0; i < 16; i++)
        {
            text[i] ^= (byte)i;
        }

        foreach (IBlockCipher cipher in CiphersOf(Convert.FromHexString(Sp80038Key)))
        {
            Assert.Equal(expected, Convert.ToHexStringLower(CbcMac(cipher, text, blocks * 16)));
        }
    }

    [Fact]
    public void Counter_blocks_make_the_stream_of_SP_800_38A_F_5_1()
    {
        byte[] counters = Convert.FromHexString("f0f1f2f3f4f5f6f7f8f9fafbfcfdfefff0f1f2f3f4f5f6f7f8f9fafbfcfdff00"
            + "f0f1f2f3f4f5f6f7f8f9fafbfcfdff01f0f1f2f3f4f5f6f7f8f9fafbfcfdff02");
        byte[] text = Convert.FromHexString(Sp80038Text);
        foreach (IBlockCipher cipher in CiphersOf(Convert.FromHexString(Sp80038Key)))
        {
            byte[] stream = Encrypt(cipher, counters, counters.Length);
            byte[] output = [.. text.Select((b, i) => (byte)(b ^ stream[i]))];
            Assert.Equal("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
                + "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee", Convert.ToHexStringLower(output));
        }
    }

    /// <summary>A gateway on a processor without AES instructions must speak to one that has them.</summary>
    [Fact]
    public void The_systems_library_and_the_processor_agree()
    {
        var random = new Random(7);
        byte[] key = new byte[16];
        byte[] text = new byte[320];
        for (int i = 0; i < 50; i++)
        {
            random.NextBytes(key);
            IBlockCipher one = new PlatformCrypto.LibraryAes(key);
            IBlockCipher other = HardwareAes.IsSupported ? new HardwareAes(key) : new PlatformCrypto.LibraryAes(key);
            for (int blocks = 1; blocks <= 20; blocks++)
            {
                random.NextBytes(text);
                Assert.Equal(Encrypt(one, text, blocks * 16), Encrypt(other, text, blocks * 16));
                Assert.Equal(CbcMac(one, text, blocks * 16), CbcMac(other, text, blocks * 16));
                Assert.Equal(CbcMac(one, text, blocks * 16), CbcMac(other, text, blocks * 16));
            }
        }
    }

    private static byte[] Encrypt(IBlockCipher cipher, byte[] text, int count)
    {
        byte[] output = new byte[count];
        cipher.EncryptBlocks(text, count, output);
        return output;
    }

    private static byte[] CbcMac(IBlockCipher cipher, byte[] text, int count)
    {
        byte[] mac = new byte[16];
        cipher.CbcMac(text, count, mac);
        return mac;
    }

    [Theory]
    [InlineData(0, "bb1d6929e95937287fa37d129b756746")]
    [InlineData(16, "070a16b46b4d4144f79bdd9dd04a287c")]
    [InlineData(40, "dfa66747de9ae63030ca32611497c827")]
    [InlineData(64, "51f0bebf7e3b9d92fc49741779363cfe")]
    public void Cmac_is_that_of_RFC_4493_section_4(int length, string expected)
    {
        byte[] text = Convert.FromHexString(Sp80038Text);
        foreach (IBlockCipher cipher in CiphersOf(Convert.FromHexString(Sp80038Key)))
        {
            var cmac = new Cmac(cipher, 64);
            cmac.Compute(text, 0, length);
            Assert.Equal(expected, Convert.ToHexStringLower(cmac.Mac));
            if (length >= 2)
            {
                cmac.Compute(Bytes.GetU16(text, 0), text, 2, length - 2);
                Assert.Equal(expected, Convert.ToHexStringLower(cmac.Mac));
            }
        }
    }

    // Packet vectors 1 to 6 and 13 to 15: those with an 8-byte tag.
    [Theory]
    [InlineData("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000003020100a0a1a2a3a4a5", "0001020304050607",
        "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e", "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0")]
    [InlineData("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000004030201a0a1a2a3a4a5", "0001020304050607",
        "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3ba091d56e10400916")]
    [InlineData("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000005040302a0a1a2a3a4a5", "0001020304050607",
        "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", "51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da8596574adaa76fbd9fb0c5")]
    [InlineData("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000006050403a0a1a2a3a4a5", "000102030405060708090a0b",
        "0c0d0e0f101112131415161718191a1b1c1d1e", "a28c6865939a9a79faaa5c4c2a9d4a91cdac8c96c861b9c9e61ef1")]
    [InlineData("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000007060504a0a1a2a3a4a5", "000102030405060708090a0b",
        "0c0d0e0f101112131415161718191a1b1c1d1e1f", "dcf1fb7b5d9e23fb9d4e131253658ad86ebdca3e51e83f077d9c2d93")]
    [InlineData("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000008070605a0a1a2a3a4a5", "000102030405060708090a0b",
        "0c0d0e0f101112131415161718191a1b1c1d1e1f20", "6fc1b011f006568b5171a42d953d469b2570a4bd87405a0443ac91cb94")]
    [InlineData("d7828d13b2b0bdc325a76236df93cc6b", "00412b4ea9cdbe3c9696766cfa", "0be1a88bace018b1",
        "08e8cf97d820ea258460e96ad9cf5289054d895ceac47c", "4cb97f86a2a4689a877947ab8091ef5386a6ffbdd080f8e78cf7cb0cddd7b3")]
    [InlineData("d7828d13b2b0bdc325a76236df93cc6b", "0033568ef7b2633c9696766cfa", "63018f76dc8a1bcb",
        "9020ea6f91bdd85afa0039ba4baff9bfb79c7028949cd0ec", "4ccb1e7ca981befaa0726c55d378061298c85c92814abc33c52ee81d7d77c08a")]
    [InlineData("d7828d13b2b0bdc325a76236df93cc6b", "00103fe41336713c9696766cfa", "aa6cfa36cae86b40",
        "b916e0eacc1c00d7dcec68ec0b3bbb1a02de8a2d1aa346132e", "b1d23a2220ddc0ac900d9aa03c61fcf4a559a4417767089708a776796edb723506")]
    public void Ccm_is_that_of_RFC_3610_section_8(string key, string nonce, string aad, string text, string expected)
    {
        byte[] plain = Convert.FromHexString(text);
        byte[] header = Convert.FromHexString(aad);
        var ccm = new Ccm(64);
        foreach (IBlockCipher cipher in CiphersOf(Convert.FromHexString(key)))
        {
            byte[] buffer = new byte[plain.Length + Ccm.TagLength];
            plain.CopyTo(buffer, 0);
            ccm.Seal(cipher, Convert.FromHexString(nonce), header, header.Length, buffer, 0, plain.Length);
            Assert.Equal(expected, Convert.ToHexStringLower(buffer));
            Assert.True(ccm.Open(cipher, Convert.FromHexString(nonce), header, header.Length, buffer, 0, plain.Length));
            Assert.Equal(plain, buffer[..plain.Length]);
        }
    }

    [Fact]
    public void Ccm_agrees_with_the_platforms_own_for_every_length_and_refuses_every_flipped_bit()
    {
        byte[] key = Convert.FromHexString(Sp80038Key);
        byte[] nonce = Convert.FromHexString("00000003020100a0a1a2a3a4a5");
        using var reference = new AesCcm(key);
        IBlockCipher cipher = _crypto.CreateAes(key);
        var ccm = new Ccm(200);
        for (int length = 0; length <= 190; length++)
        {
            byte[] plain = Enumerable.Range(0, length).Select(i => (byte)(i * 7)).ToArray();
            byte[] text = new byte[length];
            byte[] tag = new byte[8];
            reference.Encrypt(nonce, plain, text, tag);
            byte[] buffer = [.. plain, .. new byte[8]];
            ccm.Seal(cipher, nonce, null, 0, buffer, 0, length);
            Assert.Equal([.. text, .. tag], buffer);
        }

        byte[] sealedBytes = [1, 2, 3, 4, 5, .. new byte[8]];
        ccm.Seal(cipher, nonce, null, 0, sealedBytes, 0, 5);
        for (int bit = 0; bit < sealedBytes.Length * 8; bit++)
        {
            byte[] broken = [.. sealedBytes];
            broken[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(ccm.Open(cipher, nonce, null, 0, broken, 0, 5), $"bit {bit}");
        }
    }

    // Appendix A; the first 32 bytes of the output are what the schedule can make.
    [Theory]
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf")]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
        + "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
        "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
        + "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
        "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
        + "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c")]
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d")]
    public void Hkdf_is_that_of_RFC_5869(string secret, string salt, string info, string expected)
    {
        byte[] okm = KeySchedule.Hkdf(
            _crypto, Convert.FromHexString(salt), Convert.FromHexString(secret), Convert.FromHexString(info), 32);
        Assert.Equal(expected, Convert.ToHexStringLower(okm));
    }

    [Theory]
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")]
    [InlineData("4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe")]
    [InlineData("0102030405060708090a0b0c0d0e0f10111213141516171819",
        "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b")]
    public void Hmac_is_that_of_RFC_4231(string key, string data, string expected)
    {
        byte[] input = [.. Convert.FromHexString(data), 0xEE];
        byte[] mac = new byte[32];
        _crypto.HmacSha256(Convert.FromHexString(key), input, input.Length - 1, mac);
        Assert.Equal(expected, Convert.ToHexStringLower(mac));
    }
}
