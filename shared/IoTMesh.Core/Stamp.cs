namespace IoTMesh.Core;

/// <summary>
/// Times in 32 bits for tables: the low half of a time in ms, with 0 for never. Wraps safely: it holds for times within 24 days
/// of now, either way.
/// </summary>
internal static class Stamp
{
    internal const uint Never = 0;

    /// <param name="ms">A time; long.MaxValue is never. One whose low half is 0 becomes a millisecond later.</param>
    internal static uint Of(long ms)
    {
        uint low = (uint)ms;
        return ms == long.MaxValue ? Never : low == Never ? 1 : low;
    }

    /// <summary>The whole time again; long.MaxValue for never.</summary>
    internal static long ToMs(uint stamp, long nowMs)
    {
        return stamp == Never ? long.MaxValue : nowMs + (int)(stamp - (uint)nowMs);
    }

    internal static bool IsDue(uint stamp, long nowMs)
    {
        return stamp != Never && (int)(stamp - (uint)nowMs) <= 0;
    }
}
