using System.Net;
using System.Net.Sockets;
using System.Text;
using IoTMesh.Simulation;

namespace IoTMesh.Simulation.Tests;

/// <summary>A client of docs/protocol.md 11 on a real socket.</summary>
internal sealed class AirPeer : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] _buffer = new byte[2_000];

    internal AirPeer(int airPort, ushort node)
    {
        Node = node;
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.Connect(IPAddress.Loopback, airPort);
    }

    internal ushort Node { get; }

    internal byte[] Body { get; private set; } = [];

    internal void Send(AirHeader header, params byte[] body)
    {
        byte[] datagram = new byte[AirFormat.HeaderLength + body.Length];
        AirFormat.Write(datagram, header);
        body.CopyTo(datagram, AirFormat.HeaderLength);
        SendRaw(datagram);
    }

    internal void SendRaw(ReadOnlySpan<byte> datagram) => _socket.Send(datagram);

    internal void SendFrame(ushort to, params byte[] frame) => Send(new AirHeader(AirType.Frame, Node, Node, to), frame);

    /// <summary>Registers, and waits until the air says so.</summary>
    internal AirHeader Hello()
    {
        Send(new AirHeader(AirType.Hello, Node));
        return Receive(AirType.Welcome) ?? throw new TimeoutException("no welcome");
    }

    internal string Control(string line)
    {
        Send(new AirHeader(AirType.Control, 0), Encoding.UTF8.GetBytes(line));
        return Receive(AirType.Reply) is null ? "no reply" : Encoding.UTF8.GetString(Body);
    }

    /// <summary>The next datagram of a type, or null when none came in time.</summary>
    internal AirHeader? Receive(AirType type, int timeoutMs = 3_000)
    {
        long end = Environment.TickCount64 + timeoutMs;
        while (Environment.TickCount64 <= end)
        {
            long leftMs = Math.Max(0, end - Environment.TickCount64);
            if (!_socket.Poll(TimeSpan.FromMilliseconds(leftMs), SelectMode.SelectRead))
            {
                return null;
            }

            int count = _socket.Receive(_buffer);
            Assert.True(AirFormat.TryRead(_buffer.AsSpan(0, count), out AirHeader header));
            if (header.Type == type)
            {
                Body = _buffer[AirFormat.HeaderLength..count];
                return header;
            }
        }

        return null;
    }

    public void Dispose() => _socket.Dispose();
}

internal sealed class RunningAir : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;

    internal RunningAir(AirOptions options)
    {
        Server = new AirServer(options);
        _thread = new Thread(() => Server.Run(_stop.Token));
        _thread.Start();
    }

    internal AirServer Server { get; }

    internal AirPeer Join(ushort node)
    {
        AirPeer peer = new(Server.Port, node);
        Assert.Equal(AirFormat.StatusRegistered, peer.Hello().Status);
        return peer;
    }

    public void Dispose()
    {
        _stop.Cancel();
        Assert.True(_thread.Join(5_000));
        Server.Dispose();
        _stop.Dispose();
    }
}

public class AirServerTests
{
    private static AirOptions Line(int nodes) => new() { Topology = Topology.Create(TopologyKind.Line, nodes), Port = 0 };

    [Fact]
    public void Passes_frames_to_those_in_range()
    {
        using RunningAir air = new(Line(3));
        using AirPeer one = air.Join(1);
        using AirPeer two = air.Join(2);
        using AirPeer three = air.Join(3);
        Assert.Equal([1, 2, 3], air.Server.Registered);

        two.SendFrame(0xFFFF, 7, 8);
        AirHeader heard = Assert.NotNull(one.Receive(AirType.Frame));
        Assert.Equal((1, 2, 0xFFFF), (heard.Node, heard.LinkSource, heard.LinkDestination));
        Assert.InRange(heard.RssiDbm, -95, -20);
        Assert.Equal([7, 8], one.Body);
        Assert.NotNull(three.Receive(AirType.Frame));

        two.SendFrame(3, 9);
        Assert.NotNull(three.Receive(AirType.Frame));
        Assert.Null(one.Receive(AirType.Frame, 20));
        three.SendFrame(1, 9);
        Assert.Null(one.Receive(AirType.Frame, 20));
    }

