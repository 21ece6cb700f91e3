using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace IoTMesh.Mqtt.Codec;

/// <summary>Reads the data types of OASIS MQTT 5.0 section 1.5. The first failure sticks; later reads return nothing.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Success while all reads so far were well-formed.</summary>
    public MqttReason Error { get; private set; } = MqttReason.Success;

    public readonly bool Failed => Error != MqttReason.Success;

    public readonly int Remaining => _rest.Length;

    public void Fail(MqttReason reason)
    {
        if (!Failed)
        {
            Error = reason;
        }

        _rest = default;
    }

    /// <summary>The reason to report once everything has been read: trailing bytes are malformed too.</summary>
    public readonly MqttReason End() => Failed ? Error : _rest.IsEmpty ? MqttReason.Success : MqttReason.MalformedPacket;

    public byte Byte()
    {
        ReadOnlySpan<byte> span = Take(1);
        return span.IsEmpty ? (byte)0 : span[0];
    }

    public ushort UInt16()
    {
        ReadOnlySpan<byte> span = Take(2);
        return span.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(span);
    }

    public uint UInt32()
    {
        ReadOnlySpan<byte> span = Take(4);
        return span.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32BigEndian(span);
    }

    /// <summary>Variable byte integer, section 1.5.5: at most four bytes, in the shortest form.</summary>
    public uint VarInt()
    {
        uint value = 0;
        for (int shift = 0; shift <= 21; shift += 7)
        {
            byte b = Byte();
            value |= (uint)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                if (b == 0 && shift > 0)
                {
                    Fail(MqttReason.MalformedPacket);
                }

                return Failed ? 0 : value;
            }
        }

        Fail(MqttReason.MalformedPacket);
        return 0;
    }

    public ReadOnlySpan<byte> Binary() => Take(UInt16());

    /// <summary>UTF-8 string, section 1.5.4: well-formed, without U+0000.</summary>
    public ReadOnlySpan<byte> Text()
    {
        ReadOnlySpan<byte> span = Binary();
        if (!Utf8.IsValid(span) || span.Contains((byte)0))
        {
            Fail(MqttReason.MalformedPacket);
            return default;
        }

        return span;
    }

    public string String() => Encoding.UTF8.GetString(Text());

    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);

    public ReadOnlySpan<byte> Take(int count)
    {
        if (Failed || count > _rest.Length)
        {
            Fail(MqttReason.MalformedPacket);
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}

/// <summary>Writes the data types of section 1.5 into a span whose length was computed before.</summary>
internal ref struct WireWriter(Span<byte> span)
{
    public const int TextBytesMax = 65_535;
    public const uint VarIntMax = 268_435_455;
    private Span<byte> _rest = span;

    public readonly int Remaining => _rest.Length;

    public static int LengthOf(string text) => 2 + Encoding.UTF8.GetByteCount(text);

    public static int VarIntLength(uint value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : 4;

    /// <summary>Reserves a packet in <paramref name="output"/> and writes its fixed header (section 2.1).</summary>
    public static WireWriter Packet(OutputBuffer output, PacketType type, int flags, int bodyBytes)
    {
        var writer = new WireWriter(output.Append(1 + VarIntLength((uint)bodyBytes) + bodyBytes));
        writer.Byte((byte)(((int)type << 4) | flags));
        writer.VarInt((uint)bodyBytes);
        return writer;
    }

    public void Byte(byte value)
    {
        _rest[0] = value;
        _rest = _rest[1..];
    }

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_rest, value);
        _rest = _rest[2..];
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_rest, value);
        _rest = _rest[4..];
    }

    public void VarInt(uint value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }

    public void Text(string text)
    {
        int count = Encoding.UTF8.GetBytes(text, _rest[2..]);
        UInt16((ushort)count);
        _rest = _rest[count..];
    }

    public void Binary(ReadOnlySpan<byte> bytes)
    {
        UInt16((ushort)bytes.Length);
        Raw(bytes);
    }

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_rest);
        _rest = _rest[bytes.Length..];
    }
}
