using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>protocol.md 6.4, at the origin.</summary>
public class CustodyTests
{
    [Fact]
    public void A_watermark_releases_the_contiguous_and_the_bitmap_what_lies_above()
    {
        var custody = new Custody(16, 160);
        for (int i = 0; i < 10; i++)
        {
            custody.Add([(byte)i], 0, 1, i);
        }

        custody.Release(3, 0b101);
        Assert.Equal((4u, 7), (custody.FirstSeq, custody.Count));
        Assert.Equal(Custody.StateUnsent, custody.StateOf(4));
        Assert.Equal(Custody.StateCommitted, custody.StateOf(5));
        Assert.Equal(Custody.StateUnsent, custody.StateOf(6));
        Assert.Equal(Custody.StateCommitted, custody.StateOf(7));
        custody.SetState(5, Custody.StateUnsent, 99);
        Assert.Equal(Custody.StateCommitted, custody.StateOf(5));
        custody.Release(4, 0);
        Assert.Equal(6u, custody.FirstSeq);
        custody.Release(1, 0);
        Assert.Equal(6u, custody.FirstSeq);
        custody.Release(1000, ulong.MaxValue);
        Assert.Equal(0, custody.Count);
        Assert.Equal(11u, custody.Add([1], 0, 1, 0));
    }

    [Fact]
    public void Contents_and_order_survive_many_turns_of_the_ring()
    {
        var random = new Random(4);
        var custody = new Custody(7, 30);
        var model = new SortedDictionary<uint, byte[]>();
        for (int step = 0; step < 20_000; step++)
        {
            if (random.Next(2) == 0)
            {
                byte[] payload = new byte[random.Next(9)];
                while (!custody.HasRoom(payload.Length))
                {
                    model.Remove(custody.FirstSeq);
                    custody.DropOldest();
                }

                random.NextBytes(payload);
                model[custody.Add(payload, 0, payload.Length, step)] = payload;
            }
            else if (random.Next(3) == 0)
            {
                uint watermark = custody.FirstSeq + (uint)random.Next(3) - 1;
                custody.Release(watermark, 0);
                foreach (uint seq in model.Keys.Where(s => s <= watermark).ToArray())
                {
                    model.Remove(seq);
                }
            }

            Assert.Equal(model.Count, custody.Count);
            byte[] copy = new byte[8];
            foreach ((uint seq, byte[] payload) in model)
            {
                Assert.Equal(payload.Length, custody.CopyTo(seq, copy, 0));
                Assert.Equal(payload, copy[..payload.Length]);
            }
        }
    }
}