    [Fact]
    public void Frame_of_the_longest_body_passes_and_a_longer_one_is_counted()
    {
        using RunningAir air = new(Line(2));
        using AirPeer one = air.Join(1);
        using AirPeer two = air.Join(2);
        one.SendFrame(2, new byte[AirFormat.BodyLengthMax + 1]);
        one.SendFrame(2, new byte[AirFormat.BodyLengthMax]);
        Assert.NotNull(two.Receive(AirType.Frame));
        Assert.Equal(AirFormat.BodyLengthMax, two.Body.Length);
        Assert.Equal(1, air.Server.Counters.Malformed);
    }

    [Fact]
    public void Node_that_restarts_on_another_port_is_found_there()
    {
        using RunningAir air = new(Line(2));
        using AirPeer one = air.Join(1);
        using AirPeer two = air.Join(2);
        using AirPeer twoAgain = new(air.Server.Port, 2);
        twoAgain.SendFrame(1, 5);
        Assert.NotNull(one.Receive(AirType.Frame));
        one.SendFrame(2, 6);
        Assert.NotNull(twoAgain.Receive(AirType.Frame));
        Assert.Null(two.Receive(AirType.Frame, 20));
        Assert.Equal(1, air.Server.Counters.Moved);
    }

    [Fact]
    public void Air_that_restarts_knows_nodes_again_after_their_next_hello()
    {
        AirOptions options = Line(2);
        int port;
        using (RunningAir air = new(options))
        {
            port = air.Server.Port;
            air.Join(2).Dispose();
        }

        using RunningAir again = new(options with { Port = port });
        Assert.Empty(again.Server.Registered);
        using AirPeer one = again.Join(1);
        using AirPeer two = again.Join(2);
        one.SendFrame(2, 1);
        Assert.NotNull(two.Receive(AirType.Frame));
    }

    [Fact]
    public void Silent_and_departed_nodes_are_out_of_range()
    {
        using RunningAir air = new(Line(3) with { NodeTimeoutMs = 30 });
        using AirPeer one = air.Join(1);
        using AirPeer two = air.Join(2);
        Assert.True(SpinWait.SpinUntil(() => air.Server.Registered.Count == 0, 3_000));
        one.SendFrame(2, 1);
        Assert.Null(two.Receive(AirType.Frame, 30));
        Assert.Equal(1, air.Server.Counters.FramesAbsent);
        two.Hello();
        two.Send(new AirHeader(AirType.Bye, 2));
        Assert.True(SpinWait.SpinUntil(() => !air.Server.Registered.Contains(2), 3_000));
    }

    [Fact]
    public void Address_outside_the_topology_is_refused()
    {
        using RunningAir air = new(Line(2));
        using AirPeer stranger = new(air.Server.Port, 3);
        Assert.Equal(AirFormat.StatusUnknownAddress, stranger.Hello().Status);
        stranger.SendFrame(2, 1);
        Assert.True(SpinWait.SpinUntil(() => air.Server.Counters.Refused == 2, 3_000));
    }

