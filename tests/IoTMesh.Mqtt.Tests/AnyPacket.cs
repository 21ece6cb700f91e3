using System.Buffers;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Tests;

/// <summary>PUBLISH with everything that can stand on the wire, for comparing.</summary>
internal sealed record WholePublish(MqttMessage Message, PublishPacket Head);

/// <summary>One of the fifteen packets: decoded from bytes and encoded to bytes by its type.</summary>
internal sealed record AnyPacket(PacketType Type, object? Content)
{
    public static AnyPacket? Decode(ReadOnlyMemory<byte> bytes, MqttProtocol protocol, out MqttReason error)
    {
        var input = new ReadOnlySequence<byte>(bytes);
        var framer = new PacketFramer(1 << 20);
        if (!framer.TryRead(ref input, out PacketFrame frame, out error))
        {
            return null;
        }

        object? content = Parse(frame, protocol, out error);
        return error == MqttReason.Success ? new AnyPacket(frame.Type, content) : null;
    }

    public byte[] Encode(MqttProtocol protocol)
    {
        var output = new OutputBuffer();
        switch (Content)
        {
            case ConnectPacket connect:
                connect.Write(output);
                break;
            case ConnAckPacket answer:
                answer.Write(output, protocol);
                break;
            case WholePublish publish:
                publish.Head.Write(output, protocol, publish.Message);
                Assert.Equal(output.Count, publish.Head.Length(protocol, publish.Message));
                break;
            case AckPacket ack:
                ack.Write(output, Type, protocol);
                break;
            case SubscribePacket subscribe:
                subscribe.Write(output, protocol);
                break;
            case UnsubscribePacket unsubscribe:
                unsubscribe.Write(output, protocol);
                break;
            case SubAckPacket answer:
                answer.Write(output, Type, protocol);
                break;
            case DisconnectPacket disconnect:
                disconnect.Write(output, Type, protocol);
                break;
            default:
                PingPacket.Write(output, Type);
                break;
        }

        return output.Written.ToArray();
    }

    private static object? Parse(PacketFrame frame, MqttProtocol protocol, out MqttReason error)
    {
        switch (frame.Type)
        {
            case PacketType.Connect:
                return ConnectPacket.Parse(frame.Body, out error, out _);
            case PacketType.ConnAck:
                return ConnAckPacket.Parse(frame.Body, protocol, out error);
            case PacketType.Publish:
                error = PublishView.Parse(frame, protocol, out PublishView view);
                return error == MqttReason.Success ? Whole(in view) : null;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                error = AckPacket.Parse(frame, protocol, out AckPacket ack);
                return ack;
            case PacketType.Subscribe:
                return SubscribePacket.Parse(frame.Body, protocol, out error);
            case PacketType.Unsubscribe:
                return UnsubscribePacket.Parse(frame.Body, protocol, out error);
            case PacketType.SubAck or PacketType.UnsubAck:
                return SubAckPacket.Parse(frame, protocol, out error);
            case PacketType.Disconnect or PacketType.Auth:
                return DisconnectPacket.Parse(frame, protocol, out error);
            default:
                error = PingPacket.Parse(frame);
                return null;
        }
    }

    private static WholePublish Whole(in PublishView view)
    {
        var message = new MqttMessage(System.Text.Encoding.UTF8.GetString(view.Topic), view.Payload.ToArray(), view.Qos, view.Retain)
        {
            Properties = view.Properties,
        };
        return new WholePublish(message, new PublishPacket
        {
            Qos = view.Qos,
            Retain = view.Retain,
            Duplicate = view.Duplicate,
            PacketId = view.PacketId,
            ExpirySeconds = message.MessageExpirySeconds,
            SubscriptionIds = [.. message.SubscriptionIds],
            TopicAlias = (ushort)(view.Properties?.Number(PropertyId.TopicAlias) ?? 0),
        });
    }
}
