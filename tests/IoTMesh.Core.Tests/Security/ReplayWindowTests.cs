using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Security;

/// <summary>protocol.md 8.6.</summary>
public class ReplayWindowTests
{
    [Fact]
    public void Agrees_with_a_set_of_all_counters_ever_accepted()
    {
        var random = new Random(20260101);
        for (int round = 0; round < 200; round++)
        {
            uint high = 0;
            ulong seen = 0;
            var accepted = new HashSet<uint>();
            uint highest = 0;
            uint around = (uint)random.Next(1, int.MaxValue);
            for (int i = 0; i < 400; i++)
            {
                around += (uint)(random.Next(20) == 0 ? random.Next(200) : random.Next(3));
                uint counter = around - Math.Min(around, (uint)random.Next(80));
                bool expected = !accepted.Contains(counter) && (counter > highest || highest - counter < 64);
                Assert.Equal(expected, ReplayWindow.IsFresh(high, seen, counter));
                if (expected)
                {
                    accepted.Add(counter);
                    highest = Math.Max(highest, counter);
                    seen = ReplayWindow.Accept(high, seen, counter);
                    high = Math.Max(high, counter);
                }
            }
        }
    }

    [Fact]
    public void Works_up_to_the_last_counter()
    {
        ulong seen = ReplayWindow.Accept(uint.MaxValue - 1, 1, uint.MaxValue);
        Assert.False(ReplayWindow.IsFresh(uint.MaxValue, seen, uint.MaxValue));
        Assert.False(ReplayWindow.IsFresh(uint.MaxValue, seen, uint.MaxValue - 1));
        Assert.True(ReplayWindow.IsFresh(uint.MaxValue, seen, uint.MaxValue - 2));
        Assert.False(ReplayWindow.IsFresh(uint.MaxValue, seen, 0));
    }

    [Fact]
    public void Expands_a_low_half_to_the_nearest_counter()
    {
        var random = new Random(7);
        for (int i = 0; i < 100_000; i++)
        {
            uint high = (uint)random.NextInt64(0x10000, 0xFFFF0000L);
            uint counter = (uint)(high + random.Next(-0x8000, 0x8000));
            Assert.Equal(counter, ReplayWindow.Expand(high, (ushort)counter));
        }

        Assert.Equal(0xFFF0u, ReplayWindow.Expand(3, 0xFFF0));
    }
}
