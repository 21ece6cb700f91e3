namespace IoTMesh.Core;

/// <summary>
/// AES-CCM (RFC 3610) with an 8-byte tag and a 13-byte nonce, in two native calls: one CBC over all authenticated blocks, one
/// ECB over all counter blocks. Not thread-safe: one set of scratch buffers.
/// </summary>
public sealed class Ccm
{
    public const int NonceLength = 13;
    public const int TagLength = 8;
    private const int BlockLength = 16;
    private const int FlagsTagAndLength = (((TagLength - 2) / 2) << 3) | 1;
    private const int FlagAad = 0x40;

    // What is authenticated, and at another time the counters: the one is no longer needed when the other is made.
    private readonly byte[] _blocks;
    private readonly byte[] _stream;
    private readonly byte[] _mac = new byte[BlockLength];

    /// <param name="maxLength">Longest plaintext and additional data together, bytes.</param>
    public Ccm(int maxLength)
    {
        int blocks = (maxLength / BlockLength) + 4;
        _blocks = new byte[blocks * BlockLength];
        _stream = new byte[blocks * BlockLength];
    }

    /// <summary>Encrypts <c>buffer[offset..offset+count)</c> in place and writes the tag behind it.</summary>
    public void Seal(IBlockCipher cipher, byte[] nonce, byte[] aad, int aadCount, byte[] buffer, int offset, int count)
    {
        Authenticate(cipher, nonce, aad, aadCount, buffer, offset, count);
        MakeStream(cipher, nonce, count);
        ApplyStream(buffer, offset, count);
        for (int i = 0; i < TagLength; i++)
        {
            buffer[offset + count + i] = (byte)(_mac[i] ^ _stream[i]);
        }
    }

    /// <summary>
    /// Decrypts <c>buffer[offset..offset+count)</c> in place and compares the tag behind it in constant time. False: the
    /// buffer's content is worthless.
    /// </summary>
    public bool Open(IBlockCipher cipher, byte[] nonce, byte[] aad, int aadCount, byte[] buffer, int offset, int count)
    {
        MakeStream(cipher, nonce, count);
        ApplyStream(buffer, offset, count);
        Authenticate(cipher, nonce, aad, aadCount, buffer, offset, count);
        int difference = 0;
        for (int i = 0; i < TagLength; i++)
        {
            difference |= buffer[offset + count + i] ^ _mac[i] ^ _stream[i];
        }

        return difference == 0;
    }

    // RFC 3610 section 2.2.
    private void Authenticate(IBlockCipher cipher, byte[] nonce, byte[] aad, int aadCount, byte[] buffer, int offset, int count)
    {
        byte[] blocks = _blocks;
        blocks[0] = (byte)(FlagsTagAndLength | (aadCount > 0 ? FlagAad : 0));
        System.Array.Copy(nonce, 0, blocks, 1, NonceLength);
        blocks[14] = (byte)(count >> 8);
        blocks[15] = (byte)count;
        int at = BlockLength;
        if (aadCount > 0)
        {
            blocks[at] = (byte)(aadCount >> 8);
            blocks[at + 1] = (byte)aadCount;
            System.Array.Copy(aad, 0, blocks, at + 2, aadCount);
            at = Pad(blocks, at + 2 + aadCount);
        }

        System.Array.Copy(buffer, offset, blocks, at, count);
        at = Pad(blocks, at + count);
        cipher.CbcMac(blocks, at, _mac);
    }

    private static int Pad(byte[] blocks, int at)
    {
        int rest = at % BlockLength;
        if (rest == 0)
        {
            return at;
        }

        System.Array.Clear(blocks, at, BlockLength - rest);
        return at + BlockLength - rest;
    }

    // RFC 3610 section 2.3: block 0 hides the tag, blocks 1.. the text.
    private void MakeStream(IBlockCipher cipher, byte[] nonce, int count)
    {
        byte[] counters = _blocks;
        int blocks = 1 + ((count + BlockLength - 1) / BlockLength);
        for (int i = 0; i < blocks; i++)
        {
            int at = i * BlockLength;
            counters[at] = 1;
            System.Array.Copy(nonce, 0, counters, at + 1, NonceLength);
            counters[at + 14] = 0;
            counters[at + 15] = (byte)i;
        }

        cipher.EncryptBlocks(counters, blocks * BlockLength, _stream);
    }

    private void ApplyStream(byte[] buffer, int offset, int count)
    {
        byte[] stream = _stream;
        for (int i = 0; i < count; i++)
        {
            buffer[offset + i] ^= stream[BlockLength + i];
        }
    }
}