    [Fact]
    public void Control_changes_the_medium_and_answers_in_one_line()
    {
        using RunningAir air = new(Line(2));
        using AirPeer one = air.Join(1);
        using AirPeer two = air.Join(2);
        using AirPeer operatorPeer = new(air.Server.Port, 0);
        foreach ((string line, bool heard) in new[]
        {
            ("cut 1 2", false), ("heal 1 2", true), ("loss 1", false), ("loss off", true), ("loss 1 2 1.0", false), ("heal 2 1", true),
            ("kill 2", false), ("start 2", true), ("partition 1 2", false), ("merge", true), ("delay 5", true), ("move 2 8 8", false),
        })
        {
            Assert.Equal("ok", operatorPeer.Control(line));
            one.SendFrame(2, 1);
            Assert.Equal(heard, two.Receive(AirType.Frame, heard ? 3_000 : 15) is not null);
        }

        Assert.StartsWith("ok nodes 2 of 2, frames 12,", operatorPeer.Control("status"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cut 1 9", "error: node 9: not between 1 and 2")]
    [InlineData("cut 1", "error: 'cut 1' is no command; known: ")]
    [InlineData("loss 2", "error: '2' is not a number from 0 to 1")]
    [InlineData("loss nan", "error: 'nan' is not a number from 0 to 1")]
    [InlineData("kill x", "error: 'x' is not a node's address")]
    [InlineData("partition 1,1", "error: partition: node 1 is there twice")]
    [InlineData("", "error: '' is no command")]
    [InlineData("fly\nme", "error: 'fly?me' is no command")]
    public void Wrong_control_lines_say_what_is_wrong(string line, string answer)
    {
        using AirServer air = new(Line(2));
        Assert.StartsWith(answer, air.Control(line), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', air.Control(line));
    }

    [Fact]
    public void Loss_is_the_share_it_was_told()
    {
        const int Frames = 2_000;
        using RunningAir air = new(Line(2) with { LossOverride = 0.3, Airtime = new Airtime(1_000_000_000, 0) });
        using AirPeer one = air.Join(1);
        using AirPeer two = air.Join(2);
        for (int i = 0; i < Frames; i++)
        {
            one.SendFrame(2, 1);
            if (i % 50 == 0)
            {
                one.Hello();
            }
        }

        one.Hello();
        Assert.Equal(Frames, air.Server.Counters.FramesReceived);
        Assert.InRange(air.Server.Counters.FramesLost / (double)Frames, 0.25, 0.35);
    }

    [Fact]
    public void Malformed_datagrams_are_counted_and_stop_nothing()
    {
        using RunningAir air = new(Line(2));
        using AirPeer one = air.Join(1);
        SeededRandom random = new(99);
        byte[] good = new byte[40];
        int sent = 0;
        for (int i = 0; i < 3_000; i++)
        {
            AirFormat.Write(good, new AirHeader((AirType)(1 + random.NextInt(6)), (ushort)(1 + random.NextInt(3)), 1, 2));
            byte[] mutant = good[..random.NextInt(good.Length + 1)];
            for (int flips = random.NextInt(4); flips > 0 && mutant.Length > 0; flips--)
            {
                mutant[random.NextInt(mutant.Length)] = (byte)random.NextUInt32();
            }

            one.SendRaw(mutant);
            if (++sent % 50 == 0)
            {
                one.Hello();
            }
        }

        one.SendRaw([]);
        Assert.Equal(AirFormat.StatusRegistered, one.Hello().Status);
        Assert.True(air.Server.Counters.Malformed > 500);
    }

    [Fact]
    public void Parser_takes_whatever_it_writes_and_never_reads_past_the_end()
    {
        SeededRandom random = new(5);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] datagram = new byte[random.NextInt(30)];
            random.Fill(datagram);
            if (datagram.Length >= AirFormat.HeaderLength && random.NextInt(2) == 0)
            {
                AirHeader header = new((AirType)(1 + random.NextInt(6)), 17, 17, 18, -70, 0);
                AirFormat.Write(datagram, header);
                bool hasBody = datagram.Length > AirFormat.HeaderLength;
                bool wantsBody = header.Type is AirType.Frame or AirType.Control or AirType.Reply;
                Assert.Equal(hasBody == wantsBody, AirFormat.TryRead(datagram, out AirHeader read));
                Assert.True(hasBody != wantsBody || read == header);
            }
            else if (AirFormat.TryRead(datagram, out AirHeader read))
            {
                Assert.True(Enum.IsDefined(read.Type));
            }
        }
    }

    [Fact]
    public void Header_has_the_documented_bytes()
    {
        byte[] datagram = new byte[AirFormat.HeaderLength];
        AirFormat.Write(datagram, new AirHeader(AirType.Frame, 0x0102, 0x0304, 0xFFFF, -61, 0));
        Assert.Equal("696101030201" + "0403" + "FFFF" + "C300", Convert.ToHexString(datagram));
    }

    [Fact]
    public void Taken_port_is_one_clear_line()
    {
        using AirServer air = new(Line(2));
        InputException error = Assert.Throws<InputException>(() => new AirServer(Line(2) with { Port = air.Port }));
        Assert.Contains($"air: cannot listen on UDP 127.0.0.1:{air.Port}: AddressAlreadyInUse", error.Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => new AirServer(Line(2) with { Port = 70_000 }));
    }
}
