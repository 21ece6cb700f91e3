using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>A reading as the run saw it.</summary>
internal struct Reading
{
    internal int From;

    /// <summary>0 for any gateway.</summary>
    internal int To;
    internal long MadeUs;

    /// <summary>When the application had it; -1 before.</summary>
    internal long DeliveredUs;
    internal SendResult Taken;
    internal ushort PayloadBytes;

    /// <summary>Index of the broadcast's first row, whose rows stand for one receiver each; -1 for a message to one.</summary>
    internal int BroadcastIndex;

    /// <summary>The node whose application had it first, and in which of its lives.</summary>
    internal (int Node, int Incarnation) DeliveredAt;

    /// <summary>Links it crossed, once delivered; before, those to the server that is to pass it on.</summary>
    internal byte Hops;

    /// <summary>Of a message that a server passes on.</summary>
    internal MeshClass Class;

    /// <summary>It goes to a server, which passes it on.</summary>
    internal bool IsViaServer;

    /// <summary>The server has sent it on.</summary>
    internal bool IsPassedOn;
}

/// <summary>
/// Heal times: per fault, how long until every source that the fault cut off gets its readings through within a second again.
/// </summary>
internal static class HealTime
{
    private const long GoodUs = 1_000_000;
    private const int Probes = 3;

    /// <param name="readings">In the order they were made.</param>
    /// <param name="faults">Times of the faults, rising, each with the sources that had a way to their destination after it.</param>
    internal static List<double> Measure(IReadOnlyList<Reading> readings, IReadOnlyList<(long AtUs, HashSet<int> Connected)> faults)
    {
        List<double> healsMs = [];
        for (int i = 0; i < faults.Count; i++)
        {
            long fromUs = faults[i].AtUs;
            long toUs = i + 1 < faults.Count ? faults[i + 1].AtUs : long.MaxValue;
            double healMs = -1;
            foreach (IGrouping<int, Reading> source in readings
                .Where(reading => reading.MadeUs >= fromUs && reading.MadeUs < toUs && faults[i].Connected.Contains(reading.From))
                .GroupBy(reading => reading.From))
            {
                healMs = Math.Max(healMs, HealMs([.. source], fromUs));
            }

            if (healMs >= 0)
            {
                healsMs.Add(healMs);
            }
        }

        return healsMs;
    }

    /// <summary>-1 for a source that was not cut off: its first three readings got through in time.</summary>
    private static double HealMs(Reading[] made, long faultUs)
    {
        if (made.Take(Probes).All(IsGood))
        {
            return -1;
        }

        // Healed with the first of three in a row, so that one lucky reading on a failing path does not count.
        for (int i = 0; i < made.Length; i++)
        {
            if (made.Skip(i).Take(Probes).All(IsGood))
            {
                return (made[i].DeliveredUs - faultUs) / 1000.0;
            }
        }

        return (made[^1].MadeUs - faultUs) / 1000.0;
    }

    private static bool IsGood(Reading reading) => reading.DeliveredUs >= 0 && reading.DeliveredUs - reading.MadeUs <= GoodUs;
}
