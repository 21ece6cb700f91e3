using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>Whole-mesh behaviour on a handful of nodes.</summary>
public class ScenarioTests
{
    private static bool HoldsKind(byte[] frame, byte kind)
    {
        if (FrameFormat.GetType(frame[0]) != FrameFormat.TypeData)
        {
            return false;
        }

        int at = FrameFormat.NarrowLength + 1;
        at += (frame[FrameFormat.OffsetNetwork] & FrameFormat.FlagAck) != 0 ? FrameFormat.RidingAckLength : 0;
        var header = new MessageHeader();
        bool found = false;
        for (int end = frame.Length - FrameFormat.TagLength; at < end; at = header.BodyOffset + header.BodyLength)
        {
            Assert.Equal(ParseError.None, header.Parse(frame, at, end, Bytes.GetU16(frame, FrameFormat.OffsetSource)));
            found |= header.Kind == kind;
        }

        return found;
    }

    [Fact]
    public void A_broadcast_reaches_all_in_a_line_of_ten_once()
    {
        var mesh = new MiniMesh();
        mesh.Line(10);
        mesh.Run(10_000);
        mesh.Nodes[1].Send(mesh.NowMs, MeshAddress.All, 50, MeshClass.Normal, false, [1, 2], 0, 2, out _);
        mesh.Run(4_000);
        Assert.Equal(Enumerable.Range(2, 9), mesh.Delivered.Select(d => d.At).Order());
        Assert.All(mesh.Delivered, d => Assert.Equal(d.At - 1, d.Hops));
    }

    [Fact]
    public void When_one_of_two_gateways_dies_no_reading_is_lost()
    {
        var mesh = new MiniMesh(3) { Loss = 0.05 };
        for (int i = 1; i <= 6; i++)
        {
            mesh.Start(i, i is 1 or 6);
            if (i > 1)
            {
                mesh.Link(i - 1, i);
            }
        }

        mesh.Run(10_000);
        for (int round = 0; round < 30; round++)
        {
            for (int node = 2; node <= 5; node++)
            {
                mesh.Nodes[node].SendReading(mesh.NowMs, [(byte)round], 0, 1, out _);
            }

            mesh.Run(1_000);
            if (round == 12)
            {
                Assert.Equal([1, 6], mesh.Delivered.Select(d => d.At).Distinct().Order());
                mesh.Kill(1);
            }
        }

        mesh.Run(120_000);
        for (int node = 2; node <= 5; node++)
        {
            int missing = 30 - mesh.Delivered.Where(d => d.Origin == node).Select(d => d.Seq).Distinct().Count();
            Assert.Equal((node, 0), (node, missing));
            Assert.Equal(0, mesh.Nodes[node].CustodyCount);
        }
    }

    [Fact]
    public void A_message_replayed_to_a_rebooted_node_is_refused()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(8_000);
        mesh.Nodes[2].Send(mesh.NowMs, 3, 50, MeshClass.Normal, false, [1], 0, 1, out _);
        mesh.Run(3_000);
        mesh.Nodes[2].Send(mesh.NowMs, 3, 50, MeshClass.Normal, false, [2], 0, 1, out _);
        mesh.Run(3_000);
        Assert.Equal(2, mesh.Delivered.Count);
        byte[] beacon = mesh.Frames.First(f => f.From == 2 && FrameFormat.GetType(f.Frame[0]) == FrameFormat.TypeBeacon).Frame;
        byte[][] data = [.. mesh.Frames.Where(f => f.From == 2 && HoldsKind(f.Frame, MessageKind.Datagram)).Select(f => f.Frame)];
        mesh.Kill(3);
        mesh.Cut(2, 3);
        MeshNode node = mesh.Start(3);
        mesh.Run(100);

        // A node that has just started takes a recorded stranger for a new neighbor, but no data of it.
        Assert.Equal(ParseError.None, node.HandleFrame(mesh.NowMs, beacon, 0, beacon.Length, -60));
        Assert.Equal(ParseError.UnknownNeighbor, node.HandleFrame(mesh.NowMs, data[^2], 0, data[^2].Length, -60));

