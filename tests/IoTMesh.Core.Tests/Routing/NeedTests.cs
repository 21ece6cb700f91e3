using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Routing;

/// <summary>How much hangs on a neighbor, by the routes. protocol.md 5.3.</summary>
public class NeedTests
{
    private readonly NeighborTable _neighbors = new(4, 60);
    private readonly RouteTable _routes;
    private readonly byte[] _need = new byte[4];

    public NeedTests()
    {
        _routes = new RouteTable(32, _neighbors);
        for (int i = 0; i < 4; i++)
        {
            _neighbors.Occupy(i, (ushort)(10 + i), -50, 0);
            _neighbors.State[i] = NeighborTable.StateVerified;
            Hear(i, (ushort)(10 + i), 0);
        }
    }

    private void Hear(int neighbor, ushort destination, ushort metric, bool gateway = false)
    {
        _routes.Update(neighbor, destination, 1, metric, gateway);
    }

    private byte[] Needs()
    {
        _routes.GetNeeds(_need);
        return _need;
    }

    [Fact]
    public void A_neighbor_that_nobody_else_hears_is_the_only_way_to_itself()
    {
        Hear(1, 10, 64);
        Assert.Equal([NeighborRank.NeedNone, NeighborRank.NeedItself, NeighborRank.NeedItself, NeighborRank.NeedItself], Needs());
    }

    [Fact]
    public void A_way_that_may_lead_over_this_node_is_no_other_way()
    {
        Hear(1, 10, 128);
        Assert.Equal(NeighborRank.NeedItself, Needs()[0]);
    }

    [Fact]
    public void An_unverified_neighbor_is_no_other_way()
    {
        Hear(1, 10, 64);
        _neighbors.State[1] = NeighborTable.StateHeard;
        Assert.Equal(NeighborRank.NeedItself, Needs()[0]);
    }

    [Fact]
    public void One_that_leads_to_others_counts_more_unless_another_leads_there_too()
    {
        Hear(0, 50, 64);
        Hear(1, 50, 100);
        Hear(2, 51, 64);
        Assert.Equal([NeighborRank.NeedItself, NeighborRank.NeedItself, NeighborRank.NeedOthers, NeighborRank.NeedItself], Needs());
    }

    [Fact]
    public void A_gateway_and_the_next_hop_to_one_count_most_however_many_ways_there_are()
    {
        Hear(0, 99, 64, gateway: true);
        Hear(1, 99, 64, gateway: true);
        _routes.Update(3, 13, 2, 0, true);
        Hear(1, 13, 64, gateway: true);
        Assert.Equal([NeighborRank.NeedGateway, NeighborRank.NeedItself, NeighborRank.NeedItself, NeighborRank.NeedGateway], Needs());
    }
}
