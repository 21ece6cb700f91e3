namespace IoTMesh.Mqtt.Codec;

/// <summary>SUBACK and UNSUBACK: OASIS MQTT 5.0 sections 3.9 and 3.11; an UNSUBACK of 3.1.1 has no reasons (section 3.11).</summary>
internal sealed record SubAckPacket(ushort PacketId, IReadOnlyList<MqttReason> Reasons, MqttProperties? Properties = null)
{
    public static SubAckPacket? Parse(PacketFrame frame, MqttProtocol protocol, out MqttReason error)
    {
        var reader = new WireReader(frame.Body);
        bool five = protocol == MqttProtocol.V5;
        ushort id = reader.UInt16();
        MqttProperties? properties = five ? PropertyCodec.Read(ref reader, MqttProperties.Ack) : null;
        var reasons = new List<MqttReason>(1);
        while (reader.Remaining > 0)
        {
            reasons.Add((MqttReason)reader.Byte());
        }

        bool wanted = five || frame.Type == PacketType.SubAck;
        error = reader.End();
        if (error == MqttReason.Success && (id == 0 || reasons.Count > 0 != wanted))
        {
            error = MqttReason.ProtocolError;
        }

        return error == MqttReason.Success ? new SubAckPacket(id, reasons, properties) : null;
    }

    public void Write(OutputBuffer output, PacketType type, MqttProtocol protocol)
    {
        bool five = protocol == MqttProtocol.V5;
        bool withReasons = five || type == PacketType.SubAck;
        int body = 2 + (five ? PropertyCodec.Length(Properties) : 0) + (withReasons ? Reasons.Count : 0);
        WireWriter writer = WireWriter.Packet(output, type, 0, body);
        writer.UInt16(PacketId);
        if (five)
        {
            PropertyCodec.Write(ref writer, Properties);
        }

        for (int i = 0; withReasons && i < Reasons.Count; i++)
        {
            // 3.1.1 knows one failure code only (section 3.9.3).
            writer.Byte(!five && Reasons[i] >= MqttReason.UnspecifiedError ? (byte)MqttReason.UnspecifiedError : (byte)Reasons[i]);
        }
    }
}
