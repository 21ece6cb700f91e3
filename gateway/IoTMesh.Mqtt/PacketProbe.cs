using System.Buffers;
using IoTMesh.Mqtt.Client;
using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt;

/// <summary>
/// The parsers of this library without a socket, for fuzzing: bytes in, a number that tells what became of them out. What a peer may send
/// never throws here. Not thread-safe.
/// </summary>
public static class PacketProbe
{
    private const int PacketBytesMax = 64 * 1024;

    /// <summary>Cuts a stream into packets and parses each, whatever side it is meant for.</summary>
    /// <returns>A hash of packet types and reasons.</returns>
    public static ulong Decode(ReadOnlyMemory<byte> stream, MqttProtocol protocol)
    {
        var input = new ReadOnlySequence<byte>(stream);
        var framer = new PacketFramer(PacketBytesMax);
        ulong hash = 17;
        MqttReason error;
        while (framer.TryRead(ref input, out PacketFrame frame, out error))
        {
            error = Parse(frame, protocol);
            hash = Mix(hash, (ulong)frame.Type | ((ulong)error << 8));
            if (error != MqttReason.Success)
            {
                return hash;
            }
        }

        return Mix(hash, (ulong)error);
    }

    /// <summary>A client with a connection that has one message of each QoS and a subscription under way gets these bytes from its broker.</summary>
    /// <returns>A hash of what they brought about.</returns>
    public static ulong Answer(ReadOnlyMemory<byte> stream, MqttProtocol protocol)
    {
        var core = new ClientCore(new MqttClientOptions { ClientId = "probe", Protocol = protocol });
        var output = new OutputBuffer();
        core.Begin(1, output);
        var input = new ReadOnlySequence<byte>(stream);
        var framer = new PacketFramer(PacketBytesMax);
        ulong hash = 19;
        MqttReason error;
        while (framer.TryRead(ref input, out PacketFrame frame, out error))
        {
            ClientEvent happened = core.Handle(2, frame);
            hash = Mix(hash, (ulong)frame.Type | ((ulong)happened.Kind << 8) | ((ulong)happened.Reason << 16));
            if (happened.Kind == ClientEventKind.Ended)
            {
                break;
            }

            if (happened.Kind == ClientEventKind.Connected)
            {
                for (byte qos = 0; qos <= 2; qos++)
                {
                    core.Publish(3, new MqttMessage("probe", new byte[] { qos }, qos), new object(), out _);
                }
            }

            core.HandleTimeout(4);
        }

        core.End();
        return Mix(Mix(hash, (ulong)error), (uint)core.Session.Completions.Count | ((ulong)(uint)core.Session.InFlight << 8));
    }

    private static MqttReason Parse(PacketFrame frame, MqttProtocol protocol)
    {
        MqttReason error;
        switch (frame.Type)
        {
            case PacketType.Connect:
                ConnectPacket.Parse(frame.Body, out error, out _);
                return error;
            case PacketType.ConnAck:
                ConnAckPacket.Parse(frame.Body, protocol, out error);
                return error;
            case PacketType.Publish:
                return PublishView.Parse(frame, protocol, out _);
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                return AckPacket.Parse(frame, protocol, out _);
            case PacketType.Subscribe:
                SubscribePacket.Parse(frame.Body, protocol, out error);
                return error;
            case PacketType.Unsubscribe:
                UnsubscribePacket.Parse(frame.Body, protocol, out error);
                return error;
            case PacketType.SubAck or PacketType.UnsubAck:
                SubAckPacket.Parse(frame, protocol, out error);
                return error;
            case PacketType.Disconnect or PacketType.Auth:
                DisconnectPacket.Parse(frame, protocol, out error);
                return error;
            default:
                return PingPacket.Parse(frame);
        }
    }

    private static ulong Mix(ulong hash, ulong part) => (hash ^ part) * 1099511628211UL;
}
