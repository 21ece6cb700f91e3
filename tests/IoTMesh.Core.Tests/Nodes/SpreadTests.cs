using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>protocol.md 6.3: parents of equal worth share the load.</summary>
public class SpreadTests
{
    [Fact]
    public void Two_relays_of_equal_worth_share_the_load_and_keep_each_origins_order()
    {
        var mesh = new MiniMesh(4);
        for (int node = 1; node <= 13; node++)
        {
            mesh.Start(node, node == 1);
        }

        mesh.Link(1, 2);
        mesh.Link(1, 3);
        for (int leaf = 4; leaf <= 13; leaf++)
        {
            mesh.Link(2, leaf);
            mesh.Link(3, leaf);
        }

        mesh.Run(15_000);
        long changes = mesh.Nodes.Values.Sum(node => node.Counters.ParentChanges);
        for (byte round = 0; round < 20; round++)
        {
            for (int leaf = 4; leaf <= 13; leaf++)
            {
                mesh.Nodes[leaf].Send(mesh.NowMs, MeshAddress.AnyGateway, 50, MeshClass.Normal, false, [round], 0, 1, out _);
            }

            mesh.Run(500);
        }

        long left = mesh.Nodes[2].Counters.Forwarded;
        long right = mesh.Nodes[3].Counters.Forwarded;
        Assert.True(left > 50 && right > 50, $"{left} over one relay, {right} over the other");
        Assert.Equal(changes, mesh.Nodes.Values.Sum(node => node.Counters.ParentChanges));
        for (int leaf = 4; leaf <= 13; leaf++)
        {
            Assert.Equal(Enumerable.Range(0, 20), mesh.Delivered.Where(d => d.Origin == leaf).Select(d => (int)d.Payload[0]));
        }
    }
}
