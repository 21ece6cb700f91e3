using System.Reflection;
using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Transport;

/// <summary>Messages in fragments: whole, once, and within bounds whatever is lost or made up. protocol.md 7.3.</summary>
public class TransferTests
{
    private const int Settle = 20_000;
    private const byte Port = 40;

    private static byte[] Content(int length, int seed = 1)
    {
        byte[] content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    private static (SendResult Result, int Token) Send(MiniMesh mesh, int from, int to, byte[] content, bool confirmed = false)
    {
        SendResult result = mesh.Nodes[from].Send(
            mesh.NowMs, (ushort)to, Port, MeshClass.Normal, confirmed, content, 0, content.Length, out int token);
        mesh.Drain(from);
        return (result, token);
    }

    private static int TimesDelivered(MiniMesh mesh, int at, byte[] content)
    {
        return mesh.Delivered.Count(message => message.At == at && message.Port == Port && message.Payload.AsSpan().SequenceEqual(content));
    }

    [Theory]
    [InlineData(6, MeshAddress.AnyGateway, 1)]
    [InlineData(6, 1, 1)]
    [InlineData(1, 6, 6)]
    [InlineData(2, 6, 6)]
    public void The_longest_message_crosses_lossy_links_whole_and_once(int from, int to, int arrivesAt)
    {
        for (int seed = 1; seed <= 6; seed++)
        {
            var mesh = new MiniMesh(seed) { Loss = 0.2 };
            mesh.Line(6);
            mesh.Run(Settle);
            foreach (int length in new[] { 181, 1024 })
            {
                byte[] content = Content(length, seed);
                (SendResult result, int token) = Send(mesh, from, to, content);
                Assert.Equal(SendResult.Accepted, result);
                mesh.Run(30_000);
                Assert.Equal(1, TimesDelivered(mesh, arrivesAt, content));
                Assert.Contains((from, token, true), mesh.Completed);
            }

            Assert.Equal(2, mesh.Delivered.Count);
        }
    }

    [Fact]
    public void Each_fragment_crosses_each_link_once_where_nothing_is_lost()
    {
        var mesh = new MiniMesh();
        mesh.Line(4);
        mesh.Run(Settle);
        Send(mesh, 4, 1, Content(20));
        mesh.Run(2_000);
        long before = mesh.Nodes.Values.Sum(node => node.Counters.DataFramesSent);
        Send(mesh, 4, 1, Content(1024));
        mesh.Run(5_000);

        // 6 fragments up and an ack or two down, each over 3 links.
        Assert.InRange(mesh.Nodes.Values.Sum(node => node.Counters.DataFramesSent) - before, 7 * 3, 9 * 3);
    }

    [Fact]
    public void One_gateway_gets_all_of_it()
    {
        for (int seed = 1; seed <= 8; seed++)
        {
            var mesh = new MiniMesh(seed) { Loss = 0.2 };
            mesh.Start(1, true);
            mesh.Start(2);
            mesh.Start(3);
            mesh.Start(4);
            mesh.Start(5, true);
            foreach ((int a, int b) in new[] { (1, 2), (2, 3), (3, 4), (4, 5), (1, 3) })
            {
                mesh.Link(a, b);
            }

            mesh.Run(Settle);
            byte[] content = Content(700, seed);
            (_, int token) = Send(mesh, 3, MeshAddress.AnyGateway, content);
            mesh.Run(20_000);
            Assert.Equal(1, TimesDelivered(mesh, 1, content) + TimesDelivered(mesh, 5, content));
            Assert.Contains((3, token, true), mesh.Completed);
        }
    }

    [Fact]
    public void Another_gateway_gets_it_where_the_first_dies()
    {
        var mesh = new MiniMesh();
        mesh.Start(1, true);
        mesh.Start(2);
        mesh.Start(3, true);
        mesh.Link(1, 2);
        mesh.Run(Settle);
        mesh.Link(2, 3);
        mesh.Run(90_000);
        Assert.Equal(1, mesh.Nodes[2].NearestGateway);
        mesh.Intercept = (from, frame) => from == 2 && FrameFormat.GetType(frame[0]) == FrameFormat.TypeData && frame[4] == 1;
        byte[] content = Content(600);
        (_, int token) = Send(mesh, 2, MeshAddress.AnyGateway, content);
        mesh.Kill(1);
        mesh.Run(60_000);
        Assert.Equal(1, TimesDelivered(mesh, 3, content));
        Assert.Contains((2, token, true), mesh.Completed);
    }

    [Fact]
    public void Several_senders_take_turns_at_one_buffer()
    {
        var mesh = new MiniMesh { Loss = 0.1 };
        mesh.Line(4);
        mesh.Run(Settle);
        byte[][] contents = [Content(1000, 2), Content(900, 3), Content(800, 4)];
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(SendResult.Accepted, Send(mesh, i + 2, 1, contents[i]).Result);
        }

        mesh.Run(60_000);
        Assert.All(contents, content => Assert.Equal(1, TimesDelivered(mesh, 1, content)));
        Assert.Equal(3, mesh.Completed.Count(done => done.Success));
    }

    [Fact]
    public void A_lost_answer_does_not_deliver_twice()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(Settle);
        Send(mesh, 3, 1, Content(20));
        mesh.Run(2_000);
        bool isMute = true;

