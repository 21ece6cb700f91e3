namespace IoTMesh.Mqtt.Codec;

/// <summary>CONNACK: OASIS MQTT 5.0 section 3.2, MQTT 3.1.1 section 3.2 (whose return codes are mapped to reason codes).</summary>
internal sealed record ConnAckPacket(MqttReason Reason, bool SessionPresent = false, MqttProperties? Properties = null)
{
    public static ConnAckPacket? Parse(ReadOnlySpan<byte> body, MqttProtocol protocol, out MqttReason error)
    {
        var reader = new WireReader(body);
        byte flags = reader.Byte();
        byte code = reader.Byte();
        bool five = protocol == MqttProtocol.V5;
        MqttProperties? properties = five && reader.Remaining > 0 ? PropertyCodec.Read(ref reader, MqttProperties.ConnAck) : null;
        error = reader.End();
        if (error == MqttReason.Success && flags > 1)
        {
            error = MqttReason.MalformedPacket;
        }

        MqttReason reason = five ? (MqttReason)code : MqttReasonText.FromReturnCode(code);
        return error != MqttReason.Success ? null : new ConnAckPacket(reason, flags == 1, properties);
    }

    public void Write(OutputBuffer output, MqttProtocol protocol)
    {
        bool five = protocol == MqttProtocol.V5;
        WireWriter writer = WireWriter.Packet(output, PacketType.ConnAck, 0, 2 + (five ? PropertyCodec.Length(Properties) : 0));
        writer.Byte(SessionPresent ? (byte)1 : (byte)0);
        writer.Byte(five ? (byte)Reason : Reason.ToReturnCode());
        if (five)
        {
            PropertyCodec.Write(ref writer, Properties);
        }
    }
}
