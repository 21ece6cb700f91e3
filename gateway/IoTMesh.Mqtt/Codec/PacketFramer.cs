using System.Buffers;

namespace IoTMesh.Mqtt.Codec;

/// <summary>Control packet types, OASIS MQTT 5.0 section 2.1.2.</summary>
internal enum PacketType : byte
{
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
    Auth = 15,
}

/// <summary>One packet in place: valid until the input is advanced or the next packet is read.</summary>
internal readonly ref struct PacketFrame(byte first, ReadOnlySpan<byte> body)
{
    public PacketType Type => (PacketType)(first >> 4);

    public byte Flags => (byte)(first & 0x0F);

    public ReadOnlySpan<byte> Body { get; } = body;

    public byte First => first;
}

/// <summary>Cuts packets out of a byte stream without copying; only a packet that spans two segments is copied.</summary>
internal sealed class PacketFramer(int packetBytesMax)
{
    private const int HeaderBytesMax = 5;
    private byte[] _scratch = [];

    /// <summary>Largest packet accepted, fixed header included.</summary>
    public int PacketBytesMax { get; set; } = packetBytesMax;

    /// <summary>
    /// Takes the next whole packet off the front of <paramref name="input"/>. False: not all there yet, or broken
    /// (<paramref name="error"/> other than Success: the connection must be closed).
    /// </summary>
    public bool TryRead(ref ReadOnlySequence<byte> input, out PacketFrame frame, out MqttReason error)
    {
        frame = default;
        error = MqttReason.Success;
        Span<byte> copy = stackalloc byte[HeaderBytesMax];
        scoped ReadOnlySpan<byte> head = input.FirstSpan;
        if (head.Length < HeaderBytesMax && !input.IsSingleSegment)
        {
            int count = (int)Math.Min(input.Length, HeaderBytesMax);
            input.Slice(0, count).CopyTo(copy);
            head = copy[..count];
        }

        if (head.IsEmpty)
        {
            return false;
        }

        int headerBytes = ReadHeader(head, out int bodyBytes, out error);
        if (headerBytes == 0)
        {
            return false;
        }

        if (headerBytes + bodyBytes > PacketBytesMax)
        {
            error = MqttReason.PacketTooLarge;
            return false;
        }

        if (input.Length < headerBytes + bodyBytes)
        {
            return false;
        }

        ReadOnlySequence<byte> body = input.Slice(headerBytes, bodyBytes);
        frame = new PacketFrame(head[0], body.IsSingleSegment ? body.FirstSpan : Gather(body));
        input = input.Slice(body.End);
        return true;
    }

    // 0: more bytes needed, or error.
    private static int ReadHeader(ReadOnlySpan<byte> head, out int bodyBytes, out MqttReason error)
    {
        bodyBytes = 0;
        error = CheckFirst(head[0]);
        if (error != MqttReason.Success)
        {
            return 0;
        }

        for (int i = 1; i < Math.Min(head.Length, HeaderBytesMax); i++)
        {
            bodyBytes |= (head[i] & 0x7F) << (7 * (i - 1));
            if (head[i] < 0x80)
            {
                return i + 1;
            }

            if (i == HeaderBytesMax - 1)
            {
                error = MqttReason.MalformedPacket;
            }
        }

        return 0;
    }

    // Section 2.1.3: reserved flag bits; type 0 is reserved.
    private static MqttReason CheckFirst(byte first)
    {
        int flags = first & 0x0F;
        bool ok = (PacketType)(first >> 4) switch
        {
            0 => false,
            PacketType.Publish => (flags & 0x06) != 0x06,
            PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe => flags == 0x02,
            _ => flags == 0,
        };
        return ok ? MqttReason.Success : MqttReason.MalformedPacket;
    }

    private ReadOnlySpan<byte> Gather(ReadOnlySequence<byte> body)
    {
        int count = (int)body.Length;
        if (_scratch.Length < count)
        {
            _scratch = new byte[Math.Max(count, 4096)];
        }

        body.CopyTo(_scratch);
        return _scratch.AsSpan(0, count);
    }
}
