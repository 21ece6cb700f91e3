using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Session;

/// <summary>QoS 1 and 2 as the receiver of messages (OASIS MQTT 5.0 sections 4.3.2, 4.3.3 and 4.9).</summary>
internal sealed class ReceivingHalf
{
    private readonly HashSet<ushort> _received = []; // QoS 2 packet ids whose PUBREL is still to come
    private ConnectionTerms _terms;
    private int _unacked; // on this connection, against our receive maximum

    public void Attach(ConnectionTerms terms)
    {
        _terms = terms;
        _unacked = 0;
    }

    public void Clear() => _received.Clear();

    /// <summary>A PUBLISH of the peer with QoS 1 or 2. Not <paramref name="deliver"/>: a repeat that was delivered before (section 4.3.3).</summary>
    public MqttReason HandlePublish(in PublishView publish, OutputBuffer output, out bool deliver)
    {
        deliver = true;
        if (publish.Qos == 2 && !_received.Add(publish.PacketId))
        {
            deliver = false;
            new AckPacket(publish.PacketId).Write(output, PacketType.PubRec, _terms.Protocol);
            return MqttReason.Success;
        }

        // Section 3.3.4: more unacknowledged than we allowed. 3.1.1 knows no such bound.
        _unacked++;
        return _terms.Protocol == MqttProtocol.V5 && _unacked > _terms.ReceiveMaximum ? MqttReason.ReceiveMaximumExceeded : MqttReason.Success;
    }

    /// <summary>PUBACK or PUBREC for a message that has been delivered.</summary>
    public void Acknowledge(ushort packetId, byte qos, MqttReason reason, OutputBuffer output)
    {
        bool refused = reason >= MqttReason.UnspecifiedError;
        if (qos == 1 || refused)
        {
            _unacked--;
        }

        if (qos == 2 && refused && _terms.Protocol == MqttProtocol.V5)
        {
            _received.Remove(packetId);
        }

        new AckPacket(packetId, reason).Write(output, qos == 1 ? PacketType.PubAck : PacketType.PubRec, _terms.Protocol);
    }

    public void HandlePubRel(ushort packetId, OutputBuffer output)
    {
        bool known = _received.Remove(packetId);
        if (known && _unacked > 0)
        {
            _unacked--;
        }

        MqttReason reason = known || _terms.Protocol != MqttProtocol.V5 ? MqttReason.Success : MqttReason.PacketIdNotFound;
        new AckPacket(packetId, reason).Write(output, PacketType.PubComp, _terms.Protocol);
    }
}
