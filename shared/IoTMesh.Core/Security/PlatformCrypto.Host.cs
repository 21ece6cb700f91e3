using System.Security.Cryptography;

namespace IoTMesh.Core;

/// <summary>.NET's own AES and HMAC. Reuses its transforms: no allocation per call on the data path. Not thread-safe per key.</summary>
public sealed class PlatformCrypto : ICrypto
{
    public IBlockCipher CreateAes(byte[] key)
    {
        return new AesKey(key);
    }

    public void HmacSha256(byte[] key, byte[] data, int count, byte[] mac)
    {
        HMACSHA256.HashData(key, new System.ReadOnlySpan<byte>(data, 0, count), mac);
    }

    public void FillRandom(byte[] buffer)
    {
        RandomNumberGenerator.Fill(buffer);
    }

    private sealed class AesKey : IBlockCipher
    {
        private readonly ICryptoTransform _ecb;
        private readonly byte[] _block = new byte[16];

        internal AesKey(byte[] key)
        {
            using Aes aes = Aes.Create();
            aes.Mode = CipherMode.ECB;
            aes.Padding = PaddingMode.None;
            aes.Key = key;
            _ecb = aes.CreateEncryptor();
        }

        public void EncryptBlocks(byte[] input, int count, byte[] output)
        {
            _ecb.TransformBlock(input, 0, count, output, 0);
        }

        public void CbcMac(byte[] input, int count, byte[] mac)
        {
            byte[] block = _block;
            System.Array.Clear(block, 0, 16);
            for (int at = 0; at < count; at += 16)
            {
                for (int i = 0; i < 16; i++)
                {
                    block[i] ^= input[at + i];
                }

                _ecb.TransformBlock(block, 0, 16, block, 0);
            }

            System.Array.Copy(block, 0, mac, 0, 16);
        }
    }
}
