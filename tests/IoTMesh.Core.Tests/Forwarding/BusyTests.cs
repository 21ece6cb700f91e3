using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Forwarding;

/// <summary>protocol.md 3.3, 6.2, 6.3: a node without room says so, and nobody takes that for a bad link.</summary>
public class BusyTests
{
    private static bool IsData(byte[] frame) => FrameFormat.GetType(frame[0]) == FrameFormat.TypeData;

    private static bool IsBusy(byte[] frame) => FrameFormat.GetType(frame[0]) == FrameFormat.TypeBusy;

    /// <summary>A line of 3 whose relay gets nothing through to the gateway until Intercept is lifted, and two senders behind it.</summary>
    private static MiniMesh Congested(int senders = 2)
    {
        var mesh = new MiniMesh { Configure = config => config.MaxTries = 200 };
        mesh.Line(2);
        for (int sender = 3; sender < 3 + senders; sender++)
        {
            mesh.Start(sender);
            mesh.Link(2, sender);
        }

        mesh.Run(10_000);

        // The first messages of each are wide, which later ones need to be understood.
        for (int i = 0; i < 5 * senders; i++)
        {
            Send(mesh, 3 + (i % senders), 200);
            mesh.Run(100);
        }

        mesh.Delivered.Clear();
        mesh.Intercept = (from, frame) => from == 2 && IsData(frame);
        return mesh;
    }

    private static int Send(MiniMesh mesh, int from, byte value, int count = 20)
    {
        byte[] payload = new byte[count];
        payload[0] = value;
        mesh.Nodes[from].Send(mesh.NowMs, MeshAddress.AnyGateway, 40, MeshClass.Normal, false, payload, 0, count, out int token);
        mesh.Drain(from);
        return token;
    }

    private static ushort LinkCost(MeshNode node, int neighbor)
    {
        var info = new NeighborInfo();
        for (int i = 0; i < node.NeighborCount; i++)
        {
            node.GetNeighbor(i, info);
            if (info.Address == neighbor)
            {
                return info.LinkCost;
            }
        }

        return 0;
    }

    [Fact]
    public void Who_is_refused_for_room_waits_and_counts_no_failure_of_the_link()
    {
        MiniMesh mesh = Congested(1);
        long retries = mesh.Nodes[3].Counters.Retries;
        for (byte i = 0; i < 30; i++)
        {
            Send(mesh, 3, i);
            mesh.Run(15);
        }

        Assert.True(mesh.Nodes[2].Counters.BusySent > 0);
        Assert.True(mesh.Nodes[3].Counters.BusyReceived > 0);
        Assert.Equal(retries, mesh.Nodes[3].Counters.Retries);
        Assert.Equal(64, LinkCost(mesh.Nodes[3], 2));
        mesh.Intercept = null;
        mesh.Run(4_000);
        Assert.Equal(30, mesh.Delivered.Count(d => d.Origin == 3));
        Assert.Equal(0, mesh.Nodes[3].Counters.DroppedBusy);
    }

    [Fact]
    public void What_was_taken_of_a_refused_frame_does_not_come_again()
    {
        MiniMesh mesh = Congested();
        int before = (int)(mesh.Nodes[3].Counters.Originated + mesh.Nodes[4].Counters.Originated);
        for (byte i = 0; i < 30; i++)
        {
            Send(mesh, 3, i);
            Send(mesh, 4, i);
            mesh.Run(2);
        }

        Assert.Contains(mesh.Frames, f => f.From == 2 && IsBusy(f.Frame));
        mesh.Intercept = null;
        mesh.Run(6_000);
        int sent = (int)(mesh.Nodes[3].Counters.Originated + mesh.Nodes[4].Counters.Originated) - before;
        Assert.True(sent > 40);
        Assert.Equal(sent, mesh.Delivered.Count);
        Assert.Equal(sent, mesh.Delivered.Select(d => (d.Origin, d.Payload[0])).Distinct().Count());
    }

    [Fact]
    public void A_busy_answer_that_nobody_signed_is_refused()
    {
        MiniMesh mesh = Congested(1);
        Send(mesh, 3, 1);
        mesh.Run(3);
        byte[] data = mesh.Frames.Last(f => f.From == 3 && IsData(f.Frame)).Frame;
        byte[] forged = [FrameFormat.MakeKind(FrameFormat.TypeBusy, 0), data[FrameFormat.OffsetCounter], 1, 2, 3, 4];
        Assert.Equal(ParseError.NotForMe, mesh.Nodes[3].HandleFrame(mesh.NowMs, forged, 0, forged.Length, -60));
        Assert.Equal(0, mesh.Nodes[3].Counters.BusyReceived);
    }

    [Fact]
    public void After_three_busy_answers_a_message_takes_the_other_parent()
    {
        var mesh = new MiniMesh { Configure = config => config.MaxTries = 200 };
        mesh.Line(2);
        mesh.Start(5);
        mesh.Link(1, 5);
        mesh.Start(3);
        mesh.Link(2, 3);
        mesh.Link(5, 3);
        mesh.Run(10_000);
        ushort parent = 0;

        // The first parent that is tried answers busy to whatever comes.
        var hop = new HopAuthenticator(new PlatformCrypto(), MiniMesh.NetworkKey, 0, 250);
        var refused = new List<byte[]>();
        mesh.Intercept = (from, frame) =>
        {
            parent = parent == 0 && from == 3 && IsData(frame) ? Bytes.GetU16(frame, FrameFormat.OffsetDestination) : parent;
            bool isRefused = from == 3 && IsData(frame) && Bytes.GetU16(frame, FrameFormat.OffsetDestination) == parent;
            refused.AddRange(isRefused ? [frame.ToArray()] : []);
            return isRefused;
        };
        Send(mesh, 3, 7);
        for (int i = 0; i < 150; i++)
        {
            mesh.Run(4);
            foreach (byte[] frame in refused)
            {
                uint counter = Bytes.GetU16(frame, FrameFormat.OffsetCounter);
                byte[] busy = [FrameFormat.MakeKind(FrameFormat.TypeBusy, 0), (byte)counter, 0, 0, 0, 0];
                hop.SignAck(busy, 2, parent, 3, counter, 0, FrameFormat.TypeBusy);
                Assert.Equal(ParseError.None, mesh.Nodes[3].HandleFrame(mesh.NowMs, busy, 0, busy.Length, -60));
                mesh.Drain(3);
            }

            refused.Clear();
        }

        Assert.Equal(3, mesh.Nodes[3].Counters.BusyReceived);
        Assert.Equal(0, mesh.Nodes[3].Counters.Retries);
        Assert.Equal(64, LinkCost(mesh.Nodes[3], parent));
        Assert.Single(mesh.Delivered);
    }

    [Fact]
    public void Origins_take_turns_at_a_relay()
    {
        MiniMesh mesh = Congested();
        for (byte i = 0; i < 10; i++)
        {
            Send(mesh, 3, i, 100);
        }

        mesh.Run(40);
        Send(mesh, 4, 100, 100);
        Send(mesh, 4, 101, 100);
        mesh.Run(40);
        mesh.Intercept = null;
        mesh.Run(3_000);
        List<int> order = mesh.Delivered.Select(d => (int)d.Origin).ToList();
        Assert.Equal(12, order.Count);

        // Four frames of two were under way when the others came; behind those they alternate.
        Assert.True(order.LastIndexOf(4) < 11, string.Join(' ', order));
    }
}
