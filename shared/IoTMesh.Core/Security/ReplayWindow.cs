namespace IoTMesh.Core;

/// <summary>A 64-counter sliding replay window (RFC 4302 section 3.4.3 in shape), as pure functions over its two words.</summary>
public static class ReplayWindow
{
    public const int Length = 64;

    /// <summary>True where the counter was not accepted before and is not too old to tell.</summary>
    public static bool IsFresh(uint high, ulong seen, uint counter)
    {
        if (counter > high)
        {
            return true;
        }

        uint age = high - counter;
        return age < Length && ((seen >> (int)age) & 1) == 0;
    }

    /// <summary>True where the counter is known to have been accepted before; one too old to tell is not.</summary>
    public static bool WasAccepted(uint high, ulong seen, uint counter)
    {
        return counter <= high && high - counter < Length && ((seen >> (int)(high - counter)) & 1) != 0;
    }

    /// <summary>The seen word after accepting the counter; the caller then raises its high word where the counter is above it.</summary>
    public static ulong Accept(uint high, ulong seen, uint counter)
    {
        if (counter > high)
        {
            uint shift = counter - high;
            return shift >= Length ? 1UL : (seen << (int)shift) | 1UL;
        }

        return seen | (1UL << (int)(high - counter));
    }

    /// <summary>The counter nearest to <paramref name="high"/> that ends in <paramref name="low"/>.</summary>
    public static uint Expand(uint high, ushort low)
    {
        short difference = (short)(low - (ushort)high);
        long expanded = (long)high + difference;
        return expanded < 0 ? low : (uint)expanded;
    }
}
