using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public class TopologyTests
{
    [Theory]
    [InlineData(TopologyKind.Line, 6, 10)]
    [InlineData(TopologyKind.Ring, 6, 12)]
    [InlineData(TopologyKind.Star, 6, 10)]
    [InlineData(TopologyKind.Grid4, 16, 48)]
    [InlineData(TopologyKind.Grid8, 16, 84)]
    [InlineData(TopologyKind.Tree3, 13, 24)]
    [InlineData(TopologyKind.Line, 1, 0)]
    [InlineData(TopologyKind.Ring, 2, 2)]
    [InlineData(TopologyKind.Star, 1, 0)]
    public void Has_the_links_of_its_kind(TopologyKind kind, int nodes, int directedLinks)
    {
        Assert.Equal(directedLinks, Topology.Create(kind, nodes).LinkCount);
    }

    [Fact]
    public void Tree_hangs_three_below_each_node()
    {
        Topology tree = Topology.Create(TopologyKind.Tree3, 50);
        for (int node = 2; node <= 50; node++)
        {
            Assert.True(tree.TryGetLink(node, ((node - 2) / 3) + 1, out _), $"node {node}");
        }

        Assert.Equal(98, tree.LinkCount);
    }

    [Theory]
    [InlineData(16, 4)]
    [InlineData(32, 8)]
    [InlineData(50, 10)]
    [InlineData(13, 4)]
    [InlineData(100, 10)]
    [InlineData(1, 1)]
    public void Grid_is_nearest_to_square(int nodes, int columns)
    {
        Topology grid = Topology.Create(TopologyKind.Grid4, nodes);
        Assert.Equal(columns, Enumerable.Range(1, nodes).Count(node => grid.PositionOf(node).Y == 0));
    }

    [Fact]
    public void Columns_of_a_grid_can_be_given()
    {
        Topology grid = Topology.Create(TopologyKind.Grid4, 6, columns: 2);
        Assert.True(grid.TryGetLink(1, 3, out _));
        Assert.False(grid.TryGetLink(2, 3, out _));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(100)]
    [InlineData(300)]
    public void Random_layout_is_connected_with_mean_degree_16(int nodes)
    {
        Topology random = Topology.Create(TopologyKind.Random, nodes, seed: 7);
        Assert.InRange((double)random.LinkCount / nodes, 15.9, 16.1);
        Medium medium = new(random, 1);
        for (int node = 2; node <= nodes; node++)
        {
            Assert.True(medium.HasPath(node, goal => goal == 1));
        }
    }

    [Fact]
    public void Random_layout_follows_its_seed()
    {
        RadioPosition a = Topology.Create(TopologyKind.Random, 30, seed: 1).PositionOf(3);
        Assert.Equal(a, Topology.Create(TopologyKind.Random, 30, seed: 1).PositionOf(3));
        Assert.NotEqual(a, Topology.Create(TopologyKind.Random, 30, seed: 2).PositionOf(3));
    }

    [Fact]
    public void Every_kind_is_symmetric_with_plausible_strength()
    {
        foreach (TopologyKind kind in Enum.GetValues<TopologyKind>().Where(kind => kind != TopologyKind.Trace))
        {
            Topology topology = Topology.Create(kind, 20, 0.25);
            for (int node = 1; node <= 20; node++)
            {
                foreach (RadioLink link in topology.LinksFrom(node))
                {
                    Assert.True(topology.TryGetLink(link.To, node, out RadioLink back));
                    Assert.Equal(link.RssiDbm, back.RssiDbm);
                    Assert.InRange(link.RssiDbm, -95, -20);
                    Assert.Equal(0.75, link.DeliveryRatio, 9);
                }
            }
        }
    }

    [Theory]
    [InlineData(0, 0.0, "nodes: 0")]
    [InlineData(5000, 0.0, "nodes: 5000")]
    [InlineData(5, 1.5, "loss: 1.5")]
    [InlineData(5, double.NaN, "loss: NaN")]
    public void Refuses_values_out_of_range(int nodes, double loss, string message)
    {
        InputException error = Assert.Throws<InputException>(() => Topology.Create(TopologyKind.Line, nodes, loss));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_gateways_that_do_not_exist()
    {
        Assert.Throws<InputException>(() => Topology.Create(TopologyKind.Line, 3, gateways: [4]));
        Assert.Throws<InputException>(() => Topology.Create(TopologyKind.Line, 3, gateways: [1, 1]));
        Assert.Empty(Topology.Create(TopologyKind.Line, 3, gateways: []).Gateways);
    }

    [Theory]
    [InlineData("grid4", true)]
    [InlineData("Grid4", false)]
    [InlineData("line,ring", false)]
    [InlineData("3", false)]
    [InlineData("", false)]
    public void Parses_the_words_of_kinds_only(string word, bool known)
    {
        Assert.Equal(known, Topology.TryParseKind(word, out _));
    }
}