        // Nor does it take the data for news once the neighbor itself is back: it is bound to the receiver's boot.
        mesh.Link(2, 3);
        mesh.Nodes[2].Send(mesh.NowMs, MeshAddress.All, 40, MeshClass.Normal, false, [1], 0, 1, out _);
        mesh.Run(1_000);
        Assert.True(node.IsVerified(2));
        mesh.Delivered.RemoveAll(d => d.Port == 40);
        Assert.Equal(ParseError.None, node.HandleFrame(mesh.NowMs, data[^1], 0, data[^1].Length, -60));
        mesh.Drain(3);
        Assert.Equal(2, mesh.Delivered.Count);
        Assert.Equal(1, node.Counters.EndToEndBadTag);
    }

    [Fact]
    public void A_recorded_neighbor_is_never_used_as_next_hop()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(8_000);
        byte[][] recorded = mesh.Frames.Where(f => f.From == 2).Select(f => f.Frame).ToArray();
        mesh.Kill(3);
        mesh.Kill(2);
        MeshNode node = mesh.Start(3);
        mesh.Run(100);
        foreach (byte[] frame in recorded)
        {
            node.HandleFrame(mesh.NowMs, frame, 0, frame.Length, -60);
            mesh.Run(10);
        }

        mesh.Run(5_000);
        var info = new NeighborInfo();
        for (int i = 0; i < node.NeighborCount; i++)
        {
            node.GetNeighbor(i, info);
            Assert.False(info.IsVerified);
        }

        Assert.Equal(MeshAddress.None, node.GetNextHop(MeshAddress.AnyGateway));
    }

    [Fact]
    public void A_confirmed_message_is_delivered_once_though_confirmations_are_lost()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(8_000);
        int swallowed = 0;
        long healMs = mesh.NowMs + 7_000;
        mesh.Intercept = (_, frame) =>
        {
            bool lose = mesh.NowMs < healMs && HoldsKind(frame, MessageKind.Confirm);
            swallowed += lose ? 1 : 0;
            return lose;
        };
        mesh.Nodes[1].Send(mesh.NowMs, 3, 50, MeshClass.Normal, true, [7], 0, 1, out int token);
        mesh.Run(30_000);
        Assert.True(swallowed > 1);
        Assert.Single(mesh.Delivered);
        Assert.Contains((1, token, true), mesh.Completed);
    }

    [Fact]
    public void A_confirmed_message_to_nobody_fails_in_the_end()
    {
        var mesh = new MiniMesh();
        mesh.Line(2);
        mesh.Run(8_000);
        mesh.Nodes[1].Send(mesh.NowMs, 77, 50, MeshClass.Normal, true, [7], 0, 1, out int token);
        mesh.Run(120_000);
        Assert.Contains((1, token, false), mesh.Completed);
    }

    [Fact]
    public void Two_partitions_merge()
    {
        var mesh = new MiniMesh();
        mesh.Line(6);
        mesh.Cut(3, 4);
        mesh.Run(40_000);
        Assert.Equal(MeshAddress.None, mesh.Nodes[6].NearestGateway);
        Assert.Equal(6, mesh.Nodes[5].GetNextHop(6));
        mesh.Nodes[6].SendReading(mesh.NowMs, [1], 0, 1, out _);
        mesh.Link(3, 4);
        mesh.Run(70_000);
        Assert.Equal(1, mesh.Nodes[6].NearestGateway);
        Assert.Contains(mesh.Delivered, d => d.Origin == 6 && d.At == 1);
        for (int node = 1; node <= 6; node++)
        {
            for (int other = 1; other <= 6; other++)
            {
                Assert.True(node == other || mesh.Nodes[node].GetNextHop((ushort)other) != MeshAddress.None, $"{node} knows no way to {other}");
            }
        }
    }

    /// <summary>The relay that restarts may not use its neighbors' first word, and nobody else has a route that is left.</summary>
    [Fact]
    public void A_relay_that_restarts_finds_the_way_to_hosts_behind_it_again()
    {
        var mesh = new MiniMesh(5);
        mesh.Line(6);
        mesh.Run(10_000);
        Assert.Equal(2, mesh.Nodes[1].GetNextHop(6));
        mesh.Kill(5);
        for (int i = 0; i < 20; i++)
        {
            mesh.Nodes[1].Send(mesh.NowMs, 6, 50, MeshClass.Normal, false, [1], 0, 1, out _);
            mesh.Run(1_000);
        }

        Assert.Equal(MeshAddress.None, mesh.Nodes[1].GetNextHop(6));
        mesh.Start(5);
        mesh.Run(15_000);
        Assert.Equal(2, mesh.Nodes[1].GetNextHop(6));
        Assert.Equal(6, mesh.Nodes[5].GetNextHop(6));
    }

    /// <summary>Its timer would be due at once and nothing could be done about it before the counters are stored.</summary>
    [Fact]
    public void A_reading_taken_before_the_first_store_makes_no_deadline()
    {
        var crypto = new PlatformCrypto();
        var keys = new MeshKeys
        {
            NetworkKey = MiniMesh.NetworkKey,
            DeviceKey = SiteKeys.CreateDeviceKey(crypto, MiniMesh.SiteSecret, 2),
        };
        var node = new MeshNode(new MeshConfig { Address = 2 }, keys, crypto, 1, null);
        node.Start(1000);
        Assert.Equal(SendResult.Accepted, node.SendReading(1000, [1], 0, 1, out _));
        Assert.True(node.NextDeadlineMs > 1000);
    }
}
