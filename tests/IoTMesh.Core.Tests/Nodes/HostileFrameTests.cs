using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Nodes;

/// <summary>Tests that measure memory run alone.</summary>
[CollectionDefinition("memory", DisableParallelization = true)]
public class MemoryCollection
{
}

/// <summary>What a node makes of frames that were repeated, changed or made up. protocol.md 3 and 8.</summary>
[Collection("memory")]
public class HostileFrameTests
{
    private static readonly int[] _allTypes =
    [
        FrameFormat.TypeData, FrameFormat.TypeBeacon, FrameFormat.TypeAck, FrameFormat.TypeProbe,
        FrameFormat.TypeProbeReply, FrameFormat.TypeRequest, FrameFormat.TypeFlood,
    ];

    private static bool IsHeardBy(int node, byte[] frame, int from)
    {
        int type = FrameFormat.GetType(frame[0]);
        ushort destination = type == FrameFormat.TypeAck ? (ushort)node : Bytes.GetU16(frame, FrameFormat.OffsetDestination);
        return from != node && (destination == node || destination == MeshAddress.All);
    }

    /// <summary>A line 1-2-3 at rest.</summary>
    private static MiniMesh Busy()
    {
        var mesh = new MiniMesh();
        mesh.Line(3);
        mesh.Run(8_000);
        return mesh;
    }

    /// <summary>Makes node 2 send frames of every type that node 3 hears, but requests.</summary>
    private static void MakeTraffic(MiniMesh mesh)
    {
        mesh.Nodes[3].SendReading(mesh.NowMs, [1, 2, 3], 0, 3, out _);
        mesh.Nodes[2].Send(mesh.NowMs, MeshAddress.All, 40, MeshClass.Normal, false, [1], 0, 1, out _);
        mesh.Run(1_000);
        mesh.Nodes[1].Send(mesh.NowMs, 3, 41, MeshClass.Normal, true, [5], 0, 1, out _);
        mesh.Run(3_000);
    }

    /// <summary>With its gateway gone, node 2 asks for a newer seqno.</summary>
    private static void MakeRequests(MiniMesh mesh)
    {
        mesh.Kill(1);
        mesh.Nodes[3].SendReading(mesh.NowMs, [1, 2, 3], 0, 3, out _);
        mesh.Run(5_000);
    }

    [Fact]
    public void A_replayed_frame_of_any_type_is_refused_and_counted()
    {
        MiniMesh mesh = Busy();
        MakeTraffic(mesh);
        MakeRequests(mesh);
        MeshNode node = mesh.Nodes[3];
        byte[][] heard = mesh.Frames.Where(f => f.From == 2 && IsHeardBy(3, f.Frame, 2)).Select(f => f.Frame).ToArray();
        Assert.Equal(_allTypes.Order(), heard.Select(f => FrameFormat.GetType(f[0])).Distinct().Order());
        int delivered = mesh.Delivered.Count;
        long forwarded = node.Counters.Forwarded;
        long refused = node.Counters.Refused.Sum();
        foreach (byte[] frame in heard)
        {
            ParseError error = node.HandleFrame(mesh.NowMs, frame, 0, frame.Length, -60);
            bool isAck = FrameFormat.GetType(frame[0]) == FrameFormat.TypeAck;
            Assert.Equal(isAck ? ParseError.NotForMe : ParseError.Replayed, error);
        }

        mesh.Drain(3);
        Assert.Equal(refused + heard.Length, node.Counters.Refused.Sum());
        Assert.Equal((delivered, forwarded), (mesh.Delivered.Count, node.Counters.Forwarded));
    }

