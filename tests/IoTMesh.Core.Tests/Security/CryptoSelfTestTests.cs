using System.Security.Cryptography;
using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Security;

/// <summary>The self-test that a node runs at each start: right primitives pass, and whatever is wrong is named.</summary>
public class CryptoSelfTestTests
{
    [Fact]
    public void The_platforms_primitives_pass()
    {
        Assert.Null(CryptoSelfTest.Run(new PlatformCrypto()));
    }

    [Fact]
    public void The_systems_library_passes_without_the_processors_instructions()
    {
        Assert.Null(CryptoSelfTest.Run(new BrokenCrypto(Defect.None)));
    }

    [Theory]
    [InlineData(Defect.AesBit, "FIPS 197")]
    [InlineData(Defect.EcbChains, "SP 800-38A F.1.1")]
    [InlineData(Defect.CbcChains, "SP 800-38A F.2.1")]
    [InlineData(Defect.CbcIsEcb, "SP 800-38A F.2.1")]
    [InlineData(Defect.HmacBit, "RFC 4231")]
    [InlineData(Defect.HmacWholeArray, "RFC 5869")]
    [InlineData(Defect.Throws, "threw")]
    public void A_wrong_primitive_is_named(Defect defect, string expected)
    {
        Assert.Contains(expected, CryptoSelfTest.Run(new BrokenCrypto(defect)), StringComparison.Ordinal);
    }

    public enum Defect
    {
        None,
        AesBit,
        EcbChains,
        CbcChains,
        CbcIsEcb,
        HmacBit,
        HmacWholeArray,
        Throws,
    }

    /// <summary>The system's library with one defect that a binding to natives could have.</summary>
    private sealed class BrokenCrypto(Defect defect) : ICrypto
    {
        public IBlockCipher CreateAes(byte[] key)
        {
            return defect == Defect.Throws ? throw new NotSupportedException() : new BrokenAes(key, defect);
        }

        public void HmacSha256(byte[] key, byte[] data, int count, byte[] mac)
        {
            // Keys of 32 bytes are those of the second step of a derivation.
            bool isWrong = defect == Defect.HmacBit || (defect == Defect.HmacWholeArray && key.Length == 32);
            HMACSHA256.HashData(key, isWrong ? [.. data.AsSpan(0, count), 0] : data.AsSpan(0, count), mac);
        }

        public void FillRandom(byte[] buffer)
        {
            RandomNumberGenerator.Fill(buffer);
        }
    }

    private sealed class BrokenAes(byte[] key, Defect defect) : IBlockCipher
    {
        private readonly PlatformCrypto.LibraryAes _aes = new(key);
        private byte[] _chained = new byte[16];

        public void EncryptBlocks(byte[] input, int count, byte[] output)
        {
            _aes.EncryptBlocks(input, count, output);
            output[5] ^= (byte)(defect == Defect.AesBit ? 1 : 0);
            if (defect == Defect.EcbChains && count > 16)
            {
                byte[] second = [.. input.AsSpan(16, 16)];
                for (int i = 0; i < 16; i++)
                {
                    second[i] ^= output[i];
                }

                byte[] block = new byte[16];
                _aes.EncryptBlocks(second, 16, block);
                block.CopyTo(output, 16);
            }
        }

        public void CbcMac(byte[] input, int count, byte[] mac)
        {
            byte[] first = [.. input.AsSpan(0, count)];
            for (int i = 0; i < 16 && defect == Defect.CbcChains; i++)
            {
                first[i] ^= _chained[i];
            }

            _aes.CbcMac(first, count, mac);
            _chained = [.. mac];
            if (defect == Defect.CbcIsEcb)
            {
                _aes.EncryptBlocks(first[^16..], 16, mac);
            }
        }
    }
}
