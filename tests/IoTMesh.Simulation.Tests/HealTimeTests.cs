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

    private static List<double> Measure(IEnumerable<Reading> readings, params (long AtUs, HashSet<int> Connected)[] faults)
    {
        return HealTime.Measure([.. readings.OrderBy(reading => reading.MadeUs)], faults);
    }

    [Theory]
    [InlineData("gggggggg", -1)]
    [InlineData("gggxxggg", 3520)]
    [InlineData("gggxgxggg", 4520)]
    [InlineData("ggglgggg", 2520)]
    [InlineData("ggggxggg", 3520)]
    [InlineData("gggxxxxx", 5500)]
    public void Counts_until_three_in_a_row_get_through(string fates, double healMs)
    {
        List<double> heals = Measure(Readings(2, fates), ((long)(2.5 * Second), [2]));
        Assert.Equal(healMs < 0 ? [] : [healMs], heals);
    }

    [Fact]
    public void Takes_the_slowest_source_and_leaves_out_those_without_a_way()
    {
        IEnumerable<Reading> readings = Readings(2, "gxgggg").Concat(Readings(3, "gxxggg")).Concat(Readings(4, "gxxxxx"));
        Assert.Equal([2520.0], Measure(readings, ((long)(1.5 * Second), [2, 3])));
    }

    [Fact]
    public void Each_fault_has_its_own_time_until_the_next()
    {
        IEnumerable<Reading> readings = Readings(2, "gxgggxxgggg");
        Assert.Equal([1520.0, 2520.0], Measure(readings, ((long)(1.5 * Second), [2]), ((long)(5.5 * Second), [2])));
    }

    [Fact]
    public void Spread_is_by_nearest_rank_and_zero_without_samples()
    {
        Assert.Equal(default, Spread.Of([]));
        Assert.Equal(new Spread(50, 99, 100, 100), Spread.Of([.. Enumerable.Range(1, 100).Select(i => (double)i).Reverse()]));
        Assert.Equal(new Spread(7, 7, 7, 1), Spread.Of([7]));
    }
}
