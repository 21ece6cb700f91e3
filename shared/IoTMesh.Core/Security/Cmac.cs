namespace IoTMesh.Core;

/// <summary>AES-CMAC (RFC 4493) in one native CBC call. Not thread-safe: one scratch buffer.</summary>
public sealed class Cmac
{
    private const int BlockLength = 16;
    private readonly IBlockCipher _cipher;
    private readonly byte[] _k1 = new byte[BlockLength];
    private readonly byte[] _k2 = new byte[BlockLength];
    private readonly byte[] _scratch;

    /// <summary>The last result, 16 bytes.</summary>
    public readonly byte[] Mac;

    public Cmac(IBlockCipher cipher, int maxLength)
        : this(cipher, new byte[((maxLength / BlockLength) + 1) * BlockLength], new byte[BlockLength])
    {
    }

    /// <summary>One for another key that shares the buffers of <paramref name="first"/>, its <see cref="Mac"/> too.</summary>
    public Cmac(IBlockCipher cipher, Cmac first)
        : this(cipher, first._scratch, first.Mac)
    {
    }

    private Cmac(IBlockCipher cipher, byte[] scratch, byte[] mac)
    {
        _cipher = cipher;
        _scratch = scratch;
        Mac = mac;
        byte[] zero = new byte[BlockLength];
        byte[] l = new byte[BlockLength];
        cipher.EncryptBlocks(zero, BlockLength, l);
        Double(l, _k1);
        Double(_k1, _k2);
    }

    /// <summary>Computes the MAC of a two-byte prefix and <c>buffer[offset..offset+count)</c> into <see cref="Mac"/>.</summary>
    public void Compute(ushort prefix, byte[] buffer, int offset, int count)
    {
        Bytes.PutU16(_scratch, 0, prefix);
        System.Array.Copy(buffer, offset, _scratch, 2, count);
        Finish(count + 2);
    }

    /// <summary>Computes the MAC of <c>buffer[offset..offset+count)</c> into <see cref="Mac"/>.</summary>
    public void Compute(byte[] buffer, int offset, int count)
    {
        System.Array.Copy(buffer, offset, _scratch, 0, count);
        Finish(count);
    }

    private void Finish(int count)
    {
        byte[] scratch = _scratch;
        byte[] subkey = _k1;
        int total = count;
        if (count == 0 || count % BlockLength != 0)
        {
            total = ((count / BlockLength) + 1) * BlockLength;
            System.Array.Clear(scratch, count, total - count);
            scratch[count] = 0x80;
            subkey = _k2;
        }

        int last = total - BlockLength;
        for (int i = 0; i < BlockLength; i++)
        {
            scratch[last + i] ^= subkey[i];
        }

        _cipher.CbcMac(scratch, total, Mac);
    }

    // RFC 4493 section 2.3: multiplication by x in GF(2^128).
    private static void Double(byte[] input, byte[] output)
    {
        int carry = 0;
        for (int i = BlockLength - 1; i >= 0; i--)
        {
            int value = (input[i] << 1) | carry;
            output[i] = (byte)value;
            carry = value >> 8;
        }

        if (carry != 0)
        {
            output[BlockLength - 1] ^= 0x87;
        }
    }
}
