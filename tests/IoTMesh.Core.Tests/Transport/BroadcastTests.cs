using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Transport;

/// <summary>Messages to all: who gets them, what they cost, and what is said about a copy that is not heard. protocol.md 6.5.</summary>
public class BroadcastTests
{
    private const int Settle = 20_000;
    private const byte Port = 40;

    private static bool IsFlood(byte[] frame) => FrameFormat.GetType(frame[0]) == FrameFormat.TypeFlood;

    private static bool WantsAck(byte[] frame) => IsFlood(frame) && (frame[0] & FrameFormat.FloodWantsAck) != 0;

    private static bool IsAck(byte[] frame) => FrameFormat.GetType(frame[0]) == FrameFormat.TypeAck;

    private static int Send(MiniMesh mesh, int from, byte text = 1)
    {
        SendResult result = mesh.Nodes[from].Send(mesh.NowMs, MeshAddress.All, Port, MeshClass.Normal, false, [text], 0, 1, out int token);
        Assert.Equal(SendResult.Accepted, result);
        mesh.Drain(from);
        return token;
    }

    private static MiniMesh FullMesh(int nodes)
    {
        var mesh = new MiniMesh();
        for (int a = 1; a <= nodes; a++)
        {
            mesh.Start(a, a == 1);
            for (int b = 1; b < a; b++)
            {
                mesh.Link(a, b);
            }
        }

        mesh.Run(Settle);
        return mesh;
    }

    [Fact]
    public void Reaches_ten_hops_at_a_loss_of_ten_and_twenty_percent()
    {
        foreach (double loss in new[] { 0.1, 0.2 })
        {
            var mesh = new MiniMesh(5) { Loss = loss };
            mesh.Line(11);
            mesh.Run(Settle);
            int framesBefore = mesh.Frames.Count;
            for (int i = 0; i < 40; i++)
            {
                Send(mesh, 1, (byte)i);
                mesh.Run(3_000);
            }

            int reached = mesh.Delivered.Count(message => message.Port == Port);
            Assert.InRange(reached, 397, 400);
            Assert.Equal(reached, mesh.Delivered.Select(message => (message.At, message.Payload[0])).Distinct().Count());
            double copies = mesh.Frames.Skip(framesBefore).Count(sent => IsFlood(sent.Frame)) / 440.0;
            Assert.InRange(copies, 1, loss < 0.15 ? 1.45 : 1.8);
        }
    }

    [Fact]
    public void Where_all_hear_all_most_stay_silent()
    {
        MiniMesh mesh = FullMesh(10);
        int before = mesh.Frames.Count;
        Send(mesh, 1);
        mesh.Run(5_000);
        Assert.Equal(9, mesh.Delivered.Count(message => message.Port == Port));
        Assert.InRange(mesh.Frames.Skip(before).Count(sent => IsFlood(sent.Frame)), 1, 7);
    }

    [Fact]
    public void A_copy_that_is_not_heard_is_made_up_by_an_ack_not_by_another_copy()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(Settle);
        int before = mesh.Frames.Count;

