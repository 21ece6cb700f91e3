namespace IoTMesh.Mqtt.Codec;

/// <summary>CONNECT: OASIS MQTT 5.0 section 3.1, MQTT 3.1.1 section 3.1.</summary>
internal sealed record ConnectPacket
{
    private const int FlagCleanStart = 0x02;
    private const int FlagWill = 0x04;
    private const int FlagWillRetain = 0x20;
    private const int FlagPassword = 0x40;
    private const int FlagUserName = 0x80;
    private const int WillQosShift = 3;
    private const int FixedFieldsBytes = 6 + 1 + 1 + 2; // protocol name, level, flags, keep alive

    public MqttProtocol Protocol { get; init; } = MqttProtocol.V5;

    public bool CleanStart { get; init; } = true;

    public ushort KeepAliveSeconds { get; init; }

    public string ClientId { get; init; } = "";

    public MqttProperties? Properties { get; init; }

    /// <summary>With the will properties, the delay included.</summary>
    public MqttMessage? Will { get; init; }

    public string? UserName { get; init; }

    public byte[]? Password { get; init; }

    /// <summary>Null with the reason: the version is then that to answer in, as far as it could be read.</summary>
    public static ConnectPacket? Parse(ReadOnlySpan<byte> body, out MqttReason error, out MqttProtocol answerIn)
    {
        var reader = new WireReader(body);
        answerIn = MqttProtocol.V311;
        error = ReadProtocol(ref reader, ref answerIn);
        if (error != MqttReason.Success)
        {
            return null;
        }

        bool five = answerIn == MqttProtocol.V5;
        int flags = reader.Byte();
        ushort keepAliveSeconds = reader.UInt16();
        if (!FlagsAreValid(flags, five))
        {
            error = MqttReason.MalformedPacket;
            return null;
        }

        MqttProperties? properties = five ? PropertyCodec.Read(ref reader, MqttProperties.Connect) : null;
        string clientId = reader.String();
        MqttMessage? will = (flags & FlagWill) != 0 ? ReadWill(ref reader, flags, five) : null;
        string? userName = (flags & FlagUserName) != 0 ? reader.String() : null;
        byte[]? password = (flags & FlagPassword) != 0 ? reader.Binary().ToArray() : null;
        error = reader.End();
        // Section 3.1.2.11.10: authentication data without a method is a protocol error.
        if (error == MqttReason.Success && properties?.Value(PropertyId.AuthData) is not null
            && properties.Value(PropertyId.AuthMethod) is null)
        {
            error = MqttReason.ProtocolError;
        }

        return error != MqttReason.Success ? null : new ConnectPacket
        {
            Protocol = answerIn,
            CleanStart = (flags & FlagCleanStart) != 0,
            KeepAliveSeconds = keepAliveSeconds,
            ClientId = clientId,
            Properties = properties,
            Will = will,
            UserName = userName,
            Password = password,
        };
    }

    public void Write(OutputBuffer output)
    {
        bool five = Protocol == MqttProtocol.V5;
        int body = FixedFieldsBytes + (five ? PropertyCodec.Length(Properties) : 0) + WireWriter.LengthOf(ClientId);
        int flags = CleanStart ? FlagCleanStart : 0;
        if (Will is not null)
        {
            flags |= FlagWill | Will.Qos << WillQosShift | (Will.Retain ? FlagWillRetain : 0);
            body += (five ? PropertyCodec.Length(Will.Properties) : 0) + WireWriter.LengthOf(Will.Topic) + 2 + Will.Payload.Length;
        }

        if (UserName is not null)
        {
            flags |= FlagUserName;
            body += WireWriter.LengthOf(UserName);
        }

        if (Password is not null)
        {
            flags |= FlagPassword;
            body += 2 + Password.Length;
        }

        WireWriter writer = WireWriter.Packet(output, PacketType.Connect, 0, body);
        writer.Binary("MQTT"u8);
        writer.Byte((byte)Protocol);
        writer.Byte((byte)flags);
        writer.UInt16(KeepAliveSeconds);
        WritePayload(ref writer, five);
    }

    private void WritePayload(ref WireWriter writer, bool five)
    {
        if (five)
        {
            PropertyCodec.Write(ref writer, Properties);
        }

        writer.Text(ClientId);
        if (Will is not null)
        {
            if (five)
            {
                PropertyCodec.Write(ref writer, Will.Properties);
            }

            writer.Text(Will.Topic);
            writer.Binary(Will.Payload.Span);
        }

        if (UserName is not null)
        {
            writer.Text(UserName);
        }

        if (Password is not null)
        {
            writer.Binary(Password);
        }
    }

    // Sections 3.1.2.1 and 3.1.2.2. "MQIsdp" with level 3 is MQTT 3.1: well-formed, but not supported.
    private static MqttReason ReadProtocol(ref WireReader reader, ref MqttProtocol protocol)
    {
        ReadOnlySpan<byte> name = reader.Binary();
        bool known = name.SequenceEqual("MQTT"u8);
        bool old = name.SequenceEqual("MQIsdp"u8);
        byte level = reader.Byte();
        if (reader.Failed)
        {
            return MqttReason.MalformedPacket;
        }

        if (known && level >= (byte)MqttProtocol.V5)
        {
            protocol = MqttProtocol.V5;
        }

        bool supported = known && level is (byte)MqttProtocol.V5 or (byte)MqttProtocol.V311;
        return supported ? MqttReason.Success : known || old ? MqttReason.UnsupportedProtocolVersion : MqttReason.MalformedPacket;
    }

    // Sections 3.1.2.3 to 3.1.2.9; a password without a user name is allowed from version 5 on.
    private static bool FlagsAreValid(int flags, bool five)
    {
        int willQos = flags >> WillQosShift & 3;
        bool will = (flags & FlagWill) != 0;
        return (flags & 1) == 0 && willQos <= 2 && (will || (willQos == 0 && (flags & FlagWillRetain) == 0))
            && (five || (flags & (FlagPassword | FlagUserName)) != FlagPassword);
    }

    private static MqttMessage? ReadWill(ref WireReader reader, int flags, bool five)
    {
        MqttProperties? properties = five ? PropertyCodec.Read(ref reader, MqttProperties.Will) : null;
        string topic = reader.String();
        byte[] payload = reader.Binary().ToArray();
        if (!reader.Failed && !Topics.IsValidName(topic))
        {
            reader.Fail(MqttReason.TopicNameInvalid);
        }

        return reader.Failed ? null : new MqttMessage(topic, payload, (byte)(flags >> WillQosShift & 3), (flags & FlagWillRetain) != 0)
        {
            Properties = properties,
        };
    }
}
