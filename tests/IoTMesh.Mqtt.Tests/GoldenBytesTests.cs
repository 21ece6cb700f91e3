using System.Text;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Tests;

/// <summary>Each packet against bytes written by hand from the tables of the OASIS standards.</summary>
public sealed class GoldenBytesTests
{
    public static TheoryData<string> Names => [.. _golden.Keys];

    private static readonly Dictionary<string, (MqttProtocol Protocol, string Hex, AnyPacket Packet)> _golden = Make();

    [Theory]
    [MemberData(nameof(Names))]
    public void Encodes_to_the_bytes_of_the_standard(string name)
    {
        (MqttProtocol protocol, string hex, AnyPacket packet) = _golden[name];
        Assert.Equal(Bytes(hex), packet.Encode(protocol));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Decodes_and_encodes_again_to_the_same_bytes(string name)
    {
        (MqttProtocol protocol, string hex, AnyPacket packet) = _golden[name];
        AnyPacket? decoded = AnyPacket.Decode(Bytes(hex), protocol, out MqttReason error);
        Assert.Equal(MqttReason.Success, error);
        Assert.Equal(packet.Type, decoded!.Type);
        Assert.Equal(Bytes(hex), decoded.Encode(protocol));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Waits_for_the_last_byte(string name)
    {
        (MqttProtocol protocol, string hex, _) = _golden[name];
        byte[] bytes = Bytes(hex);
        for (int count = 0; count < bytes.Length; count++)
        {
            Assert.Null(AnyPacket.Decode(bytes.AsMemory(0, count), protocol, out MqttReason error));
            Assert.Equal(MqttReason.Success, error); // not broken: not all there yet
        }
    }

    [Fact]
    public void Covers_every_packet_type() =>
        Assert.Equal(Enum.GetValues<PacketType>(), _golden.Values.Select(g => g.Packet.Type).Distinct().Order());

    [Fact]
    public void Reads_the_fields_of_a_CONNECT()
    {
        (_, string hex, _) = _golden["CONNECT 5"];
        var connect = (ConnectPacket)AnyPacket.Decode(Bytes(hex), MqttProtocol.V5, out _)!.Content!;
        Assert.Equal(("c1", true, 10, "u"), (connect.ClientId, connect.CleanStart, connect.KeepAliveSeconds, connect.UserName));
        Assert.Equal("p"u8.ToArray(), connect.Password);
        Assert.Equal(("w", (byte)2, true, 5u), (connect.Will!.Topic, connect.Will.Qos, connect.Will.Retain, connect.Will.WillDelaySeconds));
        Assert.Equal(300u, connect.Properties!.Number(PropertyId.SessionExpiry));
    }

    [Fact]
    public void Reads_the_fields_of_a_PUBLISH()
    {
        (_, string hex, _) = _golden["PUBLISH 5, all properties"];
        MqttMessage message = ((WholePublish)AnyPacket.Decode(Bytes(hex), MqttProtocol.V5, out _)!.Content!).Message;
        Assert.Equal(("a/b", (byte)1, true), (message.Topic, message.Qos, message.Retain));
        Assert.Equal((60u, "json", "r", true), (message.MessageExpirySeconds, message.ContentType, message.ResponseTopic, message.IsText));
        Assert.Equal([1, 2], message.CorrelationData.ToArray());
        Assert.Equal([new("k", "v"), new("k", "w")], message.UserProperties);
        Assert.Equal([3u, 200u], message.SubscriptionIds);
        Assert.Equal("hi", Encoding.UTF8.GetString(message.Payload.Span));
    }

    // Section 1.5.5, table 1-1.
    [Theory]
    [InlineData(0u, "00")]
    [InlineData(127u, "7F")]
    [InlineData(128u, "8001")]
    [InlineData(16_383u, "FF7F")]
    [InlineData(16_384u, "808001")]
    [InlineData(2_097_151u, "FFFF7F")]
    [InlineData(2_097_152u, "80808001")]
    [InlineData(268_435_455u, "FFFFFF7F")]
    public void Writes_variable_byte_integers_in_the_shortest_form(uint value, string hex)
    {
        var bytes = new byte[WireWriter.VarIntLength(value)];
        new WireWriter(bytes).VarInt(value);
        Assert.Equal(hex, Convert.ToHexString(bytes));
        Assert.Equal(value, new WireReader(bytes).VarInt());
    }

    internal static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", ""));

    private static Dictionary<string, (MqttProtocol Protocol, string Hex, AnyPacket Packet)> Make()
    {
        const MqttProtocol Old = MqttProtocol.V311;
        const MqttProtocol New = MqttProtocol.V5;
        var reasonAndUser = new MqttProperties().Add(PropertyId.ReasonString, "no").Add(PropertyId.UserProperty, "v", "k");
        var golden = new Dictionary<string, (MqttProtocol, string, AnyPacket)>(MakeAcks())
        {
            ["CONNECT 3.1.1"] = (Old, "10 0E 0004 4D515454 04 02 003C 0002 6331",
                new(PacketType.Connect, new ConnectPacket { Protocol = Old, KeepAliveSeconds = 60, ClientId = "c1" })),
            ["CONNECT 5"] = (New, "10 28 0004 4D515454 05 F6 000A 05 11 0000012C 0002 6331 05 18 00000005 0001 77 0003 627965 0001 75 0001 70",
                new(PacketType.Connect, new ConnectPacket
                {
                    KeepAliveSeconds = 10,
                    ClientId = "c1",
                    Properties = new MqttProperties().Add(PropertyId.SessionExpiry, 300),
                    Will = new MqttMessage("w", "bye"u8.ToArray(), 2, true) { WillDelaySeconds = 5 },
                    UserName = "u",
                    Password = "p"u8.ToArray(),
                })),
            ["CONNACK 3.1.1"] = (Old, "20 02 00 05", new(PacketType.ConnAck, new ConnAckPacket(MqttReason.NotAuthorized))),
            ["CONNACK 5"] = (New, "20 06 01 00 03 21 000A", new(PacketType.ConnAck,
                new ConnAckPacket(MqttReason.Success, true, new MqttProperties().Add(PropertyId.ReceiveMaximum, 10)))),
            ["PUBLISH 3.1.1 QoS 0"] = (Old, "30 07 0003 612F62 6869", Publish(new MqttMessage("a/b", "hi"u8.ToArray()), new PublishPacket())),
            ["PUBLISH 3.1.1 QoS 2 repeated"] = (Old, "3D 09 0003 612F62 000A 6869", Publish(new MqttMessage("a/b", "hi"u8.ToArray()),
                new PublishPacket { Qos = 2, Retain = true, Duplicate = true, PacketId = 10 })),
            ["PUBLISH 5 without properties"] = (New, "32 0A 0003 612F62 0001 00 6869", Publish(new MqttMessage("a/b", "hi"u8.ToArray()),
                new PublishPacket { Qos = 1, PacketId = 1 })),
            ["PUBLISH 5, all properties"] = (New,
                "33 37 0003 612F62 0001 2D 02 0000003C 23 0007 01 01 03 0004 6A736F6E 08 0001 72 09 0002 0102 "
                    + "26 0001 6B 0001 76 26 0001 6B 0001 77 0B 03 0B C801 6869",
                Publish(new MqttMessage("a/b", "hi"u8.ToArray())
                {
                    IsText = true,
                    ContentType = "json",
                    ResponseTopic = "r",
                    CorrelationData = new byte[] { 1, 2 },
                    UserProperties = [new("k", "v"), new("k", "w")],
                },
                new PublishPacket { Qos = 1, Retain = true, PacketId = 1, ExpirySeconds = 60, TopicAlias = 7, SubscriptionIds = [3, 200] })),
            ["PUBLISH 5, alias alone"] = (New, "30 08 0000 03 23 0007 6869", Publish(new MqttMessage("", "hi"u8.ToArray()),
                new PublishPacket { TopicAlias = 7, OmitTopic = true })),
            ["SUBSCRIBE 3.1.1"] = (Old, "82 0E 000A 0003 612F62 01 0003 632F64 02",
                new(PacketType.Subscribe, new SubscribePacket(10, [new("a/b", 1), new("c/d", 2)]))),
            ["SUBSCRIBE 5"] = (New, "82 0B 000A 02 0B 05 0003 612F23 2D", new(PacketType.Subscribe,
                new SubscribePacket(10, [new("a/#", 0x2D)], new MqttProperties().Add(PropertyId.SubscriptionId, 5)))),
            ["SUBACK 3.1.1"] = (Old, "90 04 000A 01 80",
                new(PacketType.SubAck, new SubAckPacket(10, [MqttReason.GrantedQos1, MqttReason.NotAuthorized]))),
            ["SUBACK 5"] = (New, "90 05 000A 00 02 87",
                new(PacketType.SubAck, new SubAckPacket(10, [MqttReason.GrantedQos2, MqttReason.NotAuthorized]))),
            ["UNSUBSCRIBE 3.1.1"] = (Old, "A2 07 000A 0003 612F62", new(PacketType.Unsubscribe, new UnsubscribePacket(10, ["a/b"]))),
            ["UNSUBSCRIBE 5"] = (New, "A2 0F 000A 07 26 0001 6B 0001 76 0003 612F62", new(PacketType.Unsubscribe,
                new UnsubscribePacket(10, ["a/b"], new MqttProperties().Add(PropertyId.UserProperty, "v", "k")))),
            ["UNSUBACK 3.1.1"] = (Old, "B0 02 000A", new(PacketType.UnsubAck, new SubAckPacket(10, []))),
            ["UNSUBACK 5"] = (New, "B0 04 000A 00 11",
                new(PacketType.UnsubAck, new SubAckPacket(10, [MqttReason.NoSubscriptionExisted]))),
            ["PINGREQ"] = (New, "C0 00", new(PacketType.PingReq, null)),
            ["PINGRESP"] = (Old, "D0 00", new(PacketType.PingResp, null)),
            ["DISCONNECT 3.1.1"] = (Old, "E0 00", new(PacketType.Disconnect, new DisconnectPacket())),
            ["DISCONNECT 5, normal"] = (New, "E0 00", new(PacketType.Disconnect, new DisconnectPacket())),
            ["DISCONNECT 5"] = (New, "E0 0E 8E 0C 1F 0002 6E6F 26 0001 6B 0001 76",
                new(PacketType.Disconnect, new DisconnectPacket(MqttReason.SessionTakenOver, reasonAndUser))),
            ["AUTH 5"] = (New, "F0 0C 18 0A 15 0001 6D 16 0003 010203", new(PacketType.Auth, new DisconnectPacket(
                MqttReason.ContinueAuthentication,
                new MqttProperties().Add(PropertyId.AuthMethod, "m").Add(PropertyId.AuthData, new byte[] { 1, 2, 3 })))),
        };
        return golden;
    }

    private static Dictionary<string, (MqttProtocol Protocol, string Hex, AnyPacket Packet)> MakeAcks()
    {
        const MqttProtocol Old = MqttProtocol.V311;
        const MqttProtocol New = MqttProtocol.V5;
        var reasonAndUser = new MqttProperties().Add(PropertyId.ReasonString, "no").Add(PropertyId.UserProperty, "v", "k");
        var golden = new Dictionary<string, (MqttProtocol, string, AnyPacket)>();
        // Tables of sections 3.4 to 3.7: one layout, a flag bit for PUBREL.
        foreach ((PacketType type, string first) in new[]
        {
            (PacketType.PubAck, "40"), (PacketType.PubRec, "50"), (PacketType.PubRel, "62"), (PacketType.PubComp, "70"),
        })
        {
            MqttReason reason = type is PacketType.PubAck or PacketType.PubRec ? MqttReason.QuotaExceeded : MqttReason.PacketIdNotFound;
            golden[$"{type} 3.1.1"] = (Old, $"{first} 02 000A", new(type, new AckPacket(10)));
            golden[$"{type} 5"] = (New, $"{first} 02 000A", new(type, new AckPacket(10)));
            golden[$"{type} 5 with reason"] = (New, $"{first} 03 000A {(byte)reason:X2}", new(type, new AckPacket(10, reason)));
            golden[$"{type} 5 with properties"] = (New, $"{first} 10 000A {(byte)reason:X2} 0C 1F 0002 6E6F 26 0001 6B 0001 76",
                new(type, new AckPacket(10, reason, reasonAndUser)));
        }

        return golden;
    }

    private static AnyPacket Publish(MqttMessage message, PublishPacket head) => new(PacketType.Publish, new WholePublish(message, head));
}
