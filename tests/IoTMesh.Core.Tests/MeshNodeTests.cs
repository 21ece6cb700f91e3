using IoTMesh.Core;

namespace IoTMesh.Core.Tests;

public class MeshNodeTests
{
    [Fact]
    public void Readings_cross_a_line_of_five()
    {
        var mesh = new MiniMesh();
        mesh.Line(5);
        mesh.Run(5_000);
        Assert.Equal(1, mesh.Nodes[5].NearestGateway);
        Assert.Equal(4, mesh.Nodes[5].GetNextHop(MeshAddress.AnyGateway));
        mesh.Nodes[5].SendReading(mesh.NowMs, [1, 2, 3], 0, 3, out uint seq);
        mesh.Run(1_000);
        Assert.Equal(1u, seq);
        var delivered = Assert.Single(mesh.Delivered);
        Assert.Equal((1, (ushort)5, MeshPort.Reading), (delivered.At, delivered.Origin, delivered.Port));
        Assert.Equal(new byte[] { 1, 2, 3 }, delivered.Payload);
        Assert.Equal(4, delivered.Hops);
        mesh.Run(30_000);
        Assert.Equal(0, mesh.Nodes[5].CustodyCount);
    }

    [Fact]
    public void Nodes_talk_to_each_other_with_no_gateway_up()
    {
        var mesh = new MiniMesh();
        for (int i = 2; i <= 6; i++)
        {
            mesh.Start(i);
            mesh.Link(i, i + 1);
        }

        mesh.Run(8_000);
        SendResult result = mesh.Nodes[2].Send(mesh.NowMs, 6, 40, MeshClass.Normal, true, [9], 0, 1, out int token);
        Assert.Equal(SendResult.Accepted, result);
        mesh.Run(6_000);
        var delivered = Assert.Single(mesh.Delivered);
        Assert.Equal((6, (ushort)2, (byte)40), (delivered.At, delivered.Origin, delivered.Port));
        Assert.Contains((2, token, true), mesh.Completed);
    }

    [Fact]
    public void A_gateway_commands_a_node_three_hops_away()
    {
        var mesh = new MiniMesh();
        mesh.Line(4);
        mesh.Run(6_000);
        mesh.Nodes[1].Send(mesh.NowMs, 4, MeshPort.Command, MeshClass.Normal, true, [7, 7], 0, 2, out int token);
        mesh.Run(6_000);
        var delivered = Assert.Single(mesh.Delivered);
        Assert.Equal((4, (ushort)1, 3), (delivered.At, delivered.Origin, delivered.Hops));
        Assert.Contains((1, token, true), mesh.Completed);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.3)]
    public void Every_reading_arrives_once_over_lossy_links(double loss)
    {
        var mesh = new MiniMesh(7) { Loss = loss };
        mesh.Line(5);
        mesh.Run(20_000);
        for (int i = 0; i < 100; i++)
        {
            mesh.Nodes[5].SendReading(mesh.NowMs, [(byte)i], 0, 1, out _);
            mesh.Run(1_000);
        }

        mesh.Run(120_000);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (uint)i), mesh.Delivered.Select(d => d.Seq).Order());
    }

    [Fact]
    public void Readings_measured_while_the_gateway_is_away_arrive_once_after_its_restart()
    {
        var mesh = new MiniMesh();
        mesh.Line(4);
        mesh.Run(6_000);
        for (int i = 0; i < 60; i++)
        {
            if (i == 10)
            {
                mesh.Kill(1);
            }

            if (i == 50)
            {
                mesh.Start(1, true);
            }

            mesh.Nodes[4].SendReading(mesh.NowMs, [(byte)i], 0, 1, out _);
            mesh.Run(2_000);
        }

        mesh.Run(90_000);
        Assert.Equal(60, mesh.Delivered.Select(d => d.Seq).Distinct().Count());
        Assert.Equal(0, mesh.Nodes[4].CustodyCount);
    }

    [Fact]
    public void A_detour_takes_over_when_a_relay_dies_and_the_relay_rejoins()
    {
        var mesh = new MiniMesh();
        mesh.Line(4);
        mesh.Start(5);
        mesh.Link(1, 5);
        mesh.Link(5, 4);
        mesh.Run(8_000);
        mesh.Kill(3);
        mesh.Kill(2);
        long killedMs = mesh.NowMs;
        mesh.Nodes[4].SendReading(mesh.NowMs, [1], 0, 1, out _);
        mesh.Run(5_000);
        Assert.Single(mesh.Delivered);
        Assert.Equal(5, mesh.Nodes[4].GetNextHop(MeshAddress.AnyGateway));
        mesh.Start(2);
        mesh.Run(8_000);
        Assert.Equal(1, mesh.Nodes[2].GetNextHop(MeshAddress.AnyGateway));
        Assert.Equal(2, mesh.Nodes[2].Boot);
    }
}
