using System.IO.Pipelines;
using IoTMesh.Mqtt.Broker;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Tests;

/// <summary>Clients that do not read, do not speak MQTT, or come in too great a number.</summary>
public sealed class HostileClientTests
{
    [Fact]
    public async Task A_subscriber_that_does_not_read_loses_messages_and_costs_bounded_memory_and_nobody_else_anything()
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions
        {
            Port = 0,
            OutputBytesMax = 64 * 1024,
            QueuedMessagesMax = 50,
            SendMaximum = 20,
        });
        await broker.StartAsync();
        using RawClient slow = await RawClient.ConnectAsync(broker.Port, new ConnectPacket { ClientId = "slow" });
        await slow.SubscribeAsync("n/#", 1);
        await using TestClient fast = await TestClient.ConnectAsync(broker.Port);
        await fast.Client.SubscribeAsync("n/last", 1);
        await using TestClient publisher = await TestClient.ConnectAsync(broker.Port);
        string text = new('x', 10_000);
        for (int i = 0; i < 2_000; i++)
        {
            await publisher.PublishAsync("n/zero", text);
        }

        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => publisher.PublishAsync("n/one", "1", 1)));
        await publisher.PublishAsync("n/last", "done", 1);
        Assert.Equal("n/last=done q1", await fast.NextTextAsync());
        MqttBrokerCounters counters = broker.Counters;
        Assert.InRange(counters.DroppedSlow, 1, 1_999);
        Assert.InRange(counters.DroppedQueueFull, 100, 200);
    }

    [Fact]
    public async Task Random_streams_end_their_connections_and_leave_the_broker_working()
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0, ClientsMax = 5_000, SessionExpirySecondsMax = 0 });
        await broker.StartAsync();
        var random = new Random(21);
        var packets = new RandomPackets(21);
        for (int i = 0; i < 3_000; i++)
        {
            MqttProtocol protocol = random.Next(2) == 0 ? MqttProtocol.V5 : MqttProtocol.V311;
            var connect = new AnyPacket(PacketType.Connect, new ConnectPacket { Protocol = protocol, ClientId = $"{i}" });
            var stream = new List<byte>(connect.Encode(protocol));
            for (int count = random.Next(1, 6); count > 0; count--)
            {
                byte[] bytes = packets.Next(protocol).Encode(protocol);
                stream.AddRange(random.Next(3) == 0 ? CodecPropertyTests.Mutate(bytes, random) : bytes);
            }

            await FeedAsync(broker, [.. stream]);
        }

        await BrokerRulesTests.Until(() => broker.Counters.Clients == 0);
        Assert.Equal(0, broker.Counters.Sessions);
        Assert.InRange(broker.Counters.Malformed, 500, 3_000);
        await using TestClient client = await TestClient.ConnectAsync(broker.Port);
        await client.Client.SubscribeAsync("a", 2);
        await client.PublishAsync("a", "alive", 2);
        Assert.Equal("a=alive q2", await client.NextTextAsync());
    }

    [Fact]
    public async Task One_client_too_many_is_refused_and_one_that_says_nothing_is_let_go()
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0, ClientsMax = 1, ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        await broker.StartAsync();
        using RawClient one = await RawClient.ConnectAsync(broker.Port, new ConnectPacket { ClientId = "one" });
        using RawClient two = await RawClient.OpenAsync(broker.Port);
        await two.SendAsync(new AnyPacket(PacketType.Connect, new ConnectPacket { ClientId = "two" }));
        Assert.Equal(MqttReason.QuotaExceeded, (await two.NextAsync<ConnAckPacket>()).Reason);
        using RawClient mute = await RawClient.OpenAsync(broker.Port);
        Assert.Null(await mute.NextAsync());
        await one.ExpectNothingAsync();
    }

    // The connection without a socket: all input is there at once, then the client hangs up.
    private static async Task FeedAsync(MqttBroker broker, byte[] bytes)
    {
        var input = new Pipe();
        var output = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await input.Writer.WriteAsync(bytes);
        await input.Writer.CompleteAsync();
        var connection = new BrokerConnection(broker, input.Reader, output.Writer, null, () => { });
        await connection.RunAsync().WaitAsync(TimeSpan.FromSeconds(10));
        await output.Writer.CompleteAsync();
        await output.Reader.CompleteAsync();
    }
}
