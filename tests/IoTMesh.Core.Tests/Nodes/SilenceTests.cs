using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>protocol.md 5.3: a next hop that nothing is heard of is asked whether it is there.</summary>
public class SilenceTests
{
    /// <summary>A ring: the gateway 1, 2 and 3 beside it, 4 behind both.</summary>
    private static MiniMesh Ring(double loss = 0)
    {
        var mesh = new MiniMesh(3) { Loss = loss };
        for (int node = 1; node <= 4; node++)
        {
            mesh.Start(node, node == 1);
        }

        mesh.Link(1, 2);
        mesh.Link(1, 3);
        mesh.Link(2, 4);
        mesh.Link(3, 4);
        mesh.Run(20_000);
        return mesh;
    }

    [Fact]
    public void A_node_that_sends_nothing_finds_another_way_within_75_seconds()
    {
        MiniMesh mesh = Ring();
        int dead = mesh.Nodes[4].GetNextHop(MeshAddress.AnyGateway);
        mesh.Kill(dead);
        mesh.Run(75_000);
        Assert.Equal(5 - dead, mesh.Nodes[4].GetNextHop(MeshAddress.AnyGateway));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void A_living_next_hop_is_kept_and_seldom_asked(double loss)
    {
        MiniMesh mesh = Ring(loss);
        mesh.Run(100_000);
        long changes = mesh.Nodes[4].Counters.ParentChanges;
        int probesBefore = Probes(mesh);
        mesh.Run(1_800_000);
        Assert.Equal(changes, mesh.Nodes[4].Counters.ParentChanges);
        Assert.Equal(0, mesh.Nodes.Values.Sum(node => node.Counters.NeighborsLost));

        // At most one a minute of each of the three, and as many again for what is lost.
        Assert.InRange(Probes(mesh) - probesBefore, 1, 3 * 30 * (loss == 0 ? 1 : 2));
    }

    [Fact]
    public void A_request_over_a_dead_next_hop_is_answered_within_seconds()
    {
        // 5 hangs on 4, whose next hop is dead; nobody else sends. What 5 sends meets the hole.
        MiniMesh mesh = Ring();
        mesh.Start(5);
        mesh.Link(4, 5);
        mesh.Run(20_000);
        mesh.Kill(mesh.Nodes[4].GetNextHop(MeshAddress.AnyGateway));
        mesh.Run(10_000);
        mesh.Nodes[5].Send(mesh.NowMs, MeshAddress.AnyGateway, 50, MeshClass.Normal, false, [7], 0, 1, out _);
        mesh.Drain(5);
        mesh.Run(2_000);
        Assert.Single(mesh.Delivered);
    }

    private static int Probes(MiniMesh mesh)
    {
        return mesh.Frames.Count(frame => FrameFormat.GetType(frame.Frame[0]) == FrameFormat.TypeProbe);
    }
}
