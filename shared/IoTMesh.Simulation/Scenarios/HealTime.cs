namespace IoTMesh.Simulation;

/// <summary>How a mesh got over a fault.</summary>
/// <param name="HealMs">
/// From the fault until the last of the sources that it cut off had a reading through within a second, and the two after it.
/// </param>
/// <param name="RepairMs">
/// The longest that a reading of those sources that met the hole was under way; where one was lost, from the first of that source until it
/// was healed. Where sources are slow, <paramref name="HealMs"/> is mostly the wait for their next reading.
/// </param>
internal readonly record struct Heal(double HealMs, double RepairMs);

/// <summary>
/// Per fault, how long until every source that the fault cut off gets its readings through within a second again. An outage belongs to the
/// fault that began it and lasts until it is healed, or until its source has no way any more, whatever other faults come meanwhile.
/// </summary>
internal sealed class HealTime
{
    /// <summary>In place of a destination: a source whose readings go to all sorts of nodes has a way to each of them.</summary>
    internal const int Anyone = -1;
    private const long GoodUs = 1_000_000;
    private const int Probes = 3;
    private readonly IReadOnlyList<(long AtUs, HashSet<(int From, int To)> Ways)> _faults;
    private readonly Heal[] _heals;
    private readonly long _endUs;

    private HealTime(IReadOnlyList<(long AtUs, HashSet<(int From, int To)> Ways)> faults, long endUs)
    {
        _faults = faults;
        _endUs = endUs;
        _heals = new Heal[faults.Count];
        Array.Fill(_heals, new Heal(-1, -1));
    }

    /// <param name="readings">In the order they were made.</param>
    /// <param name="faults">Times of the faults, rising, each with who had a way to where after it (to: 0 for any gateway).</param>
    /// <param name="endUs">End of the run.</param>
    /// <returns>In the order of the faults, those that cut a source off.</returns>
    internal static List<Heal> Measure(
        IReadOnlyList<Reading> readings, IReadOnlyList<(long AtUs, HashSet<(int From, int To)> Ways)> faults, long endUs)
    {
        HealTime heals = new(faults, endUs);
        if (faults.Count > 0)
        {
            foreach (IGrouping<int, Reading> source in readings.GroupBy(reading => reading.From))
            {
                heals.AddSource([.. source]);
            }
        }

        return [.. heals._heals.Where(heal => heal.HealMs >= 0)];
    }

    /// <summary>Goes through the readings that had a way when they were made; the others say nothing of the mesh.</summary>
    private void AddSource(Reading[] all)
    {
        List<(Reading Reading, int First, int Last)> made = [];
        int last = -1;
        foreach (Reading reading in all)
        {
            while (last + 1 < _faults.Count && _faults[last + 1].AtUs <= reading.MadeUs)
            {
                last++;
            }

            int first = FirstSinceConnected(reading, last);
            if (first <= last || last < 0)
            {
                made.Add((reading, first, last));
            }
        }

        for (int i = 0; i < made.Count; i++)
        {
            int fault = IsGood(made[i].Reading) ? -1 : FaultThatCut(made, i);
            if (fault >= 0)
            {
                i = AddOutage(made, i, fault);
            }
        }
    }

    /// <summary>The fault after which the reading's source had a way for good until it was made; past <paramref name="last"/>: it had none.</summary>
    private int FirstSinceConnected(in Reading reading, int last)
    {
        int first = last + 1;
        while (first > 0 && IsConnected(reading, first - 1))
        {
            first--;
        }

        return first;
    }

    private bool IsConnected(in Reading reading, int fault)
    {
        HashSet<(int From, int To)> ways = _faults[fault].Ways;
        return ways.Contains((reading.From, reading.To)) || (reading.To != 0 && ways.Contains((reading.From, Anyone)));
    }

    /// <summary>
    /// The fault to blame for a bad reading: the first after the last good one. Where there was none since, the latest after which this is
    /// among the first three readings. -1: no fault is to blame.
    /// </summary>
    private int FaultThatCut(List<(Reading Reading, int First, int Last)> made, int i)
    {
        (_, int first, int last) = made[i];
        int before = i == 0 ? -1 : made[i - 1].Last;
        if (before < last)
        {
            return Math.Max(first, before + 1);
        }

        bool isEarly = i < Probes || made[i - Probes].Last < last;
        return last >= 0 && isEarly ? last : -1;
    }

    /// <returns>Index of the outage's last reading.</returns>
    private int AddOutage(List<(Reading Reading, int First, int Last)> made, int begin, int fault)
    {
        int end = begin;
        int lastBad = begin;
        double carriedUs = 0;

        // Healed with the first of three in a row, so that one lucky reading on a failing path does not count.
        while (end < made.Count && made[end].First <= fault && !made.Skip(end).Take(Probes).All(row => IsGood(row.Reading)))
        {
            Reading reading = made[end].Reading;
            lastBad = IsGood(reading) ? lastBad : end;
            carriedUs = Math.Max(carriedUs, reading.DeliveredUs < 0 ? double.MaxValue : reading.DeliveredUs - reading.MadeUs);
            end++;
        }

        bool healed = end < made.Count && made[end].First <= fault;
        long healedUs = healed ? made[end].Reading.DeliveredUs : CutOffUs(made[lastBad].Reading, made[lastBad].Last);
        double repairedUs = Math.Min(carriedUs, healedUs - made[begin].Reading.MadeUs);
        Heal before = _heals[fault];
        _heals[fault] = new Heal(
            Math.Max(before.HealMs, (healedUs - _faults[fault].AtUs) / 1000.0),
            Math.Max(before.RepairMs, repairedUs / 1000.0));
        return end - 1;
    }

    /// <summary>When the source of an outage that nobody healed lost its way, after that fault: the end of the run where it did not.</summary>
    private long CutOffUs(in Reading reading, int fault)
    {
        for (int later = fault + 1; later < _faults.Count; later++)
        {
            if (!IsConnected(reading, later))
            {
                return _faults[later].AtUs;
            }
        }

        return _endUs;
    }

    private static bool IsGood(in Reading reading) => reading.DeliveredUs >= 0 && reading.DeliveredUs - reading.MadeUs <= GoodUs;
}
