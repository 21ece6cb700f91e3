using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>What somebody with no key, or with too few, can do. protocol.md 8.5.</summary>
public class KeyTests
{
    private static readonly byte[] _wrong = [.. Enumerable.Repeat((byte)0x5A, 16)];

    [Fact]
    public void An_outsider_without_the_network_key_changes_nothing()
    {
        var mesh = new MiniMesh { ConfigureKeys = (address, keys) => keys.NetworkKey = address == 9 ? _wrong : keys.NetworkKey };
        mesh.Line(3);
        mesh.Start(9, true);
        for (int i = 1; i <= 3; i++)
        {
            mesh.Link(9, i);
        }

        mesh.Run(20_000);
        mesh.Nodes[9].Send(mesh.NowMs, 3, 50, MeshClass.Normal, false, [1], 0, 1, out _);
        mesh.Nodes[9].Send(mesh.NowMs, MeshAddress.All, 50, MeshClass.Normal, false, [1], 0, 1, out _);
        mesh.Nodes[3].SendReading(mesh.NowMs, [1], 0, 1, out _);
        mesh.Run(10_000);
        Assert.Equal(0, mesh.Nodes[9].RouteCount);
        Assert.Equal((1, (ushort)3), Assert.Single(mesh.Delivered.Select(d => (d.At, d.Origin))));
        var route = new RouteInfo();
        for (int i = 1; i <= 3; i++)
        {
            MeshNode node = mesh.Nodes[i];
            Assert.True(node.Counters.Refused.Sum() > 0);
            Assert.Equal(i == 2 ? 2 : 1, node.NeighborCount);
            for (int r = 0; r < node.RouteCount; r++)
            {
                node.GetRoute(r, route);
                Assert.NotEqual(9, route.Destination);
            }
        }
    }

    [Fact]
    public void A_node_with_a_wrong_device_key_cannot_deliver_a_reading()
    {
        var mesh = new MiniMesh { ConfigureKeys = (address, keys) => keys.DeviceKey = address == 3 ? _wrong : keys.DeviceKey };
        mesh.Line(3);
        mesh.Run(8_000);
        mesh.Nodes[2].SendReading(mesh.NowMs, [2], 0, 1, out _);
        mesh.Nodes[3].SendReading(mesh.NowMs, [3], 0, 1, out _);
        mesh.Run(5_000);
        Assert.Equal((ushort)2, Assert.Single(mesh.Delivered).Origin);
        Assert.True(mesh.Nodes[1].Counters.EndToEndBadTag > 0);
        Assert.Equal(1, mesh.Nodes[3].CustodyCount);
    }

    [Fact]
    public void A_node_that_poses_as_a_gateway_delays_readings_but_destroys_none()
    {
        var mesh = new MiniMesh { ConfigureKeys = (address, keys) => keys.Devices = address == 9 ? null : keys.Devices };
        mesh.Line(4);
        mesh.Start(9, true);
        mesh.Link(9, 4);
        mesh.Run(10_000);
        Assert.Equal(9, mesh.Nodes[4].GetNextHop(MeshAddress.AnyGateway));
        for (int i = 0; i < 5; i++)
        {
            mesh.Nodes[4].SendReading(mesh.NowMs, [(byte)i], 0, 1, out _);
            mesh.Run(1_000);
        }

        Assert.Empty(mesh.Delivered);
        Assert.Equal(5, mesh.Nodes[4].CustodyCount);
        mesh.Kill(9);
        mesh.Run(120_000);
        Assert.Equal([1u, 2u, 3u, 4u, 5u], mesh.Delivered.Select(d => d.Seq).Order());
        Assert.Equal(0, mesh.Nodes[4].CustodyCount);
    }

    /// <summary>One stolen node has a valid pairwise key with everybody, and still cannot make anyone drop a reading.</summary>
    [Fact]
    public void A_watermark_under_a_pairwise_key_is_ignored()
    {
        var mesh = new MiniMesh { Commits = false };
        mesh.Line(3);
        mesh.Run(8_000);
        mesh.Nodes[3].SendReading(mesh.NowMs, [1], 0, 1, out _);
        mesh.Run(2_000);
        MeshNode node = mesh.Nodes[3];
        Assert.Equal(1, node.CustodyCount);
        var crypto = new PlatformCrypto();
        byte[] key = new byte[16];
        PairwiseKeys.Derive(crypto, PairwiseKeys.CreateShare(crypto, MiniMesh.SiteSecret, 2), 2, 3, key);
        byte[] plain = new byte[14];
        Bytes.PutU16(plain, 0, node.Boot);
        Bytes.PutU32(plain, 2, 100);
        long received = node.Counters.EndToEndBadTag;
        byte[] frame = FrameWithMessage(crypto, key, plain, node.Boot);
        Assert.Equal(ParseError.None, node.HandleFrame(mesh.NowMs, frame, 0, frame.Length, -60));
        Assert.Equal(received, node.Counters.EndToEndBadTag);
        Assert.Equal(1, node.CustodyCount);
    }

    private static byte[] FrameWithMessage(PlatformCrypto crypto, byte[] key, byte[] plain, ushort receiverBoot)
    {
        const uint Counter = 500_000;
        byte[] nonce = new byte[13];
        nonce[0] = MessageKind.Watermark;
        Bytes.PutU16(nonce, 1, 2);
        Bytes.PutU16(nonce, 3, 3);
        Bytes.PutU32(nonce, 5, Counter);
        Bytes.PutU16(nonce, 9, receiverBoot);
        Bytes.PutU16(nonce, 11, 1);
        byte[] sealedBytes = [.. plain, .. new byte[8]];
        new Ccm(100).Seal(crypto.CreateAes(key), nonce, null, 0, sealedBytes, 0, plain.Length);
        byte[] frame = new byte[100];
        frame[0] = FrameFormat.MakeKind(FrameFormat.TypeData, 2);
        frame[1] = FrameFormat.MakeNetwork(0, 0, 0);
        Bytes.PutU16(frame, FrameFormat.OffsetSource, 2);
        Bytes.PutU16(frame, FrameFormat.OffsetDestination, 3);
        Bytes.PutU16(frame, FrameFormat.OffsetCounter, unchecked((ushort)15_000));
        var header = new MessageHeader
        {
            Kind = MessageKind.Watermark,
            HopLimit = 5,
            Origin = 2,
            Destination = 3,
            IsWide = true,
            Counter = Counter,
            Boot = 1,
            BodyLength = sealedBytes.Length,
        };
        int at = header.Emit(frame, FrameFormat.NarrowLength + 1, 2, false);
        sealedBytes.CopyTo(frame, at);
        at += sealedBytes.Length;
        new HopAuthenticator(crypto, MiniMesh.NetworkKey, 0, 250).Sign(frame, at, 15_000);
        return frame[..(at + FrameFormat.TagLength)];
    }
}
