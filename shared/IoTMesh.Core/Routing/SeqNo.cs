namespace IoTMesh.Core;

/// <summary>Sequence numbers modulo 2^16 (RFC 8966 section 3.2.1).</summary>
public static class SeqNo
{
    /// <summary>True where <paramref name="a"/> is newer than <paramref name="b"/>.</summary>
    public static bool IsNewer(ushort a, ushort b)
    {
        return (short)(a - b) > 0;
    }
}
