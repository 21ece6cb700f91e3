using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>protocol.md 3.3: acks that are repeated where a link loses some, and cost nothing more where it loses none.</summary>
public class AckTests
{
    private static bool IsAck(byte[] frame) => FrameFormat.GetType(frame[0]) == FrameFormat.TypeAck;

    private static bool IsData(byte[] frame) => FrameFormat.GetType(frame[0]) == FrameFormat.TypeData;

    private static void SendEach(MiniMesh mesh, int from, int count, int everyMs)
    {
        for (int i = 0; i < count; i++)
        {
            mesh.Nodes[from].Send(mesh.NowMs, MeshAddress.AnyGateway, 40, MeshClass.Normal, false, [(byte)i], 0, 1, out _);
            mesh.Run(everyMs);
        }
    }

    [Fact]
    public void On_a_clean_link_each_frame_is_acknowledged_once()
    {
        var mesh = new MiniMesh();
        mesh.Line(2);
        mesh.Run(8_000);
        mesh.Frames.Clear();
        SendEach(mesh, 2, 50, 100);
        Assert.Equal((50, 50), (mesh.Frames.Count(f => IsData(f.Frame)), mesh.Frames.Count(f => IsAck(f.Frame))));
        Assert.All(mesh.Frames.Where(f => IsData(f.Frame)), f => Assert.Equal(0, f.Frame[1] & FrameFormat.FlagAckTwice));
    }

    [Fact]
    public void After_a_lost_ack_acks_are_asked_for_twice_and_one_of_them_is_enough()
    {
        var mesh = new MiniMesh();
        mesh.Line(2);
        mesh.Run(8_000);
        mesh.Frames.Clear();
        int acks = 0;
        mesh.Intercept = (_, frame) => IsAck(frame) && ++acks == 1;
        SendEach(mesh, 2, 1, 300);
        byte[][] data = mesh.Frames.Where(f => IsData(f.Frame)).Select(f => f.Frame).ToArray();
        Assert.Equal(2, data.Length);
        Assert.Equal((0, FrameFormat.FlagAckTwice), (data[0][1] & FrameFormat.FlagAckTwice, data[1][1] & FrameFormat.FlagAckTwice));

        // From now on the first of each two acks is lost: no frame goes again, as the second arrives in time.
        mesh.Frames.Clear();
        acks = 0;
        mesh.Intercept = (_, frame) => IsAck(frame) && ++acks % 2 == 1;
        SendEach(mesh, 2, 3, 300);
        Assert.Equal((3, 6), (mesh.Frames.Count(f => IsData(f.Frame)), mesh.Frames.Count(f => IsAck(f.Frame))));
        Assert.Equal(4, mesh.Delivered.Count);
    }

    [Fact]
    public void A_link_that_is_clean_again_is_acknowledged_once_again()
    {
        var mesh = new MiniMesh();
        mesh.Line(2);
        mesh.Run(8_000);
        mesh.Loss = 0.3;
        SendEach(mesh, 2, 30, 300);
        mesh.Loss = 0;
        SendEach(mesh, 2, 40, 100);
        mesh.Frames.Clear();
        SendEach(mesh, 2, 20, 100);
        Assert.Equal((20, 20), (mesh.Frames.Count(f => IsData(f.Frame)), mesh.Frames.Count(f => IsAck(f.Frame))));
    }

    [Fact]
    public void A_newer_ack_that_is_due_takes_the_repetition_along()
    {
        var table = new NeighborTable(1, 60);
        table.Occupy(0, 5, -50, 0);
        table.OweAck(0, 100, false, true);
        Assert.False(table.AckLong[0]);
        Assert.True(table.NoteAcked(0, 1_010));
        Assert.True(table.IsAckAgainPlanned(0));
        Assert.Equal((false, true), (table.IsAckAgainDue(0, 1_009), table.IsAckAgainDue(0, 1_010)));
        table.OweAck(0, 101, false, false);

        // It names the frame before as well, so nothing is left to repeat.
        Assert.True(table.AckLong[0]);
        Assert.Equal(1, table.AckBits[0]);
        Assert.False(table.NoteAcked(0, 1_015));
        Assert.False(table.IsAckAgainPlanned(0) || table.AckOwed[0] || table.AckLong[0]);
    }

    [Fact]
    public void The_time_of_a_repetition_survives_the_turn_of_its_16_bits()
    {
        var table = new NeighborTable(1, 60);
        table.Occupy(0, 5, -50, 0);
        table.OweAck(0, 100, false, true);
        Assert.True(table.NoteAcked(0, 65_540));
        Assert.Equal((65_540, 65_540), (table.AckAgainDueMs(0, 65_530), table.AckAgainDueMs(0, 65_545)));
    }
}
