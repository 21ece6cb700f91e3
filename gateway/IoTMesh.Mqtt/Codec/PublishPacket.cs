using System.Text;

namespace IoTMesh.Mqtt.Codec;

/// <summary>PUBLISH as it lies in the input: OASIS MQTT 5.0 section 3.3, MQTT 3.1.1 section 3.3.</summary>
internal readonly ref struct PublishView
{
    public byte Qos { get; init; }

    public bool Retain { get; init; }

    public bool Duplicate { get; init; }

    public ushort PacketId { get; init; }

    /// <summary>UTF-8. Empty: the topic alias in the properties stands for it.</summary>
    public ReadOnlySpan<byte> Topic { get; init; }

    public MqttProperties? Properties { get; init; }

    public ReadOnlySpan<byte> Payload { get; init; }

    public static MqttReason Parse(PacketFrame frame, MqttProtocol protocol, out PublishView view)
    {
        var reader = new WireReader(frame.Body);
        byte qos = (byte)(frame.Flags >> PublishPacket.QosShift & 3);
        ReadOnlySpan<byte> topic = reader.Text();
        ushort packetId = qos > 0 ? reader.UInt16() : (ushort)0;
        bool five = protocol == MqttProtocol.V5;
        MqttProperties? properties = five ? PropertyCodec.Read(ref reader, MqttProperties.Publish, PublishPacket.Repeatable) : null;
        view = new PublishView
        {
            Qos = qos,
            Retain = (frame.Flags & PublishPacket.FlagRetain) != 0,
            Duplicate = (frame.Flags & PublishPacket.FlagDuplicate) != 0,
            PacketId = packetId,
            Topic = topic,
            Properties = properties,
            Payload = reader.Rest(),
        };
        if (reader.Failed)
        {
            return reader.Error;
        }

        // Sections 2.2.1, 3.3.1.1 and 3.3.2.1.
        return (qos > 0 && packetId == 0) || (qos == 0 && view.Duplicate) ? MqttReason.MalformedPacket
            : topic.IndexOfAny((byte)'+', (byte)'#') >= 0 ? MqttReason.TopicNameInvalid
            : !topic.IsEmpty ? CheckResponseTopic(properties)
            : !five ? MqttReason.MalformedPacket
            : properties?.Number(PropertyId.TopicAlias) is null ? MqttReason.ProtocolError : CheckResponseTopic(properties);
    }

    // Section 3.3.2.3.5.
    private static MqttReason CheckResponseTopic(MqttProperties? properties) =>
        properties?.Value(PropertyId.ResponseTopic) is string topic && !Topics.IsValidName(topic)
            ? MqttReason.TopicNameInvalid : MqttReason.Success;
}

/// <summary>PUBLISH on its way out: what stands in front of the message.</summary>
internal readonly struct PublishPacket
{
    public const int FlagRetain = 0x01;
    public const int FlagDuplicate = 0x08;
    public const int QosShift = 1;
    public static readonly ulong Repeatable = MqttProperties.Mask(PropertyId.SubscriptionId);

    // Properties of a received message that are valid for one hop only (sections 3.3.2.3.3, 3.3.2.3.4, 3.3.2.3.8),
    // and the will delay, which is none of the message's.
    private static readonly ulong _hopOnly = MqttProperties.Mask(PropertyId.TopicAlias, PropertyId.SubscriptionId,
        PropertyId.MessageExpiry, PropertyId.WillDelay);

    public byte Qos { get; init; }

    public bool Retain { get; init; }

    public bool Duplicate { get; init; }

    public ushort PacketId { get; init; }

    /// <summary>What is left of the message's life; null: no expiry.</summary>
    public uint? ExpirySeconds { get; init; }

    public uint[]? SubscriptionIds { get; init; }

    /// <summary>0: none (section 3.3.2.3.4).</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>The peer knows the alias: the topic is left empty.</summary>
    public bool OmitTopic { get; init; }

    /// <summary>Bytes of the whole packet.</summary>
    public int Length(MqttProtocol protocol, MqttMessage message)
    {
        int body = BodyLength(protocol, message, out _);
        return 1 + WireWriter.VarIntLength((uint)body) + body;
    }

    public void Write(OutputBuffer output, MqttProtocol protocol, MqttMessage message)
    {
        int flags = Qos << QosShift | (Retain ? FlagRetain : 0) | (Duplicate ? FlagDuplicate : 0);
        int body = BodyLength(protocol, message, out int propertyBytes);
        WireWriter writer = WireWriter.Packet(output, PacketType.Publish, flags, body);
        writer.Text(OmitTopic ? "" : message.Topic);
        if (Qos > 0)
        {
            writer.UInt16(PacketId);
        }

        if (protocol == MqttProtocol.V5)
        {
            writer.VarInt((uint)propertyBytes);
            WriteProperties(ref writer, message);
        }

        writer.Raw(message.Payload.Span);
    }

    private int BodyLength(MqttProtocol protocol, MqttMessage message, out int propertyBytes)
    {
        propertyBytes = 0;
        int bytes = 2 + (OmitTopic ? 0 : Encoding.UTF8.GetByteCount(message.Topic)) + (Qos > 0 ? 2 : 0) + message.Payload.Length;
        if (protocol != MqttProtocol.V5)
        {
            return bytes;
        }

        propertyBytes = PropertyCodec.BodyLength(message.Properties, _hopOnly) + (ExpirySeconds is null ? 0 : 5) + (TopicAlias == 0 ? 0 : 3);
        if (SubscriptionIds is not null)
        {
            foreach (uint id in SubscriptionIds)
            {
                propertyBytes += 1 + WireWriter.VarIntLength(id);
            }
        }

        return bytes + WireWriter.VarIntLength((uint)propertyBytes) + propertyBytes;
    }

    private void WriteProperties(ref WireWriter writer, MqttMessage message)
    {
        if (ExpirySeconds is not null)
        {
            writer.Byte((byte)PropertyId.MessageExpiry);
            writer.UInt32(ExpirySeconds.Value);
        }

        if (TopicAlias != 0)
        {
            writer.Byte((byte)PropertyId.TopicAlias);
            writer.UInt16(TopicAlias);
        }

        PropertyCodec.WriteBody(ref writer, message.Properties, _hopOnly);
        if (SubscriptionIds is not null)
        {
            foreach (uint id in SubscriptionIds)
            {
                writer.Byte((byte)PropertyId.SubscriptionId);
                writer.VarInt(id);
            }
        }
    }
}
