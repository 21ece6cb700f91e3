using System.Security.Cryptography;

namespace IoTMesh.Core;

/// <summary>AES of the processor or else of .NET, and .NET's HMAC. No allocation per call on the data path. Not thread-safe per key.</summary>
public sealed class PlatformCrypto : ICrypto
{
    public IBlockCipher CreateAes(byte[] key)
    {
        return HardwareAes.IsSupported ? new HardwareAes(key) : new LibraryAes(key);
    }

    public void HmacSha256(byte[] key, byte[] data, int count, byte[] mac)
    {
        HMACSHA256.HashData(key, new System.ReadOnlySpan<byte>(data, 0, count), mac);
    }

    public void FillRandom(byte[] buffer)
    {
        RandomNumberGenerator.Fill(buffer);
    }

    /// <summary>
    /// AES of the system's library. One call for a MAC however many blocks it has: the transform chains on from its last block,
    /// so that block is added to the first one of the next MAC and cancels out.
    /// </summary>
    internal sealed class LibraryAes : IBlockCipher
    {
        private const int BlockLength = 16;
        private readonly ICryptoTransform _ecb;
        private readonly ICryptoTransform _cbc;
        private readonly byte[] _chained = new byte[BlockLength];
        private byte[] _scratch = new byte[256];

        internal LibraryAes(byte[] key)
        {
            using Aes aes = Aes.Create();
            aes.Padding = PaddingMode.None;
            aes.Key = key;
            aes.Mode = CipherMode.ECB;
            _ecb = aes.CreateEncryptor();
            aes.Mode = CipherMode.CBC;
            aes.IV = _chained;
            _cbc = aes.CreateEncryptor();
        }

        public void EncryptBlocks(byte[] input, int count, byte[] output)
        {
            _ecb.TransformBlock(input, 0, count, output, 0);
        }

        public void CbcMac(byte[] input, int count, byte[] mac)
        {
            if (_scratch.Length < count)
            {
                _scratch = new byte[count];
            }

            System.Array.Copy(input, 0, _scratch, 0, count);
            for (int i = 0; i < BlockLength; i++)
            {
                _scratch[i] ^= _chained[i];
            }

            _cbc.TransformBlock(_scratch, 0, count, _scratch, 0);
            System.Array.Copy(_scratch, count - BlockLength, _chained, 0, BlockLength);
            System.Array.Copy(_chained, 0, mac, 0, BlockLength);
        }
    }
}
