using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public class EventQueueTests
{
    [Fact]
    public void Takes_by_time_then_by_order_of_adding()
    {
        EventQueue queue = new();
        SeededRandom random = new(11);
        List<(long TimeUs, int Id)> expected = [];
        List<(long TimeUs, int Id)> taken = [];
        for (int id = 0; id < 20_000; id++)
        {
            long timeUs = random.NextLong(500);
            queue.Add(timeUs, EventKind.Callback, id);
            expected.Add((timeUs, id));
        }

        while (queue.Count > 0)
        {
            Assert.Equal(expected.Count - taken.Count, queue.Count);
            SimulationEvent next = queue.Take();
            taken.Add((next.TimeUs, next.A));
        }

        Assert.Equal(expected.OrderBy(item => item.TimeUs).ThenBy(item => item.Id), taken);
        Assert.Equal(long.MaxValue, queue.NextTimeUs);
    }
}

public class SeededRandomTests
{
    [Fact]
    public void Gives_the_reference_sequence()
    {
        // splitmix64 of seed 0, then xoshiro256** (Blackman and Vigna, 2018): state e220a839..., 6e789e6a..., 06c45d18..., f88bb8a8...
        SeededRandom random = new(0);
        Assert.Equal(0x99EC5F36CB75F2B4UL, random.NextUInt64());
    }

    [Fact]
    public void Streams_of_a_seed_differ_and_repeat()
    {
        Assert.Equal(new SeededRandom(5, 1).NextUInt64(), new SeededRandom(5, 1).NextUInt64());
        Assert.NotEqual(new SeededRandom(5, 1).NextUInt64(), new SeededRandom(5, 2).NextUInt64());
    }

    [Fact]
    public void Is_even_within_its_bounds()
    {
        SeededRandom random = new(1);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++)
        {
            counts[random.NextInt(7)]++;
            Assert.InRange(random.NextDouble(), 0, 0.9999999999999999);
            Assert.InRange(random.NextLong(3), 0, 2);
        }

        Assert.All(counts, count => Assert.InRange(count, 9_500, 10_500));
    }
}