        // Node 2 takes over what node 1 answers and loses it.
        mesh.Intercept = (from, frame) => isMute && from == 2 && frame[4] == 3 && FrameFormat.GetType(frame[0]) == FrameFormat.TypeData;
        byte[] content = Content(500);
        (_, int token) = Send(mesh, 3, 1, content);
        mesh.Run(1_200);
        Assert.Equal(1, TimesDelivered(mesh, 1, content));
        Assert.DoesNotContain((3, token, true), mesh.Completed);
        isMute = false;
        mesh.Run(30_000);
        Assert.Equal(1, TimesDelivered(mesh, 1, content));
        Assert.Contains((3, token, true), mesh.Completed);
    }

    [Fact]
    public void A_destination_that_restarts_meanwhile_gets_it_whole()
    {
        var mesh = new MiniMesh { Loss = 0.2 };
        mesh.Line(4);
        mesh.Run(Settle);
        byte[] content = Content(1024);
        (_, int token) = Send(mesh, 4, 2, content);
        mesh.Run(60);
        mesh.Kill(2);
        mesh.Run(500);
        mesh.Start(2);
        mesh.Run(60_000);
        Assert.Equal(1, TimesDelivered(mesh, 2, content));
        Assert.Contains((4, token, true), mesh.Completed);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(MeshAddress.AnyGateway)]
    public void A_destination_that_is_gone_ends_it_and_the_next_can_follow(int to)
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(Settle);
        int dead = to == 3 ? 3 : 1;
        mesh.Kill(dead);
        (_, int token) = Send(mesh, 2, to, Content(1024));
        Assert.Equal(SendResult.QueueFull, Send(mesh, 2, to, Content(1024)).Result);
        mesh.Run(125_000);
        Assert.Contains((2, token, false), mesh.Completed);
        Assert.Equal(0, mesh.Nodes[2].QueuedCount);
        mesh.Start(dead, dead == 1);
        mesh.Run(Settle);
        byte[] content = Content(1024, 9);
        Assert.Equal(SendResult.Accepted, Send(mesh, 2, to, content).Result);
        mesh.Run(20_000);
        Assert.Equal(1, TimesDelivered(mesh, dead, content));
    }

    [Fact]
    public void Lengths_beyond_the_bound_are_refused()
    {
        var mesh = new MiniMesh { Configure = config => config.MaxTransferLength = config.Address == 2 ? 0 : config.Address == 3 ? 400 : 1024 };
        mesh.Line(3);
        mesh.Run(Settle);
        Assert.Equal(SendResult.TooLong, Send(mesh, 1, 3, Content(1025)).Result);
        Assert.Equal(SendResult.TooLong, Send(mesh, 1, MeshAddress.All, Content(181)).Result);
        Assert.Equal(SendResult.TooLong, Send(mesh, 2, 3, Content(181)).Result);
        Assert.Equal(SendResult.Accepted, Send(mesh, 2, 3, Content(180)).Result);

        // Too long for the other, which says so at once.
        foreach ((int to, int length) in new[] { (3, 401), (2, 181) })
        {
            (SendResult result, int token) = Send(mesh, 1, to, Content(length));
            Assert.Equal(SendResult.Accepted, result);
            mesh.Run(1_500);
            Assert.Contains((1, token, false), mesh.Completed);
        }

        byte[] fits = Content(400);
        Send(mesh, 1, 3, fits);
        mesh.Run(5_000);
        Assert.Equal(1, TimesDelivered(mesh, 3, fits));
    }

    [Fact]
    public void Made_up_fragments_and_acks_neither_throw_nor_stay()
    {
        var mesh = new MiniMesh();
        mesh.Line(2);
        mesh.Run(Settle);
        Send(mesh, 1, 2, Content(20));
        Send(mesh, 2, 1, Content(20));
        mesh.Run(3_000);
        int before = mesh.Delivered.Count;
        var random = new Random(7);
        for (int i = 0; i < 4_000; i++)
        {
            // Node 1 is a gateway gone mad: its keys are right, what it says is not.
            byte[] plain = new byte[random.Next(1, 194)];
            random.NextBytes(plain);
            plain[0] = (byte)random.Next(1, 3);
            if (plain.Length > FragmentFormat.Length && random.Next(2) == 0)
            {
                Bytes.PutU32(plain, FragmentFormat.OffsetId, (uint)random.Next(2, 300));
                Bytes.PutU16(plain, FragmentFormat.OffsetTotal, (ushort)random.Next(1, 1100));
                plain[FragmentFormat.OffsetSize] = (byte)(plain.Length - FragmentFormat.Length);
            }

            if (i % 500 == 0)
            {
                Send(mesh, 2, 1, Content(900, i));
            }

            Say(mesh, 1, 2, plain);
            mesh.Run(20);
        }

        mesh.Run(40_000);
        Assert.All(mesh.Delivered.Skip(before).Where(message => message.At == 2), message => Assert.InRange(message.Payload.Length, 0, 1024));
        Assert.Equal(0, mesh.Nodes[2].QueuedCount);
        Assert.Equal(0, mesh.Nodes[1].QueuedCount);

        // One that does nothing worse than to stop in the middle holds the buffer for 20 s, not for ever.
        mesh.Start(3);
        mesh.Link(2, 3);
        mesh.Run(Settle);
        byte[] content = Content(1024, 11);
        Assert.Equal(SendResult.Accepted, Send(mesh, 3, 2, content).Result);
        mesh.Run(60_000);
        Assert.Equal(1, TimesDelivered(mesh, 2, content));
    }

    private static void Say(MiniMesh mesh, int from, int to, byte[] plain)
    {
        const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic;
        MeshNode node = mesh.Nodes[from];
        plain.CopyTo((byte[])typeof(MeshNode).GetField("_plain", Hidden)!.GetValue(node)!, 0);
        object[] arguments = [MessageKind.Service, (ushort)to, (byte)MeshClass.Normal, true, plain.Length];
        typeof(MeshNode).GetMethod("Compose", Hidden)!.Invoke(node, arguments);
        mesh.Drain(from);
    }
}
