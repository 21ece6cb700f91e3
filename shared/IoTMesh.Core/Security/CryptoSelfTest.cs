namespace IoTMesh.Core;

/// <summary>
/// The platform's primitives against published vectors: FIPS 197, SP 800-38A, RFC 4493, RFC 3610, RFC 4231, RFC 5869. A node runs
/// it at each start and stays off the air where anything is wrong, since frames under a broken cipher would give its keys away.
/// Some 30 native calls: a few ms on the device. Allocates; what it allocates is garbage when it returns.
/// </summary>
public static class CryptoSelfTest
{
    private const int BlockLength = 16;
    private const string Key = "2b7e151628aed2a6abf7158809cf4f3c";
    private const string Text = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        + "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

    /// <summary>The name of the first vector that comes out wrong, or null where all are right.</summary>
    public static string Run(ICrypto crypto)
    {
        try
        {
            return RunBlocks(crypto) ?? RunModes(crypto) ?? RunHashes(crypto);
        }
        catch (System.Exception error)
        {
            // A platform without these natives throws; that is as wrong as a wrong block.
            return "a call that threw " + error.GetType().Name;
        }
    }

    private static string RunBlocks(ICrypto crypto)
    {
        const string Fips = "FIPS 197 appendix C.1";
        byte[] block = FromHex("00112233445566778899aabbccddeeff");
        IBlockCipher cipher = crypto.CreateAes(FromHex("000102030405060708090a0b0c0d0e0f"));
        byte[] output = new byte[BlockLength];
        cipher.EncryptBlocks(block, BlockLength, output);
        if (!IsEqual(output, "69c4e0d86a7b0430d8cdb78070b4c55a"))
        {
            return Fips;
        }

        // Four blocks, so that a call which chains where it must not shows, and twice, so that state left behind does.
        byte[] text = FromHex(Text);
        byte[] blocks = new byte[text.Length];
        cipher = crypto.CreateAes(FromHex(Key));
        for (int i = 0; i < 2; i++)
        {
            cipher.EncryptBlocks(text, text.Length, blocks);
            if (!IsEqual(blocks, "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
                + "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4"))
            {
                return "SP 800-38A F.1.1 (ECB)";
            }
        }

        return RunCbc(cipher, text) ?? RunCounters(cipher, text, blocks);
    }

    // The vector has an IV, CbcMac has none: to add the IV to the first block is the same.
    private static string RunCbc(IBlockCipher cipher, byte[] text)
    {
        byte[] input = new byte[text.Length];
        System.Array.Copy(text, 0, input, 0, text.Length);
        for (int i = 0; i < BlockLength; i++)
        {
            input[i] ^= (byte)i;
        }

        byte[] mac = new byte[BlockLength];
        for (int i = 0; i < 2; i++)
        {
            cipher.CbcMac(input, input.Length, mac);
            if (!IsEqual(mac, "3ff1caa1681fac09120eca307586e1a7"))
            {
                return "SP 800-38A F.2.1 (CBC)";
            }
        }

        return null;
    }

    private static string RunCounters(IBlockCipher cipher, byte[] text, byte[] stream)
    {
        byte[] counters = new byte[text.Length];
        for (int at = 0; at < counters.Length; at += BlockLength)
        {
            for (int i = 0; i < BlockLength; i++)
            {
                counters[at + i] = (byte)(0xF0 + i);
            }

            // f0f1 .. feff, then one more for each block: the last two bytes carry.
            int low = 0xFEFF + (at / BlockLength);
            counters[at + BlockLength - 2] = (byte)(low >> 8);
            counters[at + BlockLength - 1] = (byte)low;
        }

        cipher.EncryptBlocks(counters, counters.Length, stream);
        for (int i = 0; i < text.Length; i++)
        {
            stream[i] ^= text[i];
        }

        return IsEqual(stream, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
            + "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee") ? null : "SP 800-38A F.5.1 (CTR)";
    }

    private static string RunModes(ICrypto crypto)
    {
        byte[] text = FromHex(Text);
        Cmac cmac = new Cmac(crypto.CreateAes(FromHex(Key)), text.Length);
        string[] macs =
        {
            "bb1d6929e95937287fa37d129b756746", "070a16b46b4d4144f79bdd9dd04a287c",
            "dfa66747de9ae63030ca32611497c827", "51f0bebf7e3b9d92fc49741779363cfe",
        };
        int[] lengths = { 0, 16, 40, 64 };
        for (int i = 0; i < macs.Length; i++)
        {
            cmac.Compute(text, 0, lengths[i]);
            if (!IsEqual(cmac.Mac, macs[i]))
            {
                return "RFC 4493 section 4 (CMAC)";
            }
        }

        // RFC 3610 section 8, packet vector 1.
        byte[] aad = FromHex("0001020304050607");
        byte[] nonce = FromHex("00000003020100a0a1a2a3a4a5");
        byte[] plain = FromHex("08090a0b0c0d0e0f101112131415161718191a1b1c1d1e");
        byte[] buffer = new byte[plain.Length + Ccm.TagLength];
        System.Array.Copy(plain, 0, buffer, 0, plain.Length);
        Ccm ccm = new Ccm(plain.Length + aad.Length);
        IBlockCipher cipher = crypto.CreateAes(FromHex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"));
        ccm.Seal(cipher, nonce, aad, aad.Length, buffer, 0, plain.Length);
        bool isSealed = IsEqual(buffer, "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0");
        buffer[0] ^= 1;
        bool isRefused = !ccm.Open(cipher, nonce, aad, aad.Length, buffer, 0, plain.Length);
        return isSealed && isRefused ? null : "RFC 3610 packet vector 1 (CCM)";
    }

    private static string RunHashes(ICrypto crypto)
    {
        byte[] data = FromHex("7768617420646f2079612077616e7420666f72206e6f7468696e673f");
        byte[] mac = new byte[32];
        crypto.HmacSha256(FromHex("4a656665"), data, data.Length, mac);
        if (!IsEqual(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"))
        {
            return "RFC 4231 test case 2 (HMAC-SHA256)";
        }

        byte[] salt = FromHex("000102030405060708090a0b0c");
        byte[] info = FromHex("f0f1f2f3f4f5f6f7f8f9");
        byte[] okm = KeySchedule.Hkdf(crypto, salt, FromHex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), info, 32);
        return IsEqual(okm, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf") ? null : "RFC 5869 test case 1 (HKDF)";
    }

    private static bool IsEqual(byte[] actual, string expected)
    {
        byte[] bytes = FromHex(expected);
        for (int i = 0; i < bytes.Length; i++)
        {
            if (actual[i] != bytes[i])
            {
                return false;
            }
        }

        return actual.Length == bytes.Length;
    }

    private static byte[] FromHex(string text)
    {
        byte[] bytes = new byte[text.Length / 2];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)((Digit(text[2 * i]) << 4) | Digit(text[(2 * i) + 1]));
        }

        return bytes;
    }

    private static int Digit(char c)
    {
        return c <= '9' ? c - '0' : c - 'a' + 10;
    }
}
