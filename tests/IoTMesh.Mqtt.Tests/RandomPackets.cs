using System.Text;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Tests;

/// <summary>Random valid packets from a seed.</summary>
internal sealed class RandomPackets(int seed)
{
    private readonly Random _random = new(seed);

    public AnyPacket Next(MqttProtocol protocol)
    {
        bool five = protocol == MqttProtocol.V5;
        PacketType type = (PacketType)_random.Next(1, five ? 16 : 15);
        object? content = type switch
        {
            PacketType.Connect => Connect(protocol),
            PacketType.ConnAck => new ConnAckPacket(five ? Pick(MqttReason.Success, MqttReason.Banned, MqttReason.ServerMoved)
                : Pick(MqttReason.Success, MqttReason.NotAuthorized, MqttReason.ClientIdNotValid), Flip(), Properties(five, MqttProperties.ConnAck)),
            PacketType.Publish => Publish(five),
            PacketType.PubAck or PacketType.PubRec =>
                new AckPacket(Id(), Pick(MqttReason.Success, five ? MqttReason.QuotaExceeded : default), Properties(five, MqttProperties.Ack)),
            PacketType.PubRel or PacketType.PubComp =>
                new AckPacket(Id(), Pick(MqttReason.Success, five ? MqttReason.PacketIdNotFound : default), Properties(five, MqttProperties.Ack)),
            PacketType.Subscribe => new SubscribePacket(Id(), Many(() => new SubscribeRow(Text(1), Options(five))),
                Properties(five, MqttProperties.Subscribe)),
            PacketType.Unsubscribe => new UnsubscribePacket(Id(), Many(() => Text(1)), Properties(five, MqttProperties.Unsubscribe)),
            PacketType.SubAck => new SubAckPacket(Id(), Many(() => Pick(MqttReason.Success, MqttReason.GrantedQos2, MqttReason.UnspecifiedError)),
                Properties(five, MqttProperties.Ack)),
            PacketType.UnsubAck => new SubAckPacket(Id(), five ? Many(() => Pick(MqttReason.Success, MqttReason.NoSubscriptionExisted)) : [],
                Properties(five, MqttProperties.Ack)),
            PacketType.Disconnect => new DisconnectPacket(five ? Pick(MqttReason.Success, MqttReason.DisconnectWithWill, MqttReason.ServerBusy)
                : MqttReason.Success, Properties(five, MqttProperties.Disconnect)),
            PacketType.Auth => new DisconnectPacket(Pick(MqttReason.Success, MqttReason.ReAuthenticate), Properties(five, MqttProperties.Auth)),
            _ => null,
        };
        return new AnyPacket(type, content);
    }

    private ConnectPacket Connect(MqttProtocol protocol)
    {
        bool five = protocol == MqttProtocol.V5;
        MqttProperties? properties = Properties(five, MqttProperties.Connect);
        if (properties?.Value(PropertyId.AuthMethod) is null)
        {
            properties = MqttProperties.With(properties, PropertyId.AuthData);
        }

        bool user = Flip();
        return new ConnectPacket
        {
            Protocol = protocol,
            CleanStart = Flip(),
            KeepAliveSeconds = (ushort)_random.Next(65_536),
            ClientId = Text(0),
            Properties = properties,
            Will = Flip() ? null : new MqttMessage(Text(1), Data(), (byte)_random.Next(3), Flip())
            {
                Properties = Properties(five, MqttProperties.Will),
            },
            UserName = user ? Text(0) : null,
            Password = (user || five) && Flip() ? Data() : null,
        };
    }

    private WholePublish Publish(bool five)
    {
        byte qos = (byte)_random.Next(3);
        MqttProperties? properties = Properties(five, MqttProperties.Publish & ~MqttProperties.Mask(
            PropertyId.SubscriptionId, PropertyId.TopicAlias, PropertyId.MessageExpiry));
        return new WholePublish(new MqttMessage(Text(1), Data()) { Properties = properties }, new PublishPacket
        {
            Qos = qos,
            Retain = Flip(),
            Duplicate = qos > 0 && Flip(),
            PacketId = qos > 0 ? Id() : (ushort)0,
            ExpirySeconds = five && Flip() ? Number(uint.MaxValue) : null,
            TopicAlias = five && Flip() ? Id() : (ushort)0,
            SubscriptionIds = five ? [.. Many(() => 1 + Number(WireWriter.VarIntMax - 1))] : null,
        });
    }

    private MqttProperties? Properties(bool five, ulong allowed)
    {
        if (!five || Flip())
        {
            return null;
        }

        var properties = new MqttProperties();
        foreach (PropertyId id in Enum.GetValues<PropertyId>().Where(id => (allowed >> (int)id & 1) != 0 && Flip()))
        {
            switch (MqttProperties.KindOf(id))
            {
                case PropertyKind.Byte:
                    properties.Add(id, Number(1));
                    break;
                case PropertyKind.UInt16:
                    properties.Add(id, 1 + Number(65_534));
                    break;
                case PropertyKind.UInt32:
                    properties.Add(id, 1 + Number(uint.MaxValue - 1));
                    break;
                case PropertyKind.VarInt:
                    properties.Add(id, 1 + Number(WireWriter.VarIntMax - 1));
                    break;
                case PropertyKind.Text:
                    properties.Add(id, Text(1));
                    break;
                case PropertyKind.Binary:
                    properties.Add(id, Data());
                    break;
                default:
                    Many(() => properties.Add(id, Text(0), Text(0)));
                    break;
            }
        }

        return properties.Items.IsEmpty ? null : properties;
    }

    private byte Options(bool five) => (byte)(_random.Next(3) | (five ? (_random.Next(4) << 2) | (_random.Next(3) << 4) : 0));

    private bool Flip() => _random.Next(2) == 0;

    private ushort Id() => (ushort)_random.Next(1, 65_536);

    private T Pick<T>(params T[] values) => values[_random.Next(values.Length)];

    private List<T> Many<T>(Func<T> make) => [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => make())];

    // All sizes, small ones as likely as large ones.
    private uint Number(uint max) => (uint)_random.NextInt64(0, Math.Min(max, 1L << _random.Next(33)) + 1);

    private byte[] Data()
    {
        var data = new byte[_random.Next(4) == 0 ? _random.Next(300) : _random.Next(8)];
        _random.NextBytes(data);
        return data;
    }

    private string Text(int charsMin)
    {
        string[] alphabet = ["a", "b", "/", "0", "ä", "€", "𝄞", " "];
        var text = new StringBuilder();
        int count = charsMin + (_random.Next(8) == 0 ? _random.Next(200) : _random.Next(6));
        for (int i = 0; i < count; i++)
        {
            text.Append(Pick(alphabet));
        }

        return text.ToString();
    }
}
