namespace IoTMesh.Mqtt.Codec;

/// <summary>DISCONNECT and AUTH: OASIS MQTT 5.0 sections 3.14 and 3.15; a DISCONNECT of 3.1.1 has no body (section 3.14).</summary>
internal sealed record DisconnectPacket(MqttReason Reason = MqttReason.Success, MqttProperties? Properties = null)
{
    public static DisconnectPacket? Parse(PacketFrame frame, MqttProtocol protocol, out MqttReason error)
    {
        var reader = new WireReader(frame.Body);
        MqttReason reason = MqttReason.Success;
        MqttProperties? properties = null;
        bool auth = frame.Type == PacketType.Auth;
        if (protocol == MqttProtocol.V5)
        {
            reason = reader.Remaining > 0 ? (MqttReason)reader.Byte() : MqttReason.Success;
            properties = reader.Remaining > 0
                ? PropertyCodec.Read(ref reader, auth ? MqttProperties.Auth : MqttProperties.Disconnect) : null;
        }

        error = reader.End();
        bool known = auth ? reason is MqttReason.Success or MqttReason.ContinueAuthentication or MqttReason.ReAuthenticate
            : reason is MqttReason.Success or MqttReason.DisconnectWithWill
                or (>= MqttReason.UnspecifiedError and <= MqttReason.WildcardSubscriptionsNotSupported);
        if (error == MqttReason.Success && (!known || (auth && protocol != MqttProtocol.V5)))
        {
            error = MqttReason.MalformedPacket;
        }

        return error == MqttReason.Success ? new DisconnectPacket(reason, properties) : null;
    }

    public void Write(OutputBuffer output, PacketType type, MqttProtocol protocol)
    {
        bool five = protocol == MqttProtocol.V5;
        bool withProperties = five && Properties is not null;
        int body = (five && (withProperties || Reason != MqttReason.Success) ? 1 : 0)
            + (withProperties ? PropertyCodec.Length(Properties) : 0);
        WireWriter writer = WireWriter.Packet(output, type, 0, body);
        if (body > 0)
        {
            writer.Byte((byte)Reason);
        }

        if (withProperties)
        {
            PropertyCodec.Write(ref writer, Properties);
        }
    }
}

/// <summary>PINGREQ and PINGRESP: OASIS MQTT 5.0 sections 3.12 and 3.13.</summary>
internal static class PingPacket
{
    public static MqttReason Parse(PacketFrame frame) => frame.Body.IsEmpty ? MqttReason.Success : MqttReason.MalformedPacket;

    public static void Write(OutputBuffer output, PacketType type) => WireWriter.Packet(output, type, 0, 0);
}
