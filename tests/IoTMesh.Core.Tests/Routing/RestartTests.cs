using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Routing;

/// <summary>protocol.md 5.5.</summary>
public class RestartTests
{
    /// <summary>
    /// Node 3 still sends by way of node 2 as it was before its restart. Node 2 hears it and could pass its messages on, but takes none
    /// until node 3 has answered a challenge: by then node 3 has dropped what it knew from before.
    /// </summary>
    [Fact]
    public void A_restarted_node_takes_no_data_of_a_neighbor_that_may_not_know_of_the_restart()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(5_000);
        mesh.Kill(2);

        // Node 3 hears nothing of the restarted node 2; node 1 does.
        bool isDeaf = true;
        mesh.Intercept = (from, frame) => isDeaf && from == 2 && (FrameFormat.GetType(frame[0]) == FrameFormat.TypeBeacon || To(frame) == 3);
        mesh.Reboot(2);
        mesh.Run(300);
        mesh.Nodes[3].Send(mesh.NowMs, MeshAddress.All, 40, MeshClass.Normal, false, [1], 0, 1, out _);
        mesh.Run(100);
        mesh.Delivered.Clear();
        int sent = mesh.Frames.Count;
        mesh.Nodes[3].Send(mesh.NowMs, MeshAddress.AnyGateway, 40, MeshClass.Normal, true, [9], 0, 1, out int token);
        mesh.Run(100);
        Assert.Contains(mesh.Frames.Skip(sent), f => f.From == 3 && FrameFormat.GetType(f.Frame[0]) == FrameFormat.TypeData && To(f.Frame) == 2);
        Assert.DoesNotContain(
            mesh.Frames.Skip(sent), f => f.From == 2 && FrameFormat.GetType(f.Frame[0]) is FrameFormat.TypeAck or FrameFormat.TypeData);
        Assert.Contains(mesh.Frames.Skip(sent), f => f.From == 2 && FrameFormat.GetType(f.Frame[0]) == FrameFormat.TypeProbe && To(f.Frame) == 3);
        Assert.Empty(mesh.Delivered);
        isDeaf = false;
        mesh.Run(4_000);
        Assert.Equal([9], Assert.Single(mesh.Delivered, d => d.Origin == 3).Payload);
        Assert.Contains((3, token, true), mesh.Completed);
    }

    private static int To(byte[] frame) => frame.Length > FrameFormat.OffsetDestination + 1
        && FrameFormat.GetType(frame[0]) != FrameFormat.TypeAck ? Bytes.GetU16(frame, FrameFormat.OffsetDestination) : 0;
}
