namespace IoTMesh.Core;

/// <summary>Body of a poll, by which a sleepy leaf tells its parent that it is awake. protocol.md 5.9.</summary>
public static class PollFormat
{
    public const int OffsetBoot = 0;
    public const int OffsetSeqNo = 2;

    /// <summary>Time between polls, and time until the next one, in units of 256 ms, rounded up.</summary>
    public const int OffsetInterval = 4;
    public const int OffsetNext = 6;

    /// <summary>Bits 3..0: polls that may stay away before the parent gives the leaf up.</summary>
    public const int OffsetFlags = 8;
    public const int PollsMask = 0x0F;

    public const int Length = 9;

    /// <summary>How long a leaf listens after each of its frames where something waits for it.</summary>
    public const int ListenMs = 60;
    public const int UnitMs = 256;

    /// <summary>A time in units, rounded up and at most what fits.</summary>
    public static ushort UnitsOf(long ms)
    {
        long units = ms <= 0 ? 0 : (ms + UnitMs - 1) / UnitMs;
        return units > ushort.MaxValue ? ushort.MaxValue : (ushort)units;
    }
}
