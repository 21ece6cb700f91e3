using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Tests;

/// <summary>Speaks packets, also wrong ones, where a test needs to see each of them.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly MqttProtocol _protocol;
    private byte[] _received = [];

    private RawClient(MqttProtocol protocol) => _protocol = protocol;

    public static async Task<RawClient> OpenAsync(int port, MqttProtocol protocol = MqttProtocol.V5)
    {
        var client = new RawClient(protocol);
        await client._socket.ConnectAsync(IPAddress.Loopback, port);
        return client;
    }

    /// <summary>Connected and accepted.</summary>
    public static async Task<RawClient> ConnectAsync(int port, ConnectPacket connect)
    {
        RawClient client = await OpenAsync(port, connect.Protocol);
        await client.SendAsync(new AnyPacket(PacketType.Connect, connect));
        ConnAckPacket answer = await client.NextAsync<ConnAckPacket>();
        Assert.Equal(MqttReason.Success, answer.Reason);
        client.SessionPresent = answer.SessionPresent;
        client.Answer = answer;
        return client;
    }

    public bool SessionPresent { get; private set; }

    public ConnAckPacket? Answer { get; private set; }

    public Task SendAsync(AnyPacket packet) => SendAsync(packet.Encode(_protocol));

    public async Task SendAsync(byte[] bytes) => await _socket.SendAsync(bytes);

    public Task SendHexAsync(string hex) => SendAsync(GoldenBytesTests.Bytes(hex));

    public Task PublishAsync(string topic, string text, byte qos = 0, ushort id = 0, bool retain = false, MqttProperties? properties = null) =>
        SendAsync(new AnyPacket(PacketType.Publish, new WholePublish(
            new MqttMessage(topic, Encoding.UTF8.GetBytes(text)) { Properties = properties },
            new PublishPacket
            {
                Qos = qos,
                PacketId = id,
                Retain = retain,
                ExpirySeconds = properties?.Number(PropertyId.MessageExpiry),
                TopicAlias = (ushort)(properties?.Number(PropertyId.TopicAlias) ?? 0),
            })));

    public async Task<MqttReason[]> SubscribeAsync(string filter, byte options, uint id = 0)
    {
        MqttProperties? properties = id == 0 ? null : new MqttProperties().Add(PropertyId.SubscriptionId, id);
        await SendAsync(new AnyPacket(PacketType.Subscribe, new SubscribePacket(77, [new SubscribeRow(filter, options)], properties)));
        while (true)
        {
            AnyPacket? packet = await NextAsync();
            if (packet?.Content is SubAckPacket answer)
            {
                return [.. answer.Reasons];
            }

            Early.Add(packet!);
        }
    }

    /// <summary>What came before a SUBACK.</summary>
    public List<AnyPacket> Early { get; } = [];

    public Task AckAsync(PacketType type, ushort id) => SendAsync(new AnyPacket(type, new AckPacket(id)));

    /// <summary>The next packet; null: the broker closed the connection.</summary>
    public async Task<AnyPacket?> NextAsync(int timeoutMs = 10_000)
    {
        using var timeout = new CancellationTokenSource(timeoutMs);
        while (true)
        {
            if (TryCut(out byte[] bytes))
            {
                AnyPacket? packet = AnyPacket.Decode(bytes, _protocol, out MqttReason error);
                Assert.True(packet is not null, $"{error}: {Convert.ToHexString(bytes)}");
                return packet;
            }

            var buffer = new byte[65_536];
            int count;
            try
            {
                count = await _socket.ReceiveAsync(buffer, timeout.Token);
            }
            catch (SocketException)
            {
                return null;
            }

            if (count == 0)
            {
                return null;
            }

            _received = [.. _received, .. buffer.AsSpan(0, count)];
        }
    }

    public async Task<T> NextAsync<T>(int timeoutMs = 10_000)
    {
        AnyPacket? packet = await NextAsync(timeoutMs);
        Assert.True(packet?.Content is T, $"{typeof(T).Name} expected, but came: {packet}");
        return (T)packet!.Content!;
    }

    /// <summary>Topic, text, QoS and flags of the next PUBLISH.</summary>
    public async Task<string> NextTextAsync() => Text(await NextAsync<WholePublish>());

    public static string Text(WholePublish publish) =>
        $"{publish.Message.Topic}={Encoding.UTF8.GetString(publish.Message.Payload.Span)} q{publish.Head.Qos}"
        + (publish.Head.Retain ? " r" : "") + (publish.Head.Duplicate ? " d" : "");

    /// <summary>The broker says DISCONNECT with this reason and closes.</summary>
    public async Task ExpectDisconnectAsync(MqttReason reason)
    {
        Assert.Equal(reason, (await NextAsync<DisconnectPacket>()).Reason);
        Assert.Null(await NextAsync());
    }

    /// <summary>Waits until the broker has dealt with all that was sent: reads on to the answer to a ping.</summary>
    public async Task FlushAsync()
    {
        await SendAsync(new AnyPacket(PacketType.PingReq, null));
        for (AnyPacket? next = await NextAsync(); next?.Type != PacketType.PingResp; next = await NextAsync())
        {
            Assert.NotNull(next);
        }
    }

    /// <summary>Nothing is on its way: the answer to a ping is the next packet.</summary>
    public async Task ExpectNothingAsync()
    {
        await SendAsync(new AnyPacket(PacketType.PingReq, null));
        AnyPacket? next = await NextAsync();
        Assert.Equal(PacketType.PingResp, next?.Type);
    }

    /// <summary>Breaks off without DISCONNECT.</summary>
    public void Dispose() => _socket.Dispose();

    private bool TryCut(out byte[] bytes)
    {
        bytes = [];
        var input = new ReadOnlySequence<byte>(_received);
        if (!new PacketFramer(1 << 24).TryRead(ref input, out _, out _))
        {
            return false;
        }

        bytes = _received[..(_received.Length - (int)input.Length)];
        _received = input.ToArray();
        return true;
    }
}
