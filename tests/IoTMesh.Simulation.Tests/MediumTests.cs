using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public class MediumTests
{
    private static bool Reaches(Medium medium, int from, int to) => medium.HasPath(from, node => node == to);

    [Fact]
    public void Cut_and_restore_act_on_both_directions()
    {
        Medium medium = new(Topology.Create(TopologyKind.Line, 3), 1);
        medium.Cut(3, 2);
        Assert.False(Reaches(medium, 1, 3));
        Assert.False(Reaches(medium, 3, 1));
        Assert.True(Reaches(medium, 1, 2));
        medium.Restore(2, 3);
        Assert.True(Reaches(medium, 3, 1));
    }

    [Fact]
    public void Killed_node_relays_nothing_until_started()
    {
        Medium medium = new(Topology.Create(TopologyKind.Ring, 4), 1);
        medium.Kill(2);
        Assert.True(Reaches(medium, 1, 3));
        medium.Kill(4);
        Assert.False(Reaches(medium, 1, 3));
        medium.Start(2);
        Assert.True(Reaches(medium, 1, 3));
    }

    [Fact]
    public void Partition_separates_groups_and_merge_joins_them()
    {
        Medium medium = new(Topology.Create(TopologyKind.Grid4, 9), 1);
        medium.Partition([[1, 2, 3], [4, 5, 6]]);
        Assert.True(Reaches(medium, 1, 3));
        Assert.False(Reaches(medium, 1, 4));
        Assert.True(Reaches(medium, 7, 9));
        Assert.False(Reaches(medium, 4, 7));
        medium.Merge();
        Assert.True(Reaches(medium, 1, 9));
    }

    [Fact]
    public void Refused_partition_changes_nothing()
    {
        Medium medium = new(Topology.Create(TopologyKind.Line, 3), 1);
        Assert.Throws<InputException>(() => medium.Partition([[1], [2, 9]]));
        Assert.Throws<InputException>(() => medium.Partition([[1], [1]]));
        Assert.True(Reaches(medium, 1, 3));
    }

    [Fact]
    public void Moved_node_hears_those_near_its_new_place()
    {
        Medium medium = new(Topology.Create(TopologyKind.Line, 6), 1);
        medium.Move(6, 0, 1);
        Assert.True(medium.Find(6, 1, out MediumLink there));
        Assert.True(medium.Find(1, 6, out MediumLink back));
        Assert.Equal(there.RssiDbm, back.RssiDbm);
        Assert.False(medium.Find(5, 6, out _));
        Assert.False(medium.Find(6, 5, out _));
        Assert.Equal(new RadioPosition(0, 1), medium.PositionOf(6));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    public void Loses_the_share_it_is_told(double loss)
    {
        Medium medium = new(Topology.Create(TopologyKind.Line, 2, loss), 3);
        Assert.True(medium.Find(1, 2, out MediumLink link));
        int lost = 0;
        const int Draws = 200_000;
        for (int i = 0; i < Draws; i++)
        {
            lost += medium.Passes(link) ? 0 : 1;
        }

        // Five standard deviations.
        double sigma = Math.Sqrt(loss * (1 - loss) / Draws);
        Assert.InRange((double)lost / Draws, loss - (5 * sigma), loss + (5 * sigma));
    }

    [Fact]
    public void Loss_of_a_pair_wins_over_loss_of_all()
    {
        Medium medium = new(Topology.Create(TopologyKind.Line, 3, 0.5), 1);
        medium.SetLoss(0.0);
        medium.SetLoss(1, 2, 1.0);
        Assert.False(medium.Find(1, 2, out _));
        Assert.True(medium.Find(2, 3, out MediumLink sure));
        Assert.True(Enumerable.Range(0, 1000).All(_ => medium.Passes(sure)));
        medium.Restore(1, 2);
        Assert.True(medium.Find(1, 2, out _));
        medium.SetLoss(null);
        Assert.True(medium.Find(1, 2, out MediumLink own));
        Assert.Contains(Enumerable.Range(0, 100), _ => !medium.Passes(own));
    }

    [Fact]
    public void Unknown_nodes_are_an_input_error()
    {
        Medium medium = new(Topology.Create(TopologyKind.Line, 3), 1);
        Assert.Throws<InputException>(() => medium.Kill(0));
        Assert.Throws<InputException>(() => medium.Cut(1, 4));
        Assert.Throws<InputException>(() => medium.Cut(2, 2));
        Assert.Throws<InputException>(() => medium.SetLoss(double.NaN));
    }
}
