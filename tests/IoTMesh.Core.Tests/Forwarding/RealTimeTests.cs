using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>protocol.md 6.7: deadline and second copy of real-time messages.</summary>
public class RealTimeTests
{
    private static bool IsRealTime(byte[] frame) =>
        FrameFormat.GetType(frame[0]) == FrameFormat.TypeData && (frame[0] & 3) == (int)MeshClass.RealTime;

    private static void Send(MiniMesh mesh, int from)
    {
        mesh.Nodes[from].Send(mesh.NowMs, MeshAddress.AnyGateway, 40, MeshClass.RealTime, false, [1], 0, 1, out _);
        mesh.Drain(from);
    }

    [Theory]
    [InlineData(480, 1, 0)]
    [InlineData(504, 0, 1)]
    public void A_relay_drops_what_is_past_its_deadline(int ageMs, int delivered, int late)
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(10_000);
        var hop = new HopAuthenticator(new PlatformCrypto(), MiniMesh.NetworkKey, 0, 250);
        mesh.Intercept = (from, frame) =>
        {
            if (from == 3 && IsRealTime(frame))
            {
                frame[FrameFormat.NarrowLength + 1] = (byte)(ageMs / FrameFormat.AgeUnitMs);
                hop.Sign(frame, frame.Length - FrameFormat.TagLength, Bytes.GetU16(frame, FrameFormat.OffsetCounter));
            }

            return false;
        };
        Send(mesh, 3);
        mesh.Run(500);
        Assert.Equal(delivered, mesh.Delivered.Count);
        Assert.Equal(late, mesh.Nodes[2].Counters.DroppedLate);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public void With_a_second_copy_one_parent_may_lose_the_message(bool twice, int delivered)
    {
        var mesh = new MiniMesh { Configure = config => config.RealTimeTwice = twice };
        mesh.Line(2);
        mesh.Start(3);
        mesh.Link(1, 3);
        mesh.Start(4);
        mesh.Link(2, 4);
        mesh.Link(3, 4);
        mesh.Run(10_000);
        Send(mesh, 4);
        mesh.Run(200);
        Assert.Single(mesh.Delivered);
        mesh.Delivered.Clear();
        int first = 0;
        mesh.Intercept = (from, frame) =>
        {
            first = first == 0 && from == 4 && IsRealTime(frame) ? Bytes.GetU16(frame, FrameFormat.OffsetDestination) : first;
            return from == first && IsRealTime(frame);
        };
        Send(mesh, 4);
        mesh.Run(800);
        Assert.Equal(delivered, mesh.Delivered.Count);
    }
}
