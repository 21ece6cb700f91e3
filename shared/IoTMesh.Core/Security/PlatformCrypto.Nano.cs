using System;
using System.Security.Cryptography;

namespace IoTMesh.Core;

/// <summary>
/// AES and HMAC of nanoFramework.System.Security.Cryptography. Each Encrypt returns a fresh array: the only allocations of the
/// data path on the device.
/// </summary>
public sealed class PlatformCrypto : ICrypto
{
    private readonly Random _random = new Random();

    public IBlockCipher CreateAes(byte[] key)
    {
        return new AesKey(key);
    }

    public void HmacSha256(byte[] key, byte[] data, int count, byte[] mac)
    {
        byte[] exact = data;
        if (count != data.Length)
        {
            exact = new byte[count];
            Array.Copy(data, 0, exact, 0, count);
        }

        byte[] hash = HMACSHA256.HashData(key, exact);
        Array.Copy(hash, 0, mac, 0, 32);
    }

    public void FillRandom(byte[] buffer)
    {
        // System.Random is the hardware generator on the ESP32; it has entropy while the radio runs.
        _random.NextBytes(buffer);
    }

    private sealed class AesKey : IBlockCipher
    {
        private const int BlockLength = 16;
        private const int MaxBlocks = 20;
        private readonly Aes _ecb;
        private readonly Aes _cbc;
        private readonly byte[] _zeroIv = new byte[BlockLength];

        // The native call takes a whole array, so one of each length is kept.
        private static readonly byte[][] _exact = new byte[MaxBlocks + 1][];

        internal AesKey(byte[] key)
        {
            byte[] own = new byte[BlockLength];
            Array.Copy(key, 0, own, 0, BlockLength);
            _ecb = new Aes(CipherMode.ECB);
            _ecb.Key = own;
            _cbc = new Aes(CipherMode.CBC);
            _cbc.Key = own;
            _cbc.IV = _zeroIv;
        }

        public void EncryptBlocks(byte[] input, int count, byte[] output)
        {
            byte[] result = _ecb.Encrypt(Exact(input, count));
            Array.Copy(result, 0, output, 0, count);
        }

        public void CbcMac(byte[] input, int count, byte[] mac)
        {
            // Should the native call chain into the array that it was given, the next MAC must still start from zero.
            Array.Clear(_zeroIv, 0, BlockLength);
            byte[] result = _cbc.Encrypt(Exact(input, count));
            Array.Copy(result, count - BlockLength, mac, 0, BlockLength);
        }

        private static byte[] Exact(byte[] input, int count)
        {
            int blocks = count / BlockLength;
            byte[] exact = _exact[blocks];
            if (exact == null)
            {
                exact = new byte[count];
                _exact[blocks] = exact;
            }

            Array.Copy(input, 0, exact, 0, count);
            return exact;
        }
    }
}