        // Nobody hears node 3; it hears all.
        mesh.Intercept = (from, frame) => from == 3 && IsFlood(frame);
        int token = Send(mesh, 1);
        mesh.Run(3_000);
        var sent = mesh.Frames.Skip(before).ToList();
        Assert.Equal([2, 3], mesh.Delivered.Where(message => message.Port == Port).Select(message => message.At));
        Assert.Equal(1, sent.Count(frame => frame.From == 2 && WantsAck(frame.Frame)));
        Assert.True(sent.Count(frame => frame.From == 3 && IsFlood(frame.Frame)) <= 1);
        Assert.Equal(1, sent.Count(frame => frame.From == 3 && IsAck(frame.Frame)));
        Assert.Contains((1, token, true), mesh.Completed);
    }

    [Fact]
    public void Repeats_for_a_neighbor_that_is_gone_end()
    {
        var mesh = new MiniMesh();
        mesh.Line(2);
        mesh.Run(Settle);
        int before = mesh.Frames.Count;
        mesh.Kill(2);
        int token = Send(mesh, 1);
        mesh.Run(10_000);
        Assert.InRange(mesh.Frames.Skip(before).Count(sent => IsFlood(sent.Frame)), 3, 7);
        Assert.Contains((1, token, false), mesh.Completed);
        Assert.Equal(0, mesh.Nodes[1].QueuedCount);
    }

    [Fact]
    public void Old_copies_are_dropped_though_other_broadcasts_filled_the_ring()
    {
        var mesh = new MiniMesh { Configure = config => config.MaxBroadcasts = 2 };
        mesh.Line(3);
        mesh.Run(Settle);
        for (byte i = 0; i < 8; i++)
        {
            Send(mesh, 1, i);
            mesh.Run(30);
        }

        mesh.Run(5_000);
        Assert.Equal(16, mesh.Delivered.Count(message => message.Port == Port));

        // The same message in a frame of its own, as a neighbor that repeats late would send it.
        byte[] late = mesh.Frames.First(sent => sent.From == 1 && IsFlood(sent.Frame)).Frame[..];
        int framesBefore = mesh.Frames.Count;
        long duplicatesBefore = mesh.Nodes[2].Counters.Duplicates;
        uint counter = Bytes.GetU32(late, FrameFormat.OffsetCounter) + 1_000;
        Bytes.PutU32(late, FrameFormat.OffsetCounter, counter);
        new HopAuthenticator(new PlatformCrypto(), MiniMesh.NetworkKey, 0, 250).Sign(late, late.Length - FrameFormat.TagLength, counter);
        Assert.Equal(ParseError.None, mesh.Nodes[2].HandleFrame(mesh.NowMs, late, 0, late.Length, -60));
        mesh.Drain(2);
        mesh.Run(2_000);
        Assert.Equal(duplicatesBefore + 1, mesh.Nodes[2].Counters.Duplicates);
        Assert.Equal(16, mesh.Delivered.Count(message => message.Port == Port));
        Assert.DoesNotContain(mesh.Frames.Skip(framesBefore), sent => IsFlood(sent.Frame));
    }

    [Fact]
    public void A_node_without_room_says_nothing_and_gets_it_later()
    {
        var mesh = new MiniMesh { Configure = config => config.MaxQueued = config.Address == 2 ? 4 : 24 };
        mesh.Line(3);
        mesh.Run(Settle);
        for (byte i = 0; i < 8; i++)
        {
            Send(mesh, 1, i);
        }

        mesh.Run(10_000);
        Assert.True(mesh.Nodes[2].Counters.DroppedQueueFull > 0, "the queue was never full: the test shows nothing");
        Assert.Equal(Enumerable.Range(0, 8), mesh.Delivered.Where(message => message.At == 2).Select(message => (int)message.Payload[0]).Order());
        Assert.True(mesh.Delivered.Count(message => message.At == 3) >= 7);
    }

    [Fact]
    public void Broadcasts_leave_half_of_the_queue_to_others()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(Settle);
        mesh.Kill(3);
        int most = 0;
        for (byte i = 0; i < 40; i++)
        {
            Send(mesh, 1, i);
            mesh.Run(60);
            most = Math.Max(most, mesh.Nodes[2].QueuedCount);
        }

        Assert.InRange(most, 2, 12);
    }

    [Theory]
    [InlineData(0, ParseError.TooShort)]
    [InlineData(1, ParseError.TooShort)]
    [InlineData(9, ParseError.Malformed)]
    [InlineData(255, ParseError.Malformed)]
    public void A_list_of_wanted_answers_that_is_too_long_or_cut_is_refused(byte count, ParseError expected)
    {
        var mesh = new MiniMesh();
        mesh.Line(2);
        mesh.Run(Settle);
        byte[] frame = new byte[FrameFormat.WideLength + 3 + FrameFormat.TagLength];
        byte[] beacon = mesh.Frames.Last(sent => sent.From == 1 && FrameFormat.GetType(sent.Frame[0]) == FrameFormat.TypeBeacon).Frame;
        Array.Copy(beacon, frame, FrameFormat.WideLength);
        frame[0] = FrameFormat.MakeKind(FrameFormat.TypeFlood, FrameFormat.FloodWantsAck);
        uint counter = Bytes.GetU32(beacon, FrameFormat.OffsetCounter) + 1_000;
        Bytes.PutU32(frame, FrameFormat.OffsetCounter, counter);
        frame[FrameFormat.WideLength] = count;
        new HopAuthenticator(new PlatformCrypto(), MiniMesh.NetworkKey, 0, 250).Sign(frame, frame.Length - FrameFormat.TagLength, counter);
        Assert.Equal(expected, mesh.Nodes[2].HandleFrame(mesh.NowMs, frame, 0, frame.Length, -60));
    }
}
