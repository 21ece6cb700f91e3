using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>The effect queue, the duplicate cache and the pending table.</summary>
public class SmallTableTests
{
    [Fact]
    public void Effects_come_out_in_order_once_and_a_full_queue_says_so()
    {
        var queue = new EffectQueue(4);
        for (int turn = 0; turn < 5; turn++)
        {
            for (int i = 0; i < 4; i++)
            {
                Assert.True(queue.Push(i, turn, i * 2));
            }

            Assert.Equal(0, queue.Free);
            Assert.False(queue.Push(9, 9, 9));
            Assert.True(queue.PushOnce(2, turn, 4));
            Assert.False(queue.PushOnce(2, turn, 5));
            for (int i = 0; i < 4; i++)
            {
                Assert.True(queue.Pop());
                Assert.Equal((i, turn, i * 2), (queue.Kind, queue.A, queue.B));
            }

            Assert.False(queue.Pop());
            queue.Push(1, 1, 1);
            queue.Pop();
        }
    }

    [Fact]
    public void A_message_two_hops_behind_its_first_coming_has_come_back_and_a_copy_of_the_same_length_has_not()
    {
        var cache = new DuplicateCache(4);
        cache.Add(7, 0x20005, DuplicateCache.WayPlain, 60);
        int at = cache.Find(7, 5, DuplicateCache.WayPlain);
        Assert.Equal((false, false, false), (cache.CameBack(at, 61), cache.CameBack(at, 60), cache.CameBack(at, 59)));
        Assert.True(cache.CameBack(at, 58));
        Assert.False(cache.CameBack(at, 58));
        Assert.True(cache.CameBack(at, 56));
        Assert.Equal(DuplicateCache.None, cache.Find(8, 5, DuplicateCache.WayPlain));
    }

    [Fact]
    public void The_duplicate_cache_remembers_exactly_the_latest()
    {
        var random = new Random(6);
        var cache = new DuplicateCache(32);
        var order = new List<(ushort Origin, ushort Low)>();
        for (int i = 0; i < 5_000; i++)
        {
            ushort origin = (ushort)random.Next(1, 6);
            uint counter = (uint)random.Next(0x20000, 0x20100);
            bool expected = order.TakeLast(32).Contains((origin, (ushort)counter));
            Assert.Equal(expected, cache.Contains(origin, counter, DuplicateCache.WayPlain));
            Assert.Equal(expected, cache.Contains(origin, (ushort)counter, DuplicateCache.WayPlain));
            if (!expected)
            {
                cache.Add(origin, counter, DuplicateCache.WayPlain, 63);
                order.Add((origin, (ushort)counter));
            }
        }
    }

    [Fact]
    public void The_duplicate_cache_tells_a_message_that_turned_from_its_way_up()
    {
        var cache = new DuplicateCache(4);
        cache.Add(7, 9, DuplicateCache.WayPlain, 63);
        Assert.False(cache.Contains(7, 9, DuplicateCache.WayTurned));
        cache.Add(7, 9, DuplicateCache.WayTurned, 63);
        Assert.True(cache.Contains(7, 9, DuplicateCache.WayTurned));
        Assert.True(cache.Contains(7, 9, DuplicateCache.WayPlain));
    }

    [Fact]
    public void The_pending_table_finds_by_destination_and_id_and_tells_when_full()
    {
        var table = new PendingTable(2, 10);
        Assert.Equal(long.MaxValue, table.EarliestDueMs());
        for (int i = 0; i < 2; i++)
        {
            int entry = table.Take();
            table.IsConfirmed[entry] = true;
            table.Destination[entry] = 5;
            table.Id[entry] = (uint)(10 + i);
            table.DueMs[entry] = 100 - i;
        }

        Assert.Equal(PendingTable.None, table.Take());
        Assert.Equal(1, table.FindById(5, 11));
        Assert.Equal(PendingTable.None, table.FindById(6, 11));
        Assert.Equal(99, table.EarliestDueMs());
        table.Used[1] = false;
        Assert.Equal(PendingTable.None, table.FindById(5, 11));
        Assert.Equal(1, table.Take());
    }
}
