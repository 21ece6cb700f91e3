using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>protocol.md 6.3 and 6.4: readings in transit wait at the router that holds them.</summary>
public class RouterCustodyTests
{
    private static void Send(MiniMesh mesh, int from, byte value)
    {
        Assert.Equal(SendResult.Accepted, mesh.Nodes[from].SendReading(mesh.NowMs, [value], 0, 1, out _));
        mesh.Drain(from);
    }

    /// <summary>A line 1 to 4 at rest, node 4 past its first long readings.</summary>
    private static MiniMesh Settled()
    {
        var mesh = new MiniMesh();
        mesh.Line(4);
        mesh.Run(8_000);
        for (byte i = 1; i <= 6; i++)
        {
            Send(mesh, 4, i);
            mesh.Run(1_000);
        }

        Assert.Equal(6, mesh.Delivered.Count);
        return mesh;
    }

    [Fact]
    public void Readings_handed_on_arrive_minutes_later_although_their_origin_died()
    {
        MiniMesh mesh = Settled();
        mesh.Cut(1, 2);
        for (byte i = 7; i <= 9; i++)
        {
            Send(mesh, 4, i);
            mesh.Run(40);
        }

        Assert.True(mesh.Nodes[2].QueuedCount + mesh.Nodes[3].QueuedCount >= 3, "nothing was handed on: the test shows nothing");
        mesh.Kill(4);
        mesh.Run(300_000);
        Assert.Equal(6, mesh.Delivered.Count);
        mesh.Link(1, 2);
        mesh.Run(150_000);
        Assert.Equal([7, 8, 9], mesh.Delivered.Skip(6).Select(d => (int)d.Payload[0]).Order());
        Assert.Equal(0, mesh.Nodes[2].QueuedCount + mesh.Nodes[3].QueuedCount);
    }

    [Fact]
    public void The_origins_own_retry_and_the_routers_copy_are_delivered_once()
    {
        MiniMesh mesh = Settled();
        mesh.Cut(1, 2);
        Send(mesh, 4, 7);
        mesh.Run(120_000);
        mesh.Link(1, 2);
        mesh.Run(200_000);
        Assert.Equal([7], mesh.Delivered.Skip(6).Select(d => (int)d.Payload[0]));
        Assert.Equal(0, mesh.Nodes[4].CustodyCount);
    }

    [Fact]
    public void A_gateway_that_restarted_gives_a_kept_short_reading_its_time()
    {
        MiniMesh mesh = Settled();
        long madeAtMs = 0;
        mesh.Kill(1);
        mesh.Run(50);
        Send(mesh, 4, 7);
        madeAtMs = mesh.NowMs;
        mesh.Run(100);
        mesh.Kill(4);
        mesh.Run(420_000);
        MeshNode gateway = mesh.Make(1, isGateway: true);
        gateway.RestorePeer(4, 1, 100, 6);
        gateway.RestoreUptime(4, mesh.NowMs - 1_000, mesh.NowMs);
        mesh.Begin(1);
        mesh.Run(100_000);
        long measuredMs = Assert.Single(mesh.Times, t => t.Value == 7).MeasuredMs;
        Assert.InRange(measuredMs, madeAtMs - 1_000 - 16, madeAtMs - 1_000);
    }

    [Fact]
    public void A_reading_waits_no_longer_than_its_short_time_is_sure()
    {
        MiniMesh mesh = Settled();
        mesh.Cut(1, 2);
        Send(mesh, 4, 7);
        mesh.Run(40);
        mesh.Kill(4);
        mesh.Run(mesh.Nodes[2].Config.ReadingHoldMs + 10_000);
        Assert.Equal(0, mesh.Nodes[2].QueuedCount + mesh.Nodes[3].QueuedCount);
    }

    [Fact]
    public void A_waiting_reading_makes_room_for_messages_that_have_a_route()
    {
        var mesh = new MiniMesh { Configure = config => config.MaxQueued = 10 };
        mesh.Line(4);
        mesh.Run(8_000);
        mesh.Cut(1, 2);
        for (byte i = 0; i < 30; i++)
        {
            Send(mesh, 4, i);
            mesh.Run(60);
        }

        mesh.Run(20_000);
        int held = mesh.Nodes[3].QueuedCount + mesh.Nodes[2].QueuedCount;
        Assert.True(held > 0, "nothing is held: the test shows nothing");
        for (int i = 0; i < 20; i++)
        {
            mesh.Nodes[2].Send(mesh.NowMs, 4, 40, MeshClass.Normal, true, [1], 0, 1, out _);
            mesh.Drain(2);
            mesh.Run(1_000);
        }

        Assert.Equal(20, mesh.Delivered.Count(d => d.At == 4));
    }

    [Fact]
    public void A_reading_of_the_boot_before_that_a_router_held_is_still_taken_and_only_once()
    {
        MiniMesh mesh = Settled();
        byte[]? held = null;
        mesh.Intercept = (from, frame) =>
        {
            bool isUp = Bytes.GetU16(frame, FrameFormat.OffsetDestination) == 1;
            bool isData = from == 2 && isUp && FrameFormat.GetType(frame[0]) == FrameFormat.TypeData;
            held = isData && held == null ? frame : held;
            return isData;
        };
        Send(mesh, 4, 7);
        mesh.Run(100);
        Assert.NotNull(held);
        mesh.Kill(4);
        mesh.Intercept = null;
        mesh.Cut(1, 2);
        mesh.Run(15_000);
        mesh.Start(4);
        mesh.Run(1_000);
        mesh.Link(1, 2);
        mesh.Run(20_000);
        Send(mesh, 4, 8);
        mesh.Run(30_000);
        Assert.Equal([(7, 1), (8, 2)], mesh.Delivered.Skip(6).Select(d => ((int)d.Payload[0], (int)d.Boot)).Order());
    }
}
