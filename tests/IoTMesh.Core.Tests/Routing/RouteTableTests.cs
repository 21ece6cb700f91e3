using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Routing;

/// <summary>protocol.md 5.2.</summary>
public class RouteTableTests
{
    private readonly NeighborTable _neighbors = new(8, 60);
    private readonly RouteTable _routes;

    public RouteTableTests()
    {
        _routes = new RouteTable(4, _neighbors);
        for (int i = 0; i < 6; i++)
        {
            _neighbors.Occupy(i, (ushort)(i + 1), -50, 0);
            _neighbors.State[i] = NeighborTable.StateVerified;
        }
    }

    private int Hear(int neighbor, ushort destination, ushort seqNo, ushort metric, bool gateway = false)
    {
        return _routes.Update(neighbor, destination, seqNo, metric, gateway);
    }

    [Fact]
    public void The_cheapest_of_several_next_hops_is_chosen_and_its_metric_advertised()
    {
        int changes = Hear(0, 100, 1, 200);
        Assert.Equal(RouteTable.ChangedNextHop | RouteTable.ChangedMetric | RouteTable.Urgent, changes);
        int route = _routes.Find(100);
        Assert.Equal((0, (ushort)264), (_routes.NextHop(route), _routes.Metric[route]));
        Hear(1, 100, 1, 64);
        Assert.Equal((1, (ushort)128), (_routes.NextHop(route), _routes.Metric[route]));
    }

    [Fact]
    public void A_gain_of_less_than_one_and_a_half_transmissions_changes_nothing()
    {
        Hear(0, 100, 1, 160);
        Hear(1, 100, 1, 64);
        Assert.Equal(0, _routes.NextHop(_routes.Find(100)));
        Hear(1, 100, 1, 63);
        Assert.Equal(1, _routes.NextHop(_routes.Find(100)));
    }

    [Fact]
    public void A_neighbor_at_or_above_the_feasibility_distance_is_no_next_hop_until_the_seqno_rises()
    {
        Hear(0, 100, 1, 64);
        int route = _routes.Find(100);
        Hear(1, 100, 1, 128);
        Assert.Equal(1, _routes.FeasibleCount(route));
        int changes = Hear(0, 100, 1, MeshConfig.InfiniteMetric);
        Assert.NotEqual(0, changes & RouteTable.Starving);
        Assert.NotEqual(0, changes & RouteTable.Urgent);
        Assert.Equal(RouteTable.None, _routes.NextHop(route));
        Assert.Equal(1, _routes.AnyCandidate(route, RouteTable.None));
        Hear(1, 100, 2, 128);
        Assert.Equal((1, (ushort)192, (ushort)2), (_routes.NextHop(route), _routes.Metric[route], _routes.SeqNoAdvertised[route]));
    }

    [Fact]
    public void The_lowest_metric_heard_at_a_seqno_is_the_evidence_though_the_latest_is_the_cost()
    {
        Hear(0, 100, 1, 300);
        Hear(1, 100, 1, 100);
        Hear(1, 100, 1, 1000);
        int route = _routes.Find(100);
        Assert.Equal((1, (ushort)1064, 1), (_routes.NextHop(route), _routes.Metric[route], _routes.FeasibleCount(route)));
    }

    [Fact]
    public void An_older_seqno_is_ignored()
    {
        Hear(0, 100, 5, 64);
        Assert.Equal(0, Hear(0, 100, 4, 0));
        Assert.Equal((ushort)128, _routes.Metric[_routes.Find(100)]);
    }

    [Fact]
    public void A_node_that_evicted_a_route_waits_for_a_newer_seqno_but_trusts_the_destination_itself()
    {
        _routes.HasEvicted = true;
        Hear(0, 100, 7, 64);
        int route = _routes.Find(100);
        Assert.Equal(RouteTable.None, _routes.NextHop(route));
        Hear(0, 100, 8, 64);
        Assert.Equal(0, _routes.NextHop(route));
        Hear(1, 2, 7, 0);
        Assert.Equal(1, _routes.NextHop(_routes.Find(2)));
    }

    [Fact]
    public void A_neighbor_that_is_not_verified_is_no_next_hop()
    {
        _neighbors.State[0] = NeighborTable.StateHeard;
        Hear(0, 100, 1, 64);
        Assert.Equal(RouteTable.None, _routes.NextHop(_routes.Find(100)));
        _neighbors.State[0] = NeighborTable.StateVerified;
        _routes.Reselect(_routes.Find(100));
        Assert.Equal(0, _routes.NextHop(_routes.Find(100)));
    }

    [Fact]
    public void A_failing_next_hop_is_avoided_where_another_is_feasible()
    {
        Hear(0, 100, 1, 64);
        int route = _routes.Find(100);
        Assert.Equal(0, _routes.NextHopAvoiding(route, 0));
        Hear(1, 100, 1, 100);
        Assert.Equal(1, _routes.NextHopAvoiding(route, 0));
        Assert.Equal(0, _routes.NextHopAvoiding(route, 1));
    }

