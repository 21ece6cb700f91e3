using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>protocol.md 4.3: datagrams that leave out what the gateway knows, and a gateway that does not know it.</summary>
public class NarrowTests
{
    private static bool IsWide(byte[] frame)
    {
        int at = FrameFormat.NarrowLength + 1;
        at += (frame[FrameFormat.OffsetNetwork] & FrameFormat.FlagAck) != 0 ? FrameFormat.RidingAckLength : 0;
        var header = new MessageHeader();
        Assert.Equal(ParseError.None, header.Parse(frame, at, frame.Length - FrameFormat.TagLength, Bytes.GetU16(frame, FrameFormat.OffsetSource)));
        return header.IsWide;
    }

    private static bool[] SendEach(MiniMesh mesh, int from, int count)
    {
        mesh.Frames.Clear();
        for (int i = 0; i < count; i++)
        {
            mesh.Nodes[from].Send(mesh.NowMs, MeshAddress.AnyGateway, 40, MeshClass.Normal, false, [(byte)i], 0, 1, out _);
            mesh.Run(50);
        }

        return mesh.Frames
            .Where(f => f.From == from && FrameFormat.GetType(f.Frame[0]) == FrameFormat.TypeData)
            .Select(f => IsWide(f.Frame)).ToArray();
    }

    [Fact]
    public void The_first_four_and_then_one_in_64_are_wide()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(8_000);
        bool[] wide = SendEach(mesh, 3, 140);
        Assert.Equal(140, wide.Length);
        Assert.Equal([0, 1, 2, 3, 67, 131], Enumerable.Range(0, 140).Where(i => wide[i]));
        Assert.Equal(140, mesh.Delivered.Count);
    }

    [Fact]
    public void A_gateway_that_forgot_an_origin_asks_it_and_loses_no_datagram()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(8_000);
        SendEach(mesh, 3, 10);
        mesh.Kill(1);
        mesh.Start(1, true);
        mesh.Run(1_500);
        mesh.Delivered.Clear();
        bool[] wide = SendEach(mesh, 3, 5);
        mesh.Run(2_000);
        Assert.DoesNotContain(true, wide.Take(1));
        Assert.Equal([0, 1, 2, 3, 4], mesh.Delivered.Select(d => (int)d.Payload[0]).Order());
        Assert.Equal(0, mesh.Nodes[1].QueuedCount);
    }

    [Fact]
    public void What_a_gateway_cannot_open_in_three_seconds_is_dropped_and_counted()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(8_000);
        SendEach(mesh, 3, 10);
        mesh.Kill(1);
        MeshNode gateway = mesh.Start(1, true);
        mesh.Run(1_500);
        mesh.Intercept = (from, frame) => from == 1 && FrameFormat.GetType(frame[0]) == FrameFormat.TypeData;
        SendEach(mesh, 3, 10);
        Assert.InRange(gateway.QueuedCount, 1, 7);
        mesh.Run(20_000);
        Assert.Equal((10, 0), ((int)gateway.Counters.EndToEndNoKey, gateway.QueuedCount));
    }
}
