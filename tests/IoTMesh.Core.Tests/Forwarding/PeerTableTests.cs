using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>protocol.md 6.4, at the gateway: watermark, floor and commits against sets.</summary>
public class PeerTableTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_watermark_is_that_of_a_naive_model(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            var table = new PeerTable(2, true);
            int peer = table.FindOrAdd(5);
            var done = new HashSet<uint>();
            uint watermark = 0;
            for (int step = 0; step < 200; step++)
            {
                if (random.Next(10) == 0)
                {
                    uint floor = watermark + (uint)random.Next(random.Next(20) == 0 ? 200 : 6);
                    table.RaiseFloor(peer, floor);
                    watermark = AdvanceOver(floor > 0 ? Math.Max(watermark, floor - 1) : watermark, done);
                }
                else
                {
                    uint seq = watermark + (uint)random.Next(70);
                    table.Commit(peer, seq);
                    if (seq > watermark && seq - watermark <= 64)
                    {
                        done.Add(seq);
                        watermark = AdvanceOver(watermark, done);
                    }
                }

                Assert.Equal(watermark, table.Watermark[peer]);
                for (int bit = 0; bit < 64; bit++)
                {
                    bool committed = ((table.Committed[peer] >> bit) & 1) != 0;
                    Assert.Equal(done.Contains(watermark + 1 + (uint)bit), committed);
                }
            }
        }
    }

    private static uint AdvanceOver(uint watermark, HashSet<uint> done)
    {
        while (done.Contains(watermark + 1))
        {
            watermark++;
        }

        return watermark;
    }

    [Fact]
    public void A_full_table_refuses_newcomers_and_forgets_nobody()
    {
        var table = new PeerTable(3, true);
        for (ushort address = 1; address <= 3; address++)
        {
            Assert.Equal(address - 1, table.FindOrAdd(address));
        }

        Assert.Equal(PeerTable.None, table.FindOrAdd(4));
        Assert.Equal(1, table.FindOrAdd(2));
        Assert.Equal(3, table.Count);
    }

    [Fact]
    public void A_new_boot_starts_from_nothing()
    {
        var table = new PeerTable(1, true);
        table.FindOrAdd(5);
        table.BeginBoot(0, 3);
        table.Commit(0, 1);
        table.Commit(0, 3);
        Assert.Equal((1u, 2UL), (table.Watermark[0], table.Committed[0]));
        table.BeginBoot(0, 4);
        Assert.Equal((4, 0u, 0UL, 0UL), (table.Boot[0], table.Watermark[0], table.Committed[0], table.Received[0]));
    }
}
