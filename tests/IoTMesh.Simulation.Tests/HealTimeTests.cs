using IoTMesh.Core;
using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public class HealTimeTests
{
    private const long Second = 1_000_000;

    /// <summary>One reading a second of a node from second 1 on; a letter each: g in time, l late, x lost.</summary>
    private static IEnumerable<Reading> Readings(int from, string fates)
    {
        return fates.Select((fate, i) => new Reading
        {
            From = from,
            MadeUs = (i + 1) * Second,
            DeliveredUs = fate == 'x' ? -1 : ((i + 1) * Second) + (fate == 'l' ? 3 * Second : 20_000),
        });
    }

    private static List<Heal> MeasureBoth(IEnumerable<Reading> readings, params (double AtSeconds, int[] Connected)[] faults)
    {
        return HealTime.Measure(
            [.. readings.OrderBy(reading => reading.MadeUs)],
            [.. faults.Select(fault => ((long)(fault.AtSeconds * Second), fault.Connected.Select(from => (from, 0)).ToHashSet()))],
            20 * Second);
    }

    private static List<double> Measure(IEnumerable<Reading> readings, params (double AtSeconds, int[] Connected)[] faults)
    {
        return [.. MeasureBoth(readings, faults).Select(heal => heal.HealMs)];
    }

    [Theory]
    [InlineData("gggggggg", -1)]
    [InlineData("gggxxggg", 3520)]
    [InlineData("gggxgxggg", 4520)]
    [InlineData("ggglgggg", 2520)]
    [InlineData("ggggxggg", 3520)]
    [InlineData("gggxxxxx", 17500)]
    public void Counts_until_three_in_a_row_get_through(string fates, double healMs)
    {
        List<double> heals = Measure(Readings(2, fates), (2.5, [2]));
        Assert.Equal(healMs < 0 ? [] : [healMs], heals);
    }

    [Fact]
    public void Takes_the_slowest_source_and_leaves_out_those_without_a_way()
    {
        IEnumerable<Reading> readings = Readings(2, "gxgggg").Concat(Readings(3, "gxxggg")).Concat(Readings(4, "gxxxxx"));
        Assert.Equal([2520.0], Measure(readings, (1.5, [2, 3])));
    }

    [Fact]
    public void Each_fault_has_its_own_time()
    {
        IEnumerable<Reading> readings = Readings(2, "gxgggxxgggg");
        Assert.Equal([1520.0, 2520.0], Measure(readings, (1.5, [2]), (5.5, [2])));
    }

    [Fact]
    public void An_outage_belongs_to_the_fault_that_began_it_whatever_comes_later()
    {
        IEnumerable<Reading> readings = Readings(2, "gxxxggg");
        Assert.Equal([3520.0], Measure(readings, (1.5, [2]), (1.8, [2]), (2.5, [2]), (3.5, [2]), (4.5, [2])));
        Assert.Equal([18500.0], Measure(Readings(2, "gxxxxxx"), (1.5, [2]), (4.5, [2])));
    }

    [Fact]
    public void What_was_cut_off_for_good_counts_from_the_fault_that_ended_that()
    {
        IEnumerable<Reading> readings = Readings(2, "gxxxxggg");
        Assert.Equal([1000.0, 1520.0], Measure(readings, (1.5, [2]), (2.5, []), (4.5, [2])));
        Assert.Equal([1520.0], Measure(readings, (1.5, []), (4.5, [2])));
        Assert.Equal([1000.0], Measure(readings, (1.5, [2]), (2.5, [])));
    }

    [Fact]
    public void Another_destination_without_a_way_is_not_an_outage()
    {
        Reading[] toDead = [.. Readings(2, "gxxxxggg").Select(reading => reading with { To = 7 })];
        Assert.Equal([1520.0], Measure(toDead.Concat(Readings(2, "gxgggggg")), (1.5, [2])));
    }

    [Theory]
    [InlineData("gglgggg", 1020)]
    [InlineData("ggxggg", 1020)]
    [InlineData("ggxxlggg", 3020)]
    [InlineData("ggxxxx", 17000)]
    public void Repair_counts_from_the_first_reading_that_met_the_hole(string fates, double repairMs)
    {
        Assert.Equal([repairMs], MeasureBoth(Readings(2, fates), (1.9, [2])).Select(heal => heal.RepairMs));
    }

    [Fact]
    public void A_late_reading_of_a_slow_source_ends_the_repair_though_not_the_outage()
    {
        long[] madeSeconds = [2, 12];
        IEnumerable<Reading> readings = madeSeconds.Select(at => new Reading
        {
            From = 2,
            MadeUs = at * Second,
            DeliveredUs = (at * Second) + (at == 2 ? 1_500_000 : 5_000),
        });
        Assert.Equal([new Heal(11_005, 1_500)], MeasureBoth(readings, (1, [2])));
    }

    [Fact]
    public void Spread_is_by_nearest_rank_and_zero_without_samples()
    {
        Assert.Equal(default, Spread.Of([]));
        Assert.Equal(new Spread(50, 99, 100, 100), Spread.Of([.. Enumerable.Range(1, 100).Select(i => (double)i).Reverse()]));
        Assert.Equal(new Spread(7, 7, 7, 1), Spread.Of([7]));
    }
}