    [Theory]
    [InlineData(FrameFormat.TypeData)]
    [InlineData(FrameFormat.TypeBeacon)]
    [InlineData(FrameFormat.TypeAck)]
    [InlineData(FrameFormat.TypeProbe)]
    [InlineData(FrameFormat.TypeProbeReply)]
    [InlineData(FrameFormat.TypeRequest)]
    [InlineData(FrameFormat.TypeFlood)]
    public void A_frame_with_any_one_bit_flipped_is_refused(int type)
    {
        byte[]? held = null;
        bool joining = type is FrameFormat.TypeBeacon or FrameFormat.TypeProbe or FrameFormat.TypeProbeReply;
        MiniMesh mesh = joining ? new MiniMesh() : Busy();
        mesh.Intercept = (from, frame) =>
        {
            bool take = held == null && FrameFormat.GetType(frame[0]) == type && from == 2 && IsHeardBy(3, frame, from);
            held = take ? frame : held;
            return held != null;
        };
        switch (type)
        {
            case FrameFormat.TypeAck:
                mesh.Nodes[3].SendReading(mesh.NowMs, [1, 2, 3], 0, 3, out _);
                break;
            case FrameFormat.TypeRequest:
                MakeRequests(mesh);
                break;
            case FrameFormat.TypeData:
            case FrameFormat.TypeFlood:
                ushort destination = type == FrameFormat.TypeData ? (ushort)3 : MeshAddress.All;
                mesh.Nodes[2].Send(mesh.NowMs, destination, 40, MeshClass.Normal, false, [1], 0, 1, out _);
                break;
            default:
                mesh.Line(3);
                break;
        }

        for (int i = 0; i < 10_000 && held == null; i++)
        {
            mesh.Run(1);
        }

        Assert.NotNull(held);
        MeshNode node = mesh.Nodes[3];
        for (int bit = 0; bit < held.Length * 8; bit++)
        {
            byte[] broken = [.. held];
            broken[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual((bit, ParseError.None), (bit, node.HandleFrame(mesh.NowMs, broken, 0, broken.Length, -60)));
        }

        Assert.Equal(ParseError.None, node.HandleFrame(mesh.NowMs, held, 0, held.Length, -60));
    }

    /// <summary>Outsiders: random bytes, mutated recordings, truncated and extended ones.</summary>
    [Fact]
    public void Garbage_never_throws_allocates_or_disturbs()
    {
        MiniMesh mesh = Busy();
        MakeTraffic(mesh);
        byte[][] samples = mesh.Frames.Select(f => f.Frame).ToArray();
        MeshNode node = mesh.Nodes[2];
        var random = new Random(42);
        var output = new MeshOutput(250);
        byte[] buffer = new byte[400];
        int accepted = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200_000; i++)
        {
            int count = Mutate(random, samples, buffer);

            // A device without keys may ask who can help, so that anyone may; nothing else is believed.
            bool isSolicit = count >= FrameFormat.AckShortLength && FrameFormat.GetType(buffer[0]) == FrameFormat.TypeJoin;
            accepted += node.HandleFrame(mesh.NowMs, buffer, 0, count, -60) == ParseError.None && !isSolicit ? 1 : 0;
            while (node.Poll(output))
            {
            }
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.Equal(0, accepted);
        Assert.Equal(1, node.GetNextHop(MeshAddress.AnyGateway));
        mesh.Run(5_000);
        int delivered = mesh.Delivered.Count;
        mesh.Nodes[3].SendReading(mesh.NowMs, [9], 0, 1, out _);
        mesh.Run(2_000);
        Assert.Equal(delivered + 1, mesh.Delivered.Count);
    }

    /// <summary>A frame that may begin like any other, at a random length; never a plain copy.</summary>
    private static int Mutate(Random random, byte[][] samples, byte[] buffer)
    {
        if (random.Next(3) == 0)
        {
            int length = random.Next(random.Next(2) == 0 ? 30 : 300);
            random.NextBytes(buffer.AsSpan(0, length));
            return length;
        }

        byte[] sample = samples[random.Next(samples.Length)];
        sample.CopyTo(buffer, 0);
        for (int changes = random.Next(1, 6); changes > 0; changes--)
        {
            buffer[random.Next(sample.Length)] = (byte)random.Next(256);
        }

        // The replay of an untouched recording is another test; here the tag at least is wrong.
        buffer[sample.Length - 1] = (byte)~sample[^1];
        return random.Next(4) == 0 ? random.Next(sample.Length + 40) : sample.Length;
    }

    /// <summary>An insider signs whatever bytes it likes: no exception, no growth, and end-to-end protection holds.</summary>
    [Fact]
    public void Signed_nonsense_of_an_insider_never_throws_grows_or_is_delivered()
    {
        MiniMesh mesh = Busy();
        MakeTraffic(mesh);
        byte[][] samples = mesh.Frames.Select(f => f.Frame).Where(f => FrameFormat.GetType(f[0]) != FrameFormat.TypeAck).ToArray();
        MeshNode node = mesh.Nodes[2];
        var hop = new HopAuthenticator(new PlatformCrypto(), MiniMesh.NetworkKey, 0, 500);
        var random = new Random(43);
        var output = new MeshOutput(250);
        byte[] buffer = new byte[400];
        uint counter = 1_000_000;
        int accepted = 0;
        long nowMs = mesh.NowMs;
        GC.Collect();
        long before = GC.GetTotalMemory(true);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] sample = samples[random.Next(samples.Length)];
            int count = Math.Max(12, Mutate(random, [sample], buffer));
            buffer[FrameFormat.OffsetKind] = random.Next(10) == 0 ? buffer[0] : sample[0];
            buffer[FrameFormat.OffsetNetwork] = (byte)((sample[1] & 0xF8) | (random.Next(5) == 0 ? random.Next(8) : sample[1] & 7));
            Bytes.PutU16(buffer, FrameFormat.OffsetSource, (ushort)random.Next(3, 6));
            Bytes.PutU16(buffer, FrameFormat.OffsetDestination, random.Next(2) == 0 ? (ushort)2 : MeshAddress.All);
            counter += (uint)random.Next(1, 3);
            Bytes.PutU16(buffer, FrameFormat.OffsetCounter, (ushort)counter);
            if (FrameFormat.GetType(buffer[0]) != FrameFormat.TypeData)
            {
                Bytes.PutU16(buffer, FrameFormat.OffsetCounterHigh, (ushort)(counter >> 16));
            }

            hop.Sign(buffer, count, counter);
            accepted += node.HandleFrame(nowMs, buffer, 0, count + FrameFormat.TagLength, -60) == ParseError.None ? 1 : 0;
            nowMs += i % 4 == 0 ? 1 : 0;
            node.HandleTimeout(nowMs);
            while (node.Poll(output))
            {
                Assert.NotEqual(OutputKind.Deliver, output.Kind);
            }
        }

        Assert.True(accepted > 1_000, $"only {accepted} passed the tag: the test shows nothing");
        Assert.InRange(GC.GetTotalMemory(true) - before, long.MinValue, 1_000_000);
    }
}
