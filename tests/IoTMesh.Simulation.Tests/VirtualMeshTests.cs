using IoTMesh.Core;
using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

public class VirtualMeshTests : IVirtualMeshObserver
{
    private readonly List<(int Node, string Text)> _delivered = [];
    private readonly List<(int Node, ReadingKey Key, bool IsNew)> _committed = [];
    private readonly List<int> _called = [];

    void IVirtualMeshObserver.Delivered(int node, MeshOutput output) => _delivered.Add((node, Convert.ToHexString(output.Buffer, 0, output.Length)));

    void IVirtualMeshObserver.Committed(int node, ReadingKey key, bool isNew) => _committed.Add((node, key, isNew));

    void IVirtualMeshObserver.RouteChanged(int node, ushort destination)
    {
    }

    void IVirtualMeshObserver.Called(int id) => _called.Add(id);

    void IVirtualMeshObserver.Violated(string what) => Assert.Fail(what);

    private VirtualMesh Started(Topology topology, VirtualMeshOptions? options = null, ulong seed = 1)
    {
        VirtualMesh mesh = new(topology, seed, this, options);
        for (int node = 1; node <= topology.NodeCount; node++)
        {
            mesh.Start(node);
        }

        mesh.RunUntil(15_000_000);
        return mesh;
    }

    [Fact]
    public void Calls_come_in_order_of_time()
    {
        VirtualMesh mesh = new(Topology.Create(TopologyKind.Line, 1), 1, this);
        mesh.CallAt(30, 3);
        mesh.CallAt(10, 1);
        mesh.CallAt(30, 4);
        mesh.CallAt(20, 2);
        mesh.RunUntil(29);
        Assert.Equal([1, 2], _called);
        Assert.Equal(29, mesh.NowUs);
        mesh.RunUntil(30);
        Assert.Equal([1, 2, 3, 4], _called);
    }

    [Fact]
    public void Nodes_talk_in_both_directions_with_no_gateway()
    {
        VirtualMesh mesh = Started(Topology.Create(TopologyKind.Line, 4, gateways: []));
        Assert.Equal(SendResult.Accepted, mesh.Send(1, 4, MeshPort.FirstUser, MeshClass.Normal, false, [0xAB], 1));
        Assert.Equal(SendResult.Accepted, mesh.Send(4, 1, MeshPort.FirstUser, MeshClass.Normal, true, [0xCD], 1));
        mesh.RunUntil(17_000_000);
        Assert.Equal([(1, "CD"), (4, "AB")], _delivered.Order());
    }

    [Fact]
    public void Each_boot_has_a_number_of_its_own_once_it_is_stored()
    {
        VirtualMesh mesh = Started(Topology.Create(TopologyKind.Line, 2));
        ushort boot = mesh.CoreOf(2)!.Boot;
        mesh.Kill(2);
        Assert.False(mesh.IsRunning(2));
        Assert.Null(mesh.CoreOf(2));
        Assert.Equal(SendResult.NotReady, mesh.SendReading(2, [1], 1, out _));
        mesh.RunUntil(16_000_000);
        mesh.Start(2);
        mesh.RunUntil(17_000_000);
        Assert.Equal(boot + 1, mesh.CoreOf(2)!.Boot);
    }

    [Fact]
    public void Record_that_was_not_durable_yet_is_gone_after_a_kill()
    {
        VirtualMesh mesh = new(Topology.Create(TopologyKind.Line, 1), 1, this, new VirtualMeshOptions { StoreDelayUs = 1_000_000 });
        mesh.Start(1);
        ushort boot = mesh.CoreOf(1)!.Boot;
        mesh.RunUntil(500_000);
        mesh.Kill(1);
        mesh.Start(1);
        Assert.Equal(boot, mesh.CoreOf(1)!.Boot);
        mesh.RunUntil(3_000_000);
        mesh.Kill(1);
        mesh.Start(1);
        Assert.Equal(boot + 1, mesh.CoreOf(1)!.Boot);
    }

    [Fact]
    public void Gateway_commits_and_releases_what_it_was_handed()
    {
        VirtualMesh mesh = Started(Topology.Create(TopologyKind.Line, 3));
        Assert.Equal(SendResult.Accepted, mesh.SendReading(3, [7, 7], 2, out ReadingKey key));
        mesh.RunUntil(16_000_000);
        Assert.Equal([(1, key, true)], _committed);
        Assert.Equal(1, mesh.CoreOf(3)!.CustodyCount);
        mesh.RunUntil(120_000_000);
        Assert.Equal(0, mesh.CoreOf(3)!.CustodyCount);
    }

    [Fact]
    public void Reading_made_while_the_gateway_service_is_down_arrives_once_it_is_up()
    {
        VirtualMesh mesh = Started(Topology.Create(TopologyKind.Line, 3));
        mesh.GatewayDown(1);
        Assert.True(mesh.IsRunning(1));
        Assert.False(mesh.IsServing(1));
        mesh.SendReading(3, [7], 1, out ReadingKey key);
        mesh.RunUntil(60_000_000);
        Assert.Empty(_committed);
        mesh.GatewayUp(1);
        mesh.RunUntil(180_000_000);
        Assert.Equal([(1, key, true)], _committed);
        Assert.Throws<InputException>(() => mesh.GatewayDown(2));
    }

    [Fact]
    public void Frame_of_a_sender_that_dies_while_sending_is_lost()
    {
        VirtualMesh mesh = Started(
            Topology.Create(TopologyKind.Line, 2, gateways: []), new VirtualMeshOptions { Airtime = new Airtime(1_000_000, 100_000) });
        Assert.Equal(SendResult.Accepted, mesh.Send(1, 2, MeshPort.FirstUser, MeshClass.Normal, false, [1], 1));
        mesh.RunUntil(mesh.NowUs + 20_000);
        mesh.Kill(1);
        mesh.RunUntil(mesh.NowUs + 1_000_000);
        Assert.Empty(_delivered);
    }

    [Fact]
    public void Configuration_hook_reaches_every_core()
    {
        VirtualMesh mesh =
            new(Topology.Create(TopologyKind.Line, 2), 1, this, new VirtualMeshOptions { Configure = config => config.MaxNeighbors = 5 });
        mesh.Start(2);
        Assert.Equal((5, (ushort)2), (mesh.CoreOf(2)!.Config.MaxNeighbors, mesh.CoreOf(2)!.Address));
    }
}
