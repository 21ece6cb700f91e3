using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Routing;

/// <summary>protocol.md 5.2.</summary>
public class FeasibilityTests
{
    [Fact]
    public void Newer_is_a_half_circle()
    {
        for (int a = 0; a < 0x10000; a += 37)
        {
            Assert.False(SeqNo.IsNewer((ushort)a, (ushort)a));
            Assert.True(SeqNo.IsNewer((ushort)(a + 1), (ushort)a));
            Assert.True(SeqNo.IsNewer((ushort)(a + 0x7FFF), (ushort)a));
            Assert.False(SeqNo.IsNewer((ushort)(a - 1), (ushort)a));
            Assert.False(SeqNo.IsNewer((ushort)a, (ushort)(a + 0x7FFF)));
        }

        Assert.True(SeqNo.IsNewer(0, 0xFFFF));
        Assert.False(SeqNo.IsNewer(0xFFFF, 0));
    }

    [Theory]
    [InlineData(5, 100, 5, 101, true)]
    [InlineData(5, 100, 5, 100, false)]
    [InlineData(5, 101, 5, 100, false)]
    [InlineData(6, 30000, 5, 1, true)]
    [InlineData(4, 1, 5, 100, false)]
    [InlineData(0, 500, 65535, 1, true)]
    [InlineData(4, 30000, 5, Feasibility.NoDistance, true)]
    public void The_condition_is_that_of_RFC_8966_3_5_1(ushort seqNo, ushort metric, ushort distanceSeqNo, ushort distanceMetric, bool expected)
    {
        Assert.Equal(expected, Feasibility.IsFeasible(seqNo, metric, distanceSeqNo, distanceMetric));
    }

    /// <summary>
    /// The property that everything hangs on: whatever costs change, updates get lost or come late, the next hops to one
    /// destination never form a cycle.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Next_hops_never_form_a_cycle_under_random_changes(int seed)
    {
        const int Count = 8;
        const ushort Destination = 1000;
        var random = new Random(seed);
        var nodes = Enumerable.Range(0, Count).Select(_ => new Vector(Count, Destination)).ToArray();
        ushort seqNo = 1;
        int routed = 0;
        for (int step = 0; step < 20_000; step++)
        {
            int to = random.Next(Count);
            int from = random.Next(Count);
            switch (random.Next(12))
            {
                case 0:
                    nodes[to].ChangeCost(from, random, step);
                    break;
                case 1:
                    seqNo += (ushort)(random.Next(10) == 0 ? 1 : 0);
                    nodes[to].HearDestination(random.Next(3) == 0 ? MeshConfig.InfiniteMetric : (ushort)0, seqNo, step);
                    break;
                default:
                    if (from != to)
                    {
                        nodes[to].Hear(from, nodes[from], step);
                    }

                    break;
            }

            foreach (int start in Enumerable.Range(0, Count))
            {
                int at = start;
                for (int hops = 0; at >= 0; hops++)
                {
                    Assert.True(hops <= Count, $"a cycle at step {step}");
                    at = nodes[at].NextHop;
                }
            }

            routed += nodes.Count(n => n.NextHop >= 0);
        }

        Assert.True(routed > 20_000, "hardly any routes: the test shows nothing");
    }

    /// <summary>One node's tables; neighbor slot i is node i, slot Count the destination itself.</summary>
    private sealed class Vector
    {
        private readonly ushort _destination;
        private readonly int _count;
        private readonly NeighborTable _neighbors;
        private readonly RouteTable _routes;

        internal Vector(int count, ushort destination)
        {
            _count = count;
            _destination = destination;
            _neighbors = new NeighborTable(count + 1, 60);
            _routes = new RouteTable(4, _neighbors);
            for (int i = 0; i <= count; i++)
            {
                _neighbors.Occupy(i, i == count ? destination : (ushort)(i + 1), -50, 0);
                _neighbors.State[i] = NeighborTable.StateVerified;
            }
        }

        /// <summary>Index of the next node, or -1 for none or for the destination itself.</summary>
        internal int NextHop
        {
            get
            {
                int route = _routes.Find(_destination);
                int next = route == RouteTable.None ? RouteTable.None : _routes.NextHop(route);
                return next == _count ? -1 : next;
            }
        }

        internal void Hear(int from, Vector other, long nowMs)
        {
            int route = other._routes.Find(_destination);
            if (route != RouteTable.None)
            {
                _routes.Update(from, _destination, other._routes.SeqNoAdvertised[route], other._routes.Metric[route], false);
            }
        }

        internal void HearDestination(ushort metric, ushort seqNo, long nowMs)
        {
            _routes.Update(_count, _destination, seqNo, metric, false);
        }

        internal void ChangeCost(int neighbor, Random random, long nowMs)
        {
            for (int i = 0; i < 8; i++)
            {
                _neighbors.HandleTry(neighbor, random.Next(3) != 0);
            }

            int route = _routes.Find(_destination);
            if (route != RouteTable.None)
            {
                _routes.Reselect(route);
            }
        }
    }
}
