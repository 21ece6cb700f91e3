namespace IoTMesh.Core.Tests.Security;

/// <summary>protocol.md 8.8: the network key changes in two phases.</summary>
public class EpochTests
{
    private static byte[] KeyOf(uint epoch) => SiteKeys.CreateNetworkKey(new PlatformCrypto(), MiniMesh.SiteSecret, epoch);

    private static void Distribute(MiniMesh mesh, params ushort[] devices)
    {
        MeshNode gateway = mesh.Nodes[1];
        Assert.True(gateway.SetNextKey(mesh.NowMs, gateway.Epoch + 1, KeyOf(gateway.Epoch + 1)));
        mesh.Drain(1);
        for (int round = 0; round < 20 && devices.Any(d => !mesh.KeysTaken.Any(k => k.Device == d && k.Epoch == gateway.NextEpoch)); round++)
        {
            foreach (ushort device in devices.Where(d => !mesh.KeysTaken.Any(k => k.Device == d && k.Epoch == gateway.NextEpoch)))
            {
                gateway.SendNextKey(mesh.NowMs, device);
                mesh.Drain(1);
            }

            mesh.Run(1_000);
        }
    }

    [Fact]
    public void All_nodes_follow_and_no_reading_is_lost()
    {
        var mesh = new MiniMesh();
        mesh.Line(5);
        mesh.Run(10_000);
        Distribute(mesh, 2, 3, 4, 5);
        Assert.Equal([2, 3, 4, 5], mesh.KeysTaken.Select(k => (int)k.Device).Distinct().Order());
        Assert.All(mesh.Nodes.Values, node => Assert.Equal((0u, 1u), (node.Epoch, node.NextEpoch)));
        for (int i = 0; i < 40; i++)
        {
            if (i == 10)
            {
                Assert.True(mesh.Nodes[1].SwitchEpoch(mesh.NowMs));
                mesh.Drain(1);
            }

            mesh.Nodes[5].SendReading(mesh.NowMs, [(byte)i], 0, 1, out _);
            mesh.Drain(5);
            mesh.Run(100);
        }

        mesh.Run(1_000);
        Assert.All(mesh.Nodes.Values, node => Assert.Equal(1u, node.Epoch));
        var readings = mesh.Delivered.Where(d => d.Origin == 5 && d.At == 1 && d.Port == MeshPort.Reading);
        Assert.Equal(Enumerable.Range(0, 40), readings.Select(d => (int)d.Payload[0]).Order());
    }

    [Fact]
    public void After_the_overlap_the_key_before_is_worth_nothing()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(5_000);
        byte[] old = mesh.Frames.Last(f => f.From == 2 && FrameFormat.GetType(f.Frame[0]) == FrameFormat.TypeBeacon).Frame;
        Distribute(mesh, 2, 3);
        mesh.Nodes[1].SwitchEpoch(mesh.NowMs);
        mesh.Drain(1);
        mesh.Run(70_000);
        Assert.All(mesh.Nodes.Values, node => Assert.False(node.IsOverlapping));
        Assert.Equal(ParseError.OtherNetwork, mesh.Nodes[3].HandleFrame(mesh.NowMs, old, 0, old.Length, -60));
    }

    [Fact]
    public void A_node_that_missed_the_change_joins_again_and_keeps_its_readings()
    {
        var mesh = new MiniMesh();
        mesh.Line(4);
        mesh.Run(10_000);
        mesh.Cut(3, 4);
        Distribute(mesh, 2, 3);
        mesh.Nodes[1].SwitchEpoch(mesh.NowMs);
        mesh.Drain(1);
        mesh.Nodes[4].SendReading(mesh.NowMs, [99], 0, 1, out _);
        mesh.Drain(4);
        mesh.Run(80_000);
        Assert.Equal(0u, mesh.Nodes[4].Epoch);
        mesh.Link(3, 4);
        mesh.Run(150_000);
        Assert.Equal(1u, mesh.Nodes[4].Epoch);
        Assert.Contains(mesh.Joins, join => join.At == 1 && join is { Device: 4, Verdict: JoinVerdict.Accepted });
        Assert.Contains(mesh.Delivered, d => d.At == 1 && d.Origin == 4 && d.Payload[0] == 99);
    }

    [Fact]
    public void A_revoked_node_is_out_once_the_epoch_has_changed()
    {
        var mesh = new MiniMesh();
        mesh.Line(4);
        mesh.Run(10_000);
        mesh.Verdicts[4] = JoinVerdict.Revoked;
        Distribute(mesh, 2, 3);
        mesh.Nodes[1].SwitchEpoch(mesh.NowMs);
        mesh.Drain(1);
        mesh.Run(70_000);
        mesh.Delivered.Clear();
        mesh.Nodes[4].SendReading(mesh.NowMs, [1], 0, 1, out _);
        mesh.Drain(4);
        mesh.Run(120_000);
        Assert.Equal(0u, mesh.Nodes[4].Epoch);
        Assert.Equal(JoinVerdict.Revoked, mesh.Nodes[4].LastJoinVerdict);
        Assert.DoesNotContain(mesh.Delivered, d => d.Origin == 4);
        Assert.Equal(1, mesh.Nodes[2].GetNextHop(MeshAddress.AnyGateway));
    }

    [Fact]
    public void A_node_restarts_in_the_epoch_it_had_and_with_the_next_key()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(5_000);
        Distribute(mesh, 2, 3);
        MeshNode again = mesh.Reboot(3);
        Assert.Equal((0u, 1u), (again.Epoch, again.NextEpoch));
        mesh.Nodes[1].SwitchEpoch(mesh.NowMs);
        mesh.Drain(1);
        mesh.Run(5_000);
        Assert.Equal(1u, mesh.Nodes[3].Epoch);
        again = mesh.Reboot(3);
        Assert.Equal((1u, 0u), (again.Epoch, again.NextEpoch));
    }

    [Fact]
    public void Another_gateway_follows_with_a_key_of_its_own_making()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Start(4, isGateway: true);
        mesh.Link(3, 4);
        mesh.Run(10_000);
        Distribute(mesh, 2, 3);
        mesh.Nodes[1].SwitchEpoch(mesh.NowMs);
        mesh.Drain(1);
        mesh.Run(5_000);
        Assert.Equal(1u, mesh.Nodes[4].Epoch);
    }

    [Fact]
    public void A_next_key_counts_only_from_a_gateway()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(5_000);
        Assert.Equal(SendResult.NotReady, mesh.Nodes[2].SendNextKey(mesh.NowMs, 3));
        Assert.Equal(0u, mesh.Nodes[3].NextEpoch);
    }
}
