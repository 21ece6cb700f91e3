using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>protocol.md 6.4, at the origin.</summary>
public class CustodyTests
{
    [Fact]
    public void A_watermark_releases_the_contiguous_and_the_bitmap_what_lies_above()
    {
        var custody = new Custody(64 * 13, 1);
        for (int i = 0; i < 10; i++)
        {
            custody.Add([(byte)i], 0, 1, (uint)i);
        }

        custody.Release(1, 3, 0b101);
        Assert.Equal((4u, 7), (custody.FirstSeq, custody.Count));
        Assert.Equal(Custody.StateUnsent, custody.StateOf(4));
        Assert.Equal(Custody.StateCommitted, custody.StateOf(5));
        Assert.Equal(Custody.StateUnsent, custody.StateOf(6));
        Assert.Equal(Custody.StateCommitted, custody.StateOf(7));
        custody.SetState(5, Custody.StateUnsent, 99);
        Assert.Equal(Custody.StateCommitted, custody.StateOf(5));
        custody.Release(1, 4, 0);
        Assert.Equal(6u, custody.FirstSeq);
        custody.Release(1, 1, 0);
        Assert.Equal(6u, custody.FirstSeq);
        custody.Release(1, 1000, ulong.MaxValue);
        Assert.Equal(0, custody.Count);
        Assert.Equal(11u, custody.Add([1], 0, 1, 0));
    }

    [Fact]
    public void Contents_and_order_survive_many_turns_of_the_ring()
    {
        var random = new Random(4);
        var custody = new Custody(91, 1);
        var model = new SortedDictionary<uint, byte[]>();
        for (int step = 0; step < 20_000; step++)
        {
            if (random.Next(2) == 0)
            {
                byte[] payload = new byte[random.Next(9)];
                random.NextBytes(payload);
                while (!custody.HasRoom(payload.Length))
                {
                    model.Remove(custody.FirstSeq);
                    custody.DropOldest();
                }

                model[custody.Add(payload, 0, payload.Length, (uint)step)] = payload;
            }
            else if (random.Next(3) == 0)
            {
                uint watermark = custody.FirstSeq + (uint)random.Next(3) - 1;
                custody.Release(1, watermark, 0);
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

    [Fact]
    public void Runs_of_earlier_boots_come_first_and_each_is_released_by_its_own_boots_watermark()
    {
        var custody = new Custody(1_000, 9);
        Assert.True(custody.Restore(5, 11, [1], 0, 1, 100));
        Assert.True(custody.Restore(5, 12, [2], 0, 1, 200));
        Assert.True(custody.Restore(5, 20, [3], 0, 1, 300));
        Assert.True(custody.Restore(7, 1, [4], 0, 1, 50));
        custody.NoteEnd(5, 400);
        custody.NoteEnd(7, 60);
        Assert.Equal(1u, custody.Add([5], 0, 1, 10));
        Assert.Equal((5, 11u, 13u, 5), (custody.Boot, custody.FirstSeq, custody.NextSeq, custody.Count));

        // The boot ended at 400, the one after it ran for 60, this one for 25.
        Assert.Equal(485u, custody.UptimeOfBoot(25));
        custody.Release(9, 1, 0);
        Assert.Equal(5, custody.Count);
        int generation = custody.Generation;
        custody.SetState(12, Custody.StateSent, 1);
        custody.Release(5, 12, 0);
        Assert.Equal((5, 20u, 3, true), (custody.Boot, custody.FirstSeq, custody.Count, generation != custody.Generation));
        Assert.Equal(Custody.StateUnsent, custody.StateOf(20));
        custody.Release(5, 20, 0);
        Assert.Equal((7, 1u), (custody.Boot, custody.FirstSeq));
        custody.Release(7, 1, 0);
        Assert.Equal((9, 1u, 25u), (custody.Boot, custody.FirstSeq, custody.UptimeOfBoot(25)));
        custody.Release(9, 1, 0);
        Assert.True(custody.IsEmpty);
        Assert.Equal(2u, custody.Add([6], 0, 1, 10));
    }

    [Fact]
    public void A_run_stays_free_for_the_readings_of_this_boot()
    {
        var custody = new Custody(1_000, 100);
        for (ushort boot = 1; boot < Custody.RunsMax; boot++)
        {
            Assert.True(custody.Restore(boot, 1, [1], 0, 1, 0));
        }

        Assert.False(custody.Restore(50, 1, [1], 0, 1, 0));
        custody.Add([1], 0, 1, 0);
        Assert.Equal(Custody.RunsMax, custody.Count);
    }

    [Fact]
    public void Entries_for_storage_are_those_of_this_boot_from_one_on_and_as_many_as_fit()
    {
        var custody = new Custody(60, 2);
        custody.Restore(1, 7, [9, 9], 0, 2, 1);
        for (int i = 0; i < 8; i++)
        {
            while (!custody.HasRoom(2))
            {
                custody.DropOldest();
            }

            custody.Add([(byte)i, 0], 0, 2, 0x01020304);
        }

        byte[] buffer = new byte[40];
        Assert.Equal(2, custody.CopyEntries(6, buffer, 3, 20, out int bytes));
        Assert.Equal(14, bytes);
        Assert.Equal([2, 4, 3, 2, 1, 5, 0, 2, 4, 3, 2, 1, 6, 0], buffer[3..17]);
        Assert.Equal(0, custody.CopyEntries(9, buffer, 0, 40, out _));
        Assert.Equal(1, custody.CopyEntries(8, buffer, 0, 40, out _));
    }
}
