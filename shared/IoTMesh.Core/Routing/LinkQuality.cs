namespace IoTMesh.Core;

/// <summary>Link estimates as pure functions. Ratios are in 1/256, costs in 1/64 of a transmission.</summary>
internal static class LinkQuality
{
    internal const int Perfect = 256;
    internal const int CostPerTransmission = 64;
    internal const int MaxCost = 2048;
    private const int WeightShift = 3;

    /// <summary>Exponentially weighted success ratio after one more try.</summary>
    internal static ushort Observe(int ratio, bool success)
    {
        // Rounded up, so that a perfect link climbs back to a perfect ratio.
        int next = success ? ratio + ((Perfect - ratio + 7) >> WeightShift) : ratio - (ratio >> WeightShift);
        return (ushort)(next < 1 ? 1 : next);
    }

    /// <summary>Expected transmission cost of a link on which that share of tries is acknowledged.</summary>
    internal static int CostOf(int ratio)
    {
        int cost = CostPerTransmission * Perfect / (ratio < 1 ? 1 : ratio);
        return cost > MaxCost ? MaxCost : cost;
    }

    /// <summary>How many failures in a row have a chance below 1 in 20,000 where each try succeeds with that ratio; 5 to 20.</summary>
    internal static int FailuresBeyondChance(int ratio)
    {
        int chance = 1 << 16;
        int count = 0;
        while (chance > 3 && count < 20)
        {
            chance = (chance * (Perfect - ratio)) >> 8;
            count++;
        }

        return count < 5 ? 5 : count;
    }

    /// <summary>First guess from signal strength alone: both directions of a weak link lose frames.</summary>
    internal static ushort GuessRatio(sbyte rssiDbm)
    {
        if (rssiDbm == 0 || rssiDbm >= -78)
        {
            return Perfect;
        }

        int guess = Perfect - ((-78 - rssiDbm) * 16);
        return (ushort)(guess < 64 ? 64 : guess);
    }
}
