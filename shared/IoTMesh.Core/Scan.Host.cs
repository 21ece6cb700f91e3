using System;

namespace IoTMesh.Core;

/// <summary>Where a value stands in a table: the processor compares many at once.</summary>
internal static class Scan
{
    /// <summary>The first index below <paramref name="count"/>, or -1.</summary>
    internal static int IndexOf(ushort[] values, int count, ushort value)
    {
        return new ReadOnlySpan<ushort>(values, 0, count).IndexOf(value);
    }

    /// <summary>The first index below <paramref name="count"/>, or -1.</summary>
    internal static int IndexOf(byte[] values, int count, byte value)
    {
        return new ReadOnlySpan<byte>(values, 0, count).IndexOf(value);
    }

    /// <summary>The first index, or -1.</summary>
    internal static int IndexOf(uint[] values, uint value)
    {
        return new ReadOnlySpan<uint>(values).IndexOf(value);
    }
}
