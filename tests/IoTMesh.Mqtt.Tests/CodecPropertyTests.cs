using System.Buffers;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Tests;

/// <summary>Seeded random packets and seeded broken bytes through the codec.</summary>
public sealed class CodecPropertyTests
{
    private const int BrokenInputs = 200_000;

    [Theory]
    [InlineData(MqttProtocol.V311, 1)]
    [InlineData(MqttProtocol.V5, 2)]
    public void What_is_encoded_decodes_to_the_same(MqttProtocol protocol, int seed)
    {
        var packets = new RandomPackets(seed);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = packets.Next(protocol).Encode(protocol);
            AnyPacket? decoded = AnyPacket.Decode(bytes, protocol, out MqttReason error);
            Assert.True(decoded is not null, $"seed {seed}, packet {i}: {error} in {Convert.ToHexString(bytes)}");
            Assert.Equal(bytes, decoded.Encode(protocol));
        }
    }

    [Fact]
    public void A_stream_cut_anywhere_gives_the_same_packets()
    {
        var packets = new RandomPackets(3);
        var random = new Random(3);
        for (int round = 0; round < 200; round++)
        {
            byte[][] sent = [.. Enumerable.Range(0, 20).Select(_ => packets.Next(MqttProtocol.V5).Encode(MqttProtocol.V5))];
            ReadOnlySequence<byte> input = Cut(sent.SelectMany(b => b).ToArray(), random);
            var framer = new PacketFramer(1 << 20);
            foreach (byte[] bytes in sent)
            {
                Assert.True(framer.TryRead(ref input, out PacketFrame frame, out _));
                Assert.Equal(bytes[0], frame.First);
                Assert.True(bytes.AsSpan().EndsWith(frame.Body));
            }

            Assert.True(input.IsEmpty);
        }
    }

    [Theory]
    [InlineData(MqttProtocol.V311, 4)]
    [InlineData(MqttProtocol.V5, 5)]
    public void Broken_bytes_give_a_reason_and_never_an_exception(MqttProtocol protocol, int seed)
    {
        var packets = new RandomPackets(seed);
        var random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < BrokenInputs / 2; i++)
        {
            byte[] bytes = random.Next(10) == 0 ? Noise(random) : Mutate(packets.Next(protocol).Encode(protocol), random);
            AnyPacket? decoded = AnyPacket.Decode(bytes, protocol, out MqttReason error);
            refused += error != MqttReason.Success ? 1 : 0;
            if (decoded is not null)
            {
                // Still a valid packet: what we then send is one, too, and means the same.
                byte[] again = decoded.Encode(protocol);
                Assert.Equal(again, AnyPacket.Decode(again, protocol, out _)!.Encode(protocol));
            }
        }

        Assert.InRange(refused, BrokenInputs / 8, BrokenInputs / 2);
    }

    // OASIS MQTT 5.0: each line names its section.
    [Theory]
    [InlineData("00 00", MqttReason.MalformedPacket)] // 2.1.2 type 0
    [InlineData("C1 00", MqttReason.MalformedPacket)] // 2.1.3 reserved flags
    [InlineData("80 00", MqttReason.MalformedPacket)] // 3.8.1 flags of SUBSCRIBE
    [InlineData("36 05 0001 61 0001", MqttReason.MalformedPacket)] // 3.3.1.2 QoS 3
    [InlineData("38 04 0001 61 00", MqttReason.MalformedPacket)] // 3.3.1.1 repeated QoS 0
    [InlineData("C0 FF FF FF FF 7F", MqttReason.MalformedPacket)] // 1.5.5 five length bytes
    [InlineData("30 FF FF FF 7F", MqttReason.PacketTooLarge)] // more than we take
    [InlineData("32 06 0001 61 0000 00", MqttReason.MalformedPacket)] // 2.2.1 packet id 0
    [InlineData("30 05 0002 C080 00", MqttReason.MalformedPacket)] // 1.5.4 overlong UTF-8
    [InlineData("30 06 0003 EDA080 00", MqttReason.MalformedPacket)] // 1.5.4 surrogate
    [InlineData("30 04 0001 00 00", MqttReason.MalformedPacket)] // 1.5.4 U+0000
    [InlineData("30 04 0001 23 00", MqttReason.TopicNameInvalid)] // 3.3.2.1 wildcard in a name
    [InlineData("30 03 0000 00", MqttReason.ProtocolError)] // 3.3.2.1 no topic and no alias
    [InlineData("30 07 0001 61 03 23 0000", MqttReason.TopicAliasInvalid)] // 3.3.2.3.4 alias 0
    [InlineData("30 08 0001 61 04 01 01 01 01", MqttReason.ProtocolError)] // 2.2.2.2 the same property twice
    [InlineData("30 06 0001 61 02 24 01", MqttReason.MalformedPacket)] // 2.2.2.2 a property of another packet
    [InlineData("30 05 0001 61 7F 00", MqttReason.MalformedPacket)] // 2.2.2.1 properties longer than the packet
    [InlineData("30 06 0001 61 02 0B 00", MqttReason.ProtocolError)] // 3.3.2.3.8 subscription id 0
    [InlineData("82 03 000A 00", MqttReason.ProtocolError)] // 3.8.3 no filter
    [InlineData("82 07 000A 00 0001 61 03", MqttReason.MalformedPacket)] // 3.8.3.1 QoS 3
    [InlineData("82 07 000A 00 0001 61 30", MqttReason.ProtocolError)] // 3.8.3.1 retain handling 3
    [InlineData("82 07 000A 00 0001 61 40", MqttReason.MalformedPacket)] // 3.8.3.1 reserved bits
    [InlineData("82 10 000A 00 000A 2473686172652F672F61 04", MqttReason.ProtocolError)] // 3.8.3.1 no local on a shared subscription
    [InlineData("A2 03 000A 00", MqttReason.ProtocolError)] // 3.10.3 no filter
    [InlineData("C0 01 00", MqttReason.MalformedPacket)] // 3.12 a body
    [InlineData("E0 01 01", MqttReason.MalformedPacket)] // 3.14.2.1 unknown reason
    [InlineData("40 03 000A 92", MqttReason.MalformedPacket)] // 3.4.2.1 a reason that PUBACK does not know
    [InlineData("10 0D 0004 4D515454 05 03 0000 00 0000", MqttReason.MalformedPacket)] // 3.1.2.3 reserved flag
    [InlineData("10 0D 0004 4D515454 05 1A 0000 00 0000", MqttReason.MalformedPacket)] // 3.1.2.6 QoS without a Will
    [InlineData("10 0D 0004 4D515454 06 02 0000 00 0000", MqttReason.UnsupportedProtocolVersion)] // 3.1.2.2
    [InlineData("10 0D 0004 4D515458 05 02 0000 00 0000", MqttReason.MalformedPacket)] // 3.1.2.1
    [InlineData("10 10 0004 4D515454 05 02 0000 03 21 0000 0000", MqttReason.ProtocolError)] // 3.1.2.11.3 receive maximum 0
    [InlineData("10 0E 0004 4D515454 05 02 0000 00 0000 FF", MqttReason.MalformedPacket)] // something after the end
    public void Each_kind_of_broken_packet_has_the_reason_of_the_standard(string hex, MqttReason expected)
    {
        byte[] bytes = GoldenBytesTests.Bytes(hex);
        Assert.Null(AnyPacket.Decode(bytes, MqttProtocol.V5, out MqttReason error));
        Assert.Equal(expected, error);
    }

    internal static byte[] Mutate(byte[] bytes, Random random)
    {
        var list = bytes.ToList();
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(list.Count);
            switch (random.Next(4))
            {
                case 0:
                    list[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    list[at] = (byte)random.Next(256);
                    break;
                case 2:
                    list.Insert(at, (byte)random.Next(256));
                    break;
                default:
                    list.RemoveAt(at);
                    break;
            }

            if (list.Count == 0)
            {
                return [0];
            }
        }

        if (random.Next(2) == 0 && list.Count is > 2 and < 129)
        {
            list[1] = (byte)(list.Count - 2); // lets the mutation past the framing
        }

        return [.. list];
    }

    private static byte[] Noise(Random random)
    {
        var noise = new byte[random.Next(1, 60)];
        random.NextBytes(noise);
        return noise;
    }

    private static ReadOnlySequence<byte> Cut(byte[] bytes, Random random)
    {
        Segment? first = null;
        Segment? last = null;
        for (int at = 0; at < bytes.Length;)
        {
            int count = Math.Min(bytes.Length - at, random.Next(1, 40));
            last = last is null ? first = new Segment(bytes.AsMemory(at, count), 0) : last.Append(bytes.AsMemory(at, count));
            at += count;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
