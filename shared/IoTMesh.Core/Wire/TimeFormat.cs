namespace IoTMesh.Core;

/// <summary>Time field of a beacon, behind its fixed part where the flag says so. protocol.md 5.8.</summary>
public static class TimeFormat
{
    /// <summary>UTC at the end of the frame on air, 48 bits, 1/16 ms since 1970.</summary>
    public const int OffsetUtc = 0;

    /// <summary>When a gateway said so, 16 bits, units of 4 s of UTC; passed on as it is.</summary>
    public const int OffsetWord = 6;

    /// <summary>Standard error, 16 bits, 1/16 ms; 65535 is that or more.</summary>
    public const int OffsetSigma = 8;

    /// <summary>Links between the sender and that gateway.</summary>
    public const int OffsetHops = 10;
    public const int Length = 11;

    /// <summary>Of a word.</summary>
    public const int WordMs = 4_000;

    public static long GetUtc16(byte[] buffer, int offset)
    {
        return Bytes.GetU32(buffer, offset) | ((long)Bytes.GetU16(buffer, offset + 4) << 32);
    }

    public static void PutUtc16(byte[] buffer, int offset, long utc16)
    {
        Bytes.PutU32(buffer, offset, (uint)utc16);
        Bytes.PutU16(buffer, offset + 4, (ushort)(utc16 >> 32));
    }
}
