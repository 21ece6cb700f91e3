using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Routing;

/// <summary>protocol.md 5.3 and 6.2.</summary>
public class NeighborTableTests
{
    private const long NowMs = 1_000_000;
    private readonly NeighborTable _table = new(3, 60);

    private void Fill()
    {
        for (int i = 0; i < 3; i++)
        {
            _table.Occupy(i, (ushort)(i + 1), -50, 0);
            _table.State[i] = NeighborTable.StateVerified;
        }
    }

    [Fact]
    public void Of_equals_with_other_ways_the_worst_link_gives_way_and_of_those_without_the_longest_in_its_place()
    {
        Fill();
        for (int i = 0; i < 8; i++)
        {
            _table.HandleTry(1, false);
        }

        System.Array.Fill(_table.Rank, NeighborRank.Spare);
        Assert.Equal(1, _table.FindVictim(NeighborRank.ClaimStranger, NowMs));
        Assert.Equal(NeighborTable.None, _table.FindVictim(NeighborRank.ClaimSpare, NowMs));
        _table.Rank[2] = NeighborRank.Idle;
        Assert.Equal(2, _table.FindVictim(NeighborRank.ClaimSpare, NowMs));
        Assert.Equal(2, _table.FindVictim(NeighborRank.ClaimGateway, NowMs));
        System.Array.Fill(_table.Rank, NeighborRank.Leaf);
        _table.Since[0] = (uint)NowMs - 100;
        _table.Since[1] = (uint)NowMs - 300;
        _table.Since[2] = (uint)NowMs - 200;
        Assert.Equal(1, _table.FindVictim(NeighborRank.ClaimGateway, NowMs));
        Assert.Equal(NeighborTable.None, _table.FindVictim(NeighborRank.ClaimAsking, NowMs));
        Assert.Equal(1, _table.FindVictim(NeighborRank.ClaimAsking, NowMs + NeighborRank.TurnMs - 250));
        System.Array.Fill(_table.Rank, NeighborRank.Kept);
        Assert.Equal(NeighborTable.None, _table.FindVictim(NeighborRank.ClaimGateway, NowMs));
    }

    [Fact]
    public void A_neighbor_relies_on_this_node_for_a_minute_after_it_sent_here()
    {
        Fill();
        Assert.False(_table.ReliesOnUs(0, NowMs));
        _table.LastUnicast[0] = (uint)NowMs;
        Assert.True(_table.ReliesOnUs(0, NowMs + 59_999));
        Assert.False(_table.ReliesOnUs(0, NowMs + 60_000));
    }

    [Fact]
    public void A_new_neighbor_inherits_nothing_from_the_slots_last_one()
    {
        Fill();
        _table.CounterKnown[0] = true;
        _table.Boot[0] = 7;
        _table.InSync[0] = true;
        _table.OweAck(0, 5, true, false);
        _table.HandleRtt(0, 100);
        _table.HandleTry(0, false);
        _table.Free(0);
        _table.Occupy(0, 44, -50, 9);
        Assert.False(_table.CounterKnown[0] || _table.InSync[0] || _table.AckOwed[0] || _table.AckLong[0] || _table.IsUsable(0));
        Assert.Equal((0, 0, 60, 64), (_table.Boot[0], _table.Failures[0], _table.RetransmitTimeoutMs(0, 20), _table.LinkCost(0)));
    }

    /// <summary>protocol.md 6.2: the bitmap names exactly the accepted frames among the 8 before the highest.</summary>
    [Fact]
    public void The_ack_bitmap_names_exactly_what_was_accepted()
    {
        var random = new Random(5);
        for (int round = 0; round < 500; round++)
        {
            _table.Occupy(0, 1, -50, 0);
            var accepted = new HashSet<uint>();
            uint counter = (uint)random.Next(1, 1_000_000);
            for (int i = 0; i < 40; i++)
            {
                counter += (uint)random.Next(1, random.Next(8) == 0 ? 14 : 3);
                uint heard = random.Next(6) == 0 ? counter - (uint)random.Next(0, 3) : counter;
                _table.OweAck(0, heard, false, false);
                accepted.Add(heard);
                Assert.Equal(accepted.Max(), _table.AckHigh[0]);
                for (int bit = 0; bit < 8; bit++)
                {
                    bool named = ((_table.AckBits[0] >> bit) & 1) != 0;
                    bool was = accepted.Contains(_table.AckHigh[0] - 1 - (uint)bit);
                    Assert.True(was || !named, "a frame is acknowledged that was never accepted");
                    Assert.True(named || !was, "an accepted frame fell out of the bitmap");
                }
            }

            _table.Free(0);
        }
    }

    [Fact]
    public void The_retransmit_timeout_follows_RFC_6298_between_its_bounds()
    {
        Fill();
        Assert.Equal(60, _table.RetransmitTimeoutMs(0, 20));
        _table.HandleRtt(0, 40);
        Assert.InRange(_table.RetransmitTimeoutMs(0, 20), 115, 125);
        for (int i = 0; i < 100; i++)
        {
            _table.HandleRtt(0, 6);
        }

        Assert.Equal(20, _table.RetransmitTimeoutMs(0, 20));
        for (int i = 0; i < 100; i++)
        {
            _table.HandleRtt(0, i % 2 == 0 ? 3900 : 100);
        }

        Assert.Equal(1000, _table.RetransmitTimeoutMs(0, 20));
        _table.HandleRtt(1, 4001);
        Assert.Equal(60, _table.RetransmitTimeoutMs(1, 20));
    }

    [Fact]
    public void A_link_costs_what_its_acks_say_and_before_them_what_beacons_say()
    {
        Fill();
        for (byte number = 0; number < 100; number += 2)
        {
            _table.HandleBeaconNumber(0, number);
        }

        Assert.InRange(_table.LinkCost(0), 150, 500);
        for (int i = 0; i < 60; i++)
        {
            _table.HandleTry(0, true);
        }

        Assert.Equal(64, _table.LinkCost(0));
        for (int i = 0; i < 200; i++)
        {
            _table.HandleTry(0, false);
        }

        Assert.Equal(2048, _table.LinkCost(0));
        Assert.Equal(200, _table.Failures[0]);
        _table.HandleTry(0, true);
        Assert.Equal(0, _table.Failures[0]);
    }

    [Fact]
    public void Beacons_sent_in_parts_count_once()
    {
        Fill();
        for (int i = 0; i < 20; i++)
        {
            _table.HandleBeaconNumber(0, 7);
        }

        Assert.Equal(64, _table.LinkCost(0));
    }
}
