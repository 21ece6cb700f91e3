namespace IoTMesh.Core;

/// <summary>
/// The stored form of readings in custody: logs of chunks, each with its own CRC, so that a chunk which a power cut tore is skipped and
/// what stands before and behind it is read. protocol.md 9.2.
/// </summary>
public static class CustodyLog
{
    /// <summary>Logs of a node, written in turn: <see cref="StoreRecord.Custody"/> and the numbers behind it.</summary>
    public const int Count = 4;

    /// <summary>Most bytes of one log.</summary>
    public const int MaxLength = 8_192;

    internal const int HeaderLength = 22;
    internal const int CrcLength = 2;
    internal const byte Mark = 0xC1;
    internal const int OffsetLength = 1;
    internal const int OffsetBoot = 2;
    internal const int OffsetNumber = 4;
    internal const int OffsetFirst = 8;
    internal const int OffsetFloorBoot = 12;
    internal const int OffsetFloor = 14;
    internal const int OffsetTicks = 18;

    /// <summary>Number of the first whole chunk, which tells the order of logs: the oldest first. 0 where the log holds none, or is null.</summary>
    public static uint NumberOf(byte[] log)
    {
        int at = log == null ? -1 : Find(log, 0);
        return at < 0 ? 0 : Bytes.GetU32(log, at + OffsetNumber);
    }

    /// <summary>Offset of the first whole chunk from <paramref name="at"/> on, -1 for none.</summary>
    internal static int Find(byte[] log, int at)
    {
        for (; at + HeaderLength + CrcLength <= log.Length; at++)
        {
            int end = at + HeaderLength + log[at + OffsetLength];
            bool fits = log[at] == Mark && end + CrcLength <= log.Length;
            if (fits && CounterRecord.Crc16(log, at, end - at) == Bytes.GetU16(log, end))
            {
                return at;
            }
        }

        return -1;
    }

    /// <summary>Bytes of the chunk at an offset that Find returned.</summary>
    internal static int LengthOf(byte[] log, int at)
    {
        return HeaderLength + log[at + OffsetLength] + CrcLength;
    }
}
