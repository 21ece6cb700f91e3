namespace IoTMesh.Mqtt.Codec;

/// <summary>UNSUBSCRIBE: OASIS MQTT 5.0 section 3.10, MQTT 3.1.1 section 3.10.</summary>
internal sealed record UnsubscribePacket(ushort PacketId, IReadOnlyList<string> Filters, MqttProperties? Properties = null)
{
    public static UnsubscribePacket? Parse(ReadOnlySpan<byte> body, MqttProtocol protocol, out MqttReason error)
    {
        var reader = new WireReader(body);
        ushort id = reader.UInt16();
        MqttProperties? properties = protocol == MqttProtocol.V5 ? PropertyCodec.Read(ref reader, MqttProperties.Unsubscribe) : null;
        var filters = new List<string>(1);
        while (reader.Remaining > 0)
        {
            filters.Add(reader.String());
        }

        error = reader.End();
        if (error == MqttReason.Success && (filters.Count == 0 || id == 0))
        {
            error = MqttReason.ProtocolError;
        }

        return error == MqttReason.Success ? new UnsubscribePacket(id, filters, properties) : null;
    }

    public void Write(OutputBuffer output, MqttProtocol protocol)
    {
        bool five = protocol == MqttProtocol.V5;
        int body = 2 + (five ? PropertyCodec.Length(Properties) : 0);
        foreach (string filter in Filters)
        {
            body += WireWriter.LengthOf(filter);
        }

        WireWriter writer = WireWriter.Packet(output, PacketType.Unsubscribe, 2, body);
        writer.UInt16(PacketId);
        if (five)
        {
            PropertyCodec.Write(ref writer, Properties);
        }

        foreach (string filter in Filters)
        {
            writer.Text(filter);
        }
    }
}
