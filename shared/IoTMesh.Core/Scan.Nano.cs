namespace IoTMesh.Core;

/// <summary>Where a value stands in a table. Array.IndexOf of the device boxes its argument, so this compares one by one.</summary>
internal static class Scan
{
    /// <summary>The first index below <paramref name="count"/>, or -1.</summary>
    internal static int IndexOf(ushort[] values, int count, ushort value)
    {
        for (int i = 0; i < count; i++)
        {
            if (values[i] == value)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The first index below <paramref name="count"/>, or -1.</summary>
    internal static int IndexOf(byte[] values, int count, byte value)
    {
        for (int i = 0; i < count; i++)
        {
            if (values[i] == value)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The first index, or -1.</summary>
    internal static int IndexOf(uint[] values, uint value)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] == value)
            {
                return i;
            }
        }

        return -1;
    }
}
