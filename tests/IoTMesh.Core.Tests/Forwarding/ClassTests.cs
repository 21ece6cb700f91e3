using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>protocol.md 6.1 to 6.3: what classes and origins may take of a relay.</summary>
public class ClassTests
{
    [Fact]
    public void A_real_time_message_is_tried_twice_and_a_normal_one_longer()
    {
        foreach ((MeshClass messageClass, int tries) in new[] { (MeshClass.RealTime, 2), (MeshClass.Normal, 8) })
        {
            var mesh = new MiniMesh { Configure = config => config.NeighborTimeoutMs = 100_000 };
            mesh.Line(2);
            mesh.Run(8_000);
            mesh.Frames.Clear();
            int swallowed = 0;
            mesh.Intercept = (from, frame) => from == 2 && FrameFormat.GetType(frame[0]) == FrameFormat.TypeData && ++swallowed > 0;
            mesh.Nodes[2].Send(mesh.NowMs, MeshAddress.AnyGateway, 40, messageClass, false, [1], 0, 1, out int token);
            mesh.Run(900);
            Assert.True(messageClass == MeshClass.RealTime ? swallowed == tries : swallowed > 2, $"{messageClass}: {swallowed}");
            Assert.Equal(messageClass == MeshClass.RealTime, mesh.Completed.Contains((2, token, false)));
        }
    }

    [Fact]
    public void An_origin_that_floods_a_relay_leaves_room_for_others()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Start(4);
        mesh.Link(2, 4);
        mesh.Run(10_000);

        // The relay gets nothing through to the gateway, so what it takes stays.
        mesh.Intercept = (from, frame) => from == 2 && FrameFormat.GetType(frame[0]) == FrameFormat.TypeData;
        for (int i = 0; i < 24; i++)
        {
            mesh.Nodes[3].Send(mesh.NowMs, MeshAddress.AnyGateway, 40, MeshClass.Normal, false, new byte[60], 0, 60, out _);
        }

        mesh.Run(30);

        long before = mesh.Nodes[2].Counters.Forwarded;
        mesh.Nodes[4].Send(mesh.NowMs, MeshAddress.AnyGateway, 40, MeshClass.Normal, false, [2], 0, 1, out int token);
        mesh.Run(40);
        Assert.InRange(mesh.Nodes[2].QueuedCount, 12, 20);
        Assert.True(mesh.Nodes[2].Counters.Forwarded > before);
        Assert.Contains((4, token, true), mesh.Completed);
    }
}
