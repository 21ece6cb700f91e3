namespace IoTMesh.Mqtt.Codec;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP, which share one layout: OASIS MQTT 5.0 sections 3.4 to 3.7.</summary>
internal readonly record struct AckPacket(ushort PacketId, MqttReason Reason = MqttReason.Success, MqttProperties? Properties = null)
{
    public static MqttReason Parse(PacketFrame frame, MqttProtocol protocol, out AckPacket ack)
    {
        var reader = new WireReader(frame.Body);
        ushort id = reader.UInt16();
        MqttReason reason = MqttReason.Success;
        MqttProperties? properties = null;
        if (protocol == MqttProtocol.V5)
        {
            // Section 3.4.2.1: reason code and properties may be left out.
            reason = reader.Remaining > 0 ? (MqttReason)reader.Byte() : MqttReason.Success;
            properties = reader.Remaining > 0 ? PropertyCodec.Read(ref reader, MqttProperties.Ack) : null;
        }

        ack = new AckPacket(id, reason, properties);
        MqttReason end = reader.End();
        return end != MqttReason.Success ? end
            : id == 0 ? MqttReason.ProtocolError
            : IsValidReason(frame.Type, reason) ? MqttReason.Success : MqttReason.MalformedPacket;
    }

    public void Write(OutputBuffer output, PacketType type, MqttProtocol protocol)
    {
        bool five = protocol == MqttProtocol.V5;
        bool withProperties = five && Properties is not null;
        int body = 2 + (five && (withProperties || Reason != MqttReason.Success) ? 1 : 0)
            + (withProperties ? PropertyCodec.Length(Properties) : 0);
        WireWriter writer = WireWriter.Packet(output, type, type == PacketType.PubRel ? 2 : 0, body);
        writer.UInt16(PacketId);
        if (body > 2)
        {
            writer.Byte((byte)Reason);
        }

        if (withProperties)
        {
            PropertyCodec.Write(ref writer, Properties);
        }
    }

    // Tables 3-4 to 3-7.
    private static bool IsValidReason(PacketType type, MqttReason reason) => reason == MqttReason.Success || (type switch
    {
        PacketType.PubRel or PacketType.PubComp => reason == MqttReason.PacketIdNotFound,
        _ => reason is MqttReason.NoMatchingSubscribers or MqttReason.UnspecifiedError or MqttReason.ImplementationError
            or MqttReason.NotAuthorized or MqttReason.TopicNameInvalid or MqttReason.PacketIdInUse or MqttReason.QuotaExceeded
            or MqttReason.PayloadFormatInvalid,
    });
}