    [Fact]
    public void A_message_is_diverted_to_the_neighbor_that_handed_it_over_only_where_that_is_the_chosen_next_hop()
    {
        Hear(0, 100, 1, 64);
        int route = _routes.Find(100);

        // Above this node, and feasible only by its newer seqno: its own next hop may well be this node.
        Hear(1, 100, 2, 192);
        Assert.Equal((0, 2), (_routes.NextHop(route), _routes.FeasibleCount(route)));
        Assert.Equal(1, _routes.NextHopFor(route, 9, 0, MessageQueue.NoNeighbor));
        Assert.Equal(0, _routes.NextHopFor(route, 9, 0, 1));
        Hear(0, 100, 1, MeshConfig.InfiniteMetric);
        Assert.Equal(1, _routes.NextHopFor(route, 9, 0, 1));
    }

    [Fact]
    public void A_full_table_gives_way_to_a_gateway_only()
    {
        for (ushort d = 100; d < 104; d++)
        {
            Hear(0, d, 1, (ushort)(d * 10));
        }

        Assert.Equal(0, Hear(0, 200, 1, 0));
        Hear(1, 201, 1, 0, gateway: true);
        Assert.NotEqual(RouteTable.None, _routes.Find(201));
        Assert.Equal(RouteTable.None, _routes.Find(103));
        Hear(0, 100, 1, MeshConfig.InfiniteMetric);
        Hear(0, 200, 1, 0);
        Assert.Equal(RouteTable.None, _routes.Find(200));
        Age(52);
        Hear(0, 200, 1, 0);
        Assert.NotEqual(RouteTable.None, _routes.Find(200));
        Assert.Equal(RouteTable.None, _routes.Find(100));
        Assert.NotEqual(RouteTable.None, _routes.Find(201));
    }

    [Fact]
    public void A_route_that_was_evicted_comes_back_guarded()
    {
        for (ushort d = 100; d < 104; d++)
        {
            Hear(0, d, 1, 64);
        }

        Hear(1, 201, 1, 0, gateway: true);
        Hear(0, 101, 1, MeshConfig.InfiniteMetric);
        Age(52);
        ushort evicted = new ushort[] { 100, 102, 103 }.First(d => _routes.Find(d) == RouteTable.None);
        Hear(0, evicted, 1, 64);
        Assert.Equal(RouteTable.None, _routes.NextHop(_routes.Find(evicted)));
        Hear(0, evicted, 2, 64);
        Assert.Equal(0, _routes.NextHop(_routes.Find(evicted)));
    }

    /// <summary>In a mesh of 1,000 nodes, some waited a minute for a gateway: hosts that were lost for a moment gave way to others.</summary>
    [Fact]
    public void A_table_full_of_hosts_takes_a_gateway_at_its_word()
    {
        var routes = new RouteTable(32, _neighbors);
        for (ushort d = 100; d < 200; d++)
        {
            routes.Update(0, d, 1, (ushort)d, false);
        }

        Assert.Equal(30, routes.Count);
        routes.Update(0, 110, 1, MeshConfig.InfiniteMetric, false);
        for (int i = 0; i < 52; i++)
        {
            routes.Age();
        }

        // Forgotten, so that its place can be had without a guard; one that was lost a moment ago keeps its own.
        routes.Update(1, 190, 1, 64, false);
        Assert.Equal(RouteTable.None, routes.Find(110));
        Assert.Equal(1, routes.NextHop(routes.Find(190)));
        routes.Update(0, 111, 1, MeshConfig.InfiniteMetric, false);
        routes.Update(1, 191, 1, 64, false);
        Assert.Equal(RouteTable.None, routes.Find(191));
        Assert.False(routes.HasEvicted);
        routes.Update(0, 200, 1, 64, true);
        Assert.Equal(0, routes.NextHop(routes.Find(200)));
    }

    private void Age(int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            _routes.Age();
        }
    }

    [Fact]
    public void Whether_a_destination_is_a_gateway_follows_its_newest_seqno()
    {
        Hear(0, 100, 5, 64);
        int route = _routes.Find(100);
        Hear(0, 100, 5, 64, gateway: true);
        Assert.False(_routes.IsGateway[route]);
        Assert.NotEqual(0, Hear(0, 100, 6, 64, gateway: true) & RouteTable.Urgent);
        Assert.True(_routes.IsGateway[route]);
        Hear(0, 100, 7, 64);
        Assert.False(_routes.IsGateway[route]);
    }

    [Fact]
    public void Each_change_of_what_is_advertised_has_a_version_of_its_own()
    {
        Hear(0, 100, 1, 64);
        int before = _routes.Version;
        Hear(0, 100, 1, 70);
        Assert.Equal(before, _routes.Version);
        Hear(0, 100, 1, 64 + 96);
        Assert.Equal(before + 1, _routes.Version);
        Assert.True(_routes.ChangedAfter(_routes.Find(100), before));
        Assert.False(_routes.ChangedAfter(_routes.Find(100), before + 1));
    }

    [Fact]
    public void The_nearest_gateway_wins()
    {
        Assert.Equal(RouteTable.None, _routes.NearestGateway());
        Hear(0, 100, 1, 64);
        Hear(0, 200, 1, 640, gateway: true);
        Hear(1, 201, 1, 64, gateway: true);
        Assert.Equal((ushort)201, _routes.Destination[_routes.NearestGateway()]);
        Hear(1, 201, 1, MeshConfig.InfiniteMetric, gateway: true);
        Assert.Equal((ushort)200, _routes.Destination[_routes.NearestGateway()]);
    }
}
