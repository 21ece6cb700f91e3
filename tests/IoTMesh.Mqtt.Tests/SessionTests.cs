using System.Buffers;
using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Tests;

/// <summary>The session core alone: two of them joined by bytes that a seeded line cuts off anywhere.</summary>
public sealed class SessionTests
{
    [Theory]
    [InlineData(1, 11)]
    [InlineData(2, 12)]
    [InlineData(2, 13)]
    public void Over_a_line_that_breaks_all_the_time_QoS_1_loses_nothing_and_QoS_2_delivers_exactly_once(byte qos, int seed)
    {
        var random = new Random(seed);
        var link = new Link(random, sendMaximum: 7);
        const int Messages = 2_000;
        var acknowledged = new HashSet<int>();
        int sent = 0;
        for (int round = 0; acknowledged.Count < Messages; round++)
        {
            Assert.True(round < 20_000, $"seed {seed}: {acknowledged.Count} of {Messages} after {round} rounds");
            link.Reconnect();
            for (int steps = random.Next(1, 40); steps > 0 && link.Steps(); steps--)
            {
                for (int burst = random.Next(4); burst > 0 && sent < Messages; burst--)
                {
                    link.Send(sent++, qos);
                }

                foreach (Completion completion in link.TakeCompletions())
                {
                    Assert.True(acknowledged.Add((int)completion.Token), "acknowledged twice");
                    Assert.Equal((MqttReason.Success, false), (completion.Reason, completion.Lost));
                }
            }
        }

        Assert.Equal(Enumerable.Range(0, Messages), link.Received.Distinct().Order());
        if (qos == 2)
        {
            Assert.Equal(Enumerable.Range(0, Messages), link.Received); // each once, and in order (section 4.6)
        }
        else
        {
            Assert.Equal(Enumerable.Range(0, Messages), link.Received.Distinct()); // first deliveries in order
        }
    }

    [Fact]
    public void All_packet_ids_are_used_in_turn_and_none_twice()
    {
        var session = new MqttSession(queuedMax: 10, queuedBytesMax: long.MaxValue);
        var output = new OutputBuffer();
        session.Attach(output, new ConnectionTerms(MqttProtocol.V5, 65_535, 65_535));
        var item = new Outgoing { Message = new MqttMessage("a", default), Qos = 1, ExpiresAtMs = long.MaxValue };
        int sent = 0;
        while (session.Send(0, in item) == SendResult.Sent)
        {
            sent++;
        }

        Assert.Equal(65_534, sent);
        Assert.Equal(1, session.Queued);
        session.HandleAck(0, PacketType.PubAck, new AckPacket(1));
        Assert.Equal((0, 65_534), (session.Queued, session.InFlight));
        session.HandleAck(0, PacketType.PubAck, new AckPacket(1)); // again: unknown now, ignored
        Assert.Equal(65_534, session.InFlight);
        for (int id = 2; id <= 65_535; id++)
        {
            session.HandleAck(0, PacketType.PubAck, new AckPacket((ushort)id));
        }

        Assert.Equal(0, session.InFlight);
    }

    [Fact]
    public void Sending_allocates_nothing_per_message()
    {
        var session = new MqttSession(queuedMax: 10, queuedBytesMax: long.MaxValue);
        var output = new OutputBuffer();
        session.Attach(output, new ConnectionTerms(MqttProtocol.V5, 100, 100));
        var item = new Outgoing { Message = new MqttMessage("a/b", new byte[64]), Qos = 1, ExpiresAtMs = long.MaxValue };
        Run(1_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(10_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Assert.True(session.Send(0, in item) == SendResult.Sent);
                session.HandleAck(0, PacketType.PubAck, new AckPacket((ushort)((_acked++ % 65_535) + 1)));
                if (output.Count > 30_000)
                {
                    OutputBuffer.Return(output.Take(out int _));
                }
            }
        }
    }

    private int _acked;

    /// <summary>A sender and a receiver. What is on the line when it breaks is lost from a random byte on.</summary>
    private sealed class Link(Random random, int sendMaximum)
    {
        private readonly MqttSession _sender = new(int.MaxValue, long.MaxValue);
        private readonly MqttSession _receiver = new(10, 10_000);
        private OutputBuffer _forth = new();
        private OutputBuffer _back = new();
        private byte[] _atReceiver = [];
        private byte[] _atSender = [];

        public List<int> Received { get; } = [];

        public void Reconnect()
        {
            _sender.Detach();
            _receiver.Detach();
            (_forth, _back, _atReceiver, _atSender) = (new(), new(), [], []);
            _sender.Attach(_forth, new ConnectionTerms(MqttProtocol.V5, sendMaximum, 10));
            _receiver.Attach(_back, new ConnectionTerms(MqttProtocol.V5, 10, sendMaximum));
            _sender.Pump(0);
        }

        public void Send(int number, byte qos) => _sender.Send(0, new Outgoing
        {
            Message = new MqttMessage("n", BitConverter.GetBytes(number)),
            Qos = qos,
            Token = number,
            ExpiresAtMs = long.MaxValue,
        });

        public List<Completion> TakeCompletions()
        {
            var taken = new List<Completion>(_sender.Completions);
            _sender.Completions.Clear();
            return taken;
        }

        /// <summary>Moves some bytes each way; false: the line broke.</summary>
        public bool Steps()
        {
            Move(_forth, ref _atReceiver, AtReceiver);
            Move(_back, ref _atSender, frame =>
            {
                Assert.Equal(MqttReason.Success, AckPacket.Parse(frame, MqttProtocol.V5, out AckPacket ack));
                _sender.HandleAck(0, frame.Type, in ack);
            });
            return random.Next(30) > 0;
        }

        private void AtReceiver(PacketFrame frame)
        {
            if (frame.Type == PacketType.PubRel)
            {
                Assert.Equal(MqttReason.Success, AckPacket.Parse(frame, MqttProtocol.V5, out AckPacket ack));
                _receiver.HandleAck(0, frame.Type, in ack);
                return;
            }

            Assert.Equal(MqttReason.Success, PublishView.Parse(frame, MqttProtocol.V5, out PublishView publish));
            Assert.Equal(MqttReason.Success, _receiver.HandlePublish(in publish, out bool deliver));
            if (deliver)
            {
                Received.Add(BitConverter.ToInt32(publish.Payload));
                _receiver.Acknowledge(_receiver.Generation, publish.PacketId, publish.Qos, MqttReason.Success);
            }
        }

        private delegate void Handler(PacketFrame frame);

        private void Move(OutputBuffer line, ref byte[] arrived, Handler handle)
        {
            byte[] written = line.Take(out int count);
            arrived = [.. arrived, .. written.AsSpan(0, count)];
            OutputBuffer.Return(written);
            int usable = random.Next(arrived.Length + 1);
            var input = new ReadOnlySequence<byte>(arrived, 0, usable);
            var framer = new PacketFramer(1 << 20);
            while (framer.TryRead(ref input, out PacketFrame frame, out _))
            {
                handle(frame);
            }

            arrived = arrived[(usable - (int)input.Length)..];
        }
    }
}
