namespace IoTMesh.Mqtt.Codec;

/// <summary>One row of a SUBSCRIBE with the subscription options of OASIS MQTT 5.0 section 3.8.3.1.</summary>
internal readonly record struct SubscribeRow(string Filter, byte Options)
{
    public const byte FlagNoLocal = 0x04;
    public const byte FlagRetainAsPublished = 0x08;

    public byte Qos => (byte)(Options & 3);

    public bool NoLocal => (Options & FlagNoLocal) != 0;

    public bool RetainAsPublished => (Options & FlagRetainAsPublished) != 0;

    /// <summary>0: send retained messages; 1: only if the subscription is new; 2: never.</summary>
    public byte RetainHandling => (byte)(Options >> 4 & 3);
}

/// <summary>SUBSCRIBE: OASIS MQTT 5.0 section 3.8, MQTT 3.1.1 section 3.8.</summary>
internal sealed record SubscribePacket(ushort PacketId, IReadOnlyList<SubscribeRow> Rows, MqttProperties? Properties = null)
{
    public static SubscribePacket? Parse(ReadOnlySpan<byte> body, MqttProtocol protocol, out MqttReason error)
    {
        var reader = new WireReader(body);
        bool five = protocol == MqttProtocol.V5;
        ushort id = reader.UInt16();
        MqttProperties? properties = five ? PropertyCodec.Read(ref reader, MqttProperties.Subscribe) : null;
        var rows = new List<SubscribeRow>(1);
        while (reader.Remaining > 0)
        {
            var row = new SubscribeRow(reader.String(), reader.Byte());
            // 3.1.1 reserves bits 2 to 7; 5.0 bits 6 and 7, and retain handling 3.
            if (row.Qos == 3 || (five ? row.RetainHandling == 3 || row.Options > 0x3F : row.Options > 2))
            {
                reader.Fail(five && row.RetainHandling == 3 ? MqttReason.ProtocolError : MqttReason.MalformedPacket);
            }

            // Section 3.8.3.1: no local on a shared subscription is a protocol error.
            if (row.NoLocal && Topics.IsShared(row.Filter))
            {
                reader.Fail(MqttReason.ProtocolError);
            }

            rows.Add(row);
        }

        error = reader.End();
        if (error == MqttReason.Success && (rows.Count == 0 || id == 0))
        {
            error = MqttReason.ProtocolError;
        }

        return error == MqttReason.Success ? new SubscribePacket(id, rows, properties) : null;
    }

    public void Write(OutputBuffer output, MqttProtocol protocol)
    {
        bool five = protocol == MqttProtocol.V5;
        int body = 2 + (five ? PropertyCodec.Length(Properties) : 0);
        foreach (SubscribeRow row in Rows)
        {
            body += WireWriter.LengthOf(row.Filter) + 1;
        }

        WireWriter writer = WireWriter.Packet(output, PacketType.Subscribe, 2, body);
        writer.UInt16(PacketId);
        if (five)
        {
            PropertyCodec.Write(ref writer, Properties);
        }

        foreach (SubscribeRow row in Rows)
        {
            writer.Text(row.Filter);
            writer.Byte(five ? row.Options : row.Qos);
        }
    }
}
