namespace IoTMesh.Core;

/// <summary>
/// Own messages whose plaintext must be kept: confirmed ones until their confirmation, others until the destination's boot
/// number is known. Full: Send says QueueFull. protocol.md 7.2.
/// </summary>
internal sealed class PendingTable
{
    internal const int None = -1;
    internal readonly int Capacity;
    internal readonly int PlainCapacity;
    internal readonly bool[] Used;
    internal readonly bool[] IsConfirmed;
    internal readonly bool[] IsSent;
    internal readonly ushort[] Destination;
    internal readonly byte[] Class;
    internal readonly uint[] Id;
    internal readonly int[] Token;
    internal readonly byte[] Tries;
    internal readonly long[] DueMs;
    internal readonly byte[] Plain;
    internal readonly int[] PlainLength;

    internal PendingTable(int capacity, int plainCapacity)
    {
        Capacity = capacity;
        PlainCapacity = plainCapacity;
        Used = new bool[capacity];
        IsConfirmed = new bool[capacity];
        IsSent = new bool[capacity];
        Destination = new ushort[capacity];
        Class = new byte[capacity];
        Id = new uint[capacity];
        Token = new int[capacity];
        Tries = new byte[capacity];
        DueMs = new long[capacity];
        Plain = new byte[capacity * plainCapacity];
        PlainLength = new int[capacity];
    }

    internal int Take()
    {
        for (int i = 0; i < Capacity; i++)
        {
            if (!Used[i])
            {
                Used[i] = true;
                IsSent[i] = false;
                Tries[i] = 0;
                return i;
            }
        }

        return None;
    }

    /// <summary>
    /// Takes that many entries in a row, whose plaintexts follow each other in memory, and returns the first; None where there is no
    /// such row. The others lead no life of their own.
    /// </summary>
    internal int TakeRun(int entries)
    {
        int free = 0;
        for (int i = 0; i < Capacity; i++)
        {
            free = Used[i] ? 0 : free + 1;
            if (free < entries)
            {
                continue;
            }

            for (int at = i - entries + 1; at <= i; at++)
            {
                Used[at] = true;
                IsSent[at] = false;
                IsConfirmed[at] = false;
                Tries[at] = 0;
                Destination[at] = MeshAddress.None;
                DueMs[at] = long.MaxValue;
            }

            return i - entries + 1;
        }

        return None;
    }

    internal int FindById(ushort destination, uint id)
    {
        for (int i = 0; i < Capacity; i++)
        {
            if (Used[i] && IsConfirmed[i] && Id[i] == id && Destination[i] == destination)
            {
                return i;
            }
        }

        return None;
    }

    /// <summary>The lowest id of a confirmed message under way; <paramref name="next"/> where there is none.</summary>
    internal uint OldestId(uint next)
    {
        uint oldest = next;
        for (int i = 0; i < Capacity; i++)
        {
            if (Used[i] && IsConfirmed[i] && Id[i] < oldest)
            {
                oldest = Id[i];
            }
        }

        return oldest;
    }

    internal long EarliestDueMs()
    {
        long earliest = long.MaxValue;
        for (int i = 0; i < Capacity; i++)
        {
            if (Used[i] && DueMs[i] < earliest)
            {
                earliest = DueMs[i];
            }
        }

        return earliest;
    }
}
