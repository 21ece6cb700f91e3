using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Tests;

/// <summary>The broker goes away and comes back.</summary>
public sealed class ReconnectTests
{
    private static readonly TimeSpan _soon = TimeSpan.FromMilliseconds(50);

    [NeedsTheory("mosquitto")]
    [InlineData(MqttProtocol.V311)]
    [InlineData(MqttProtocol.V5)]
    public async Task Comes_back_to_a_mosquitto_that_was_killed_and_subscribes_again(MqttProtocol protocol)
    {
        (RunningProgram first, int port) = await RunningProgram.MosquittoAsync();
        await using TestClient client = await TestClient.ConnectAsync(Options(port) with { Protocol = protocol });
        await client.Client.SubscribeAsync("a/#", 1);
        await client.PublishAsync("a/1", "x", 1);
        Assert.Equal("a/1=x q1", await client.NextTextAsync());
        first.Kill();
        await first.DisposeAsync();
        (bool connected, string text) = await client.Changes.NextAsync();
        Assert.False(connected);
        Assert.Contains($"127.0.0.1:{port}", text);
        await Assert.ThrowsAsync<MqttException>(() => client.PublishAsync("a/2", "lost", 1));

        (RunningProgram second, _) = await RunningProgram.MosquittoAsync(port);
        await using RunningProgram running = second;
        await NextConnectedAsync(client);
        await client.PublishAsync("a/3", "y", 1);
        Assert.Equal("a/3=y q1", await client.NextTextAsync());
    }

    [Fact]
    public async Task Comes_back_to_our_broker_which_has_published_its_Will_and_kept_retained_messages()
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0 });
        await broker.StartAsync();
        await using TestClient watcher = await TestClient.ConnectAsync(broker.Port);
        await watcher.Client.SubscribeAsync("state/#", 1);
        await using TestClient client = await TestClient.ConnectAsync(Options(broker.Port) with
        {
            ClientId = "gw",
            Will = new MqttMessage("state/gw", "offline"u8.ToArray(), 1, true),
        });
        await client.PublishAsync("state/gw", "online", 1, retain: true);
        Assert.Equal("state/gw=online q1", await watcher.NextTextAsync());
        using (await RawClient.ConnectAsync(broker.Port, new ConnectPacket { ClientId = "gw" }))
        {
            Assert.Equal("state/gw=offline q1", await watcher.NextTextAsync());
            (bool connected, string text) = await client.Changes.NextAsync();
            Assert.False(connected);
            Assert.Contains("session taken over (0x8E)", text);
            await NextConnectedAsync(client);
        }

        await using TestClient late = await TestClient.ConnectAsync(broker.Port);
        await late.Client.SubscribeAsync("state/#", 1);
        Assert.Equal("state/gw=offline q1 r", await late.NextTextAsync());
    }

    [Theory]
    [InlineData(MqttProtocol.V311)]
    [InlineData(MqttProtocol.V5)]
    public async Task A_kept_session_finishes_what_was_in_flight_when_the_connection_was_cut(MqttProtocol protocol)
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0 });
        await broker.StartAsync();
        await using var line = new CuttableLine(broker.Port);
        await using TestClient subscriber = await TestClient.ConnectAsync(broker.Port);
        await subscriber.Client.SubscribeAsync("n", 2);
        await using TestClient client = await TestClient.ConnectAsync(Options(line.Port) with
        {
            Protocol = protocol,
            ClientId = "kept",
            CleanStart = false,
            SessionExpirySeconds = 60,
        });
        for (int round = 0; round < 3; round++)
        {
            Task[] publishes = [.. Enumerable.Range(0, 2_000).Select(i => client.PublishAsync("n", $"{i}", 2))];
            line.Cut();
            await Task.WhenAll(publishes).WaitAsync(TimeSpan.FromSeconds(20)); // none fails, all are acknowledged
            for (int i = 0; i < publishes.Length; i++)
            {
                Assert.Equal($"n={i} q2", await subscriber.NextTextAsync());
            }

            await NextConnectedAsync(client);
        }

        await subscriber.Received.NothingAsync(50);
    }

    [Fact]
    public async Task Without_a_kept_session_what_was_in_flight_fails_with_a_sentence()
    {
        using var silent = new SilentBroker();
        await using TestClient client = await TestClient.ConnectAsync(Options(silent.Port));
        Task publish = client.PublishAsync("n", "x", 1);
        silent.Drop();
        var e = await Assert.ThrowsAsync<MqttException>(() => publish.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Contains("may or may not have arrived", e.Message);
    }

    [Fact]
    public async Task Handlers_that_throw_do_not_end_the_client()
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0 });
        await broker.StartAsync();
        var said = new Arrivals<string>();
        var received = new Arrivals<string>();
        await using var client = new MqttClient(Options(broker.Port) with { Log = said.Add });
        client.ConnectionChanged += (_, _) => throw new InvalidOperationException("no change, please");
        client.MessageReceived = message =>
        {
            received.Add(message.Topic);
            throw new InvalidOperationException("no message, please");
        };
        await client.SubscribeAsync("a/#", 1);
        client.Start();
        Assert.Contains("no change, please", await said.NextAsync());
        await client.PublishAsync(new MqttMessage("a/1", default, 1));
        await client.PublishAsync(new MqttMessage("a/2", default, 1));
        Assert.Equal("a/1", await received.NextAsync());
        Assert.Equal("a/2", await received.NextAsync());
        Assert.Contains("no message, please", await said.NextAsync());
    }

    [Fact]
    public async Task A_broker_that_does_not_answer_pings_is_left()
    {
        using var silent = new SilentBroker();
        await using TestClient client = await TestClient.ConnectAsync(Options(silent.Port) with { KeepAliveSeconds = 1 });
        (bool connected, string text) = await client.Changes.NextAsync();
        Assert.False(connected);
        Assert.Contains("has not answered a ping", text);
    }

    [Fact]
    public async Task A_broker_that_refuses_is_named_with_its_reason()
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0, Users = new Dictionary<string, string> { ["u"] = "right" } });
        await broker.StartAsync();
        foreach (MqttProtocol protocol in Enum.GetValues<MqttProtocol>())
        {
            await using TestClient wrong = TestClient.Start(Options(broker.Port) with { UserName = "u", Password = "wrong", Protocol = protocol });
            (bool connected, string text) = await wrong.Changes.NextAsync();
            Assert.False(connected);
            Assert.Contains("bad user name or password (0x86)", text);
            await using TestClient none = TestClient.Start(Options(broker.Port) with { Protocol = protocol });
            Assert.Contains("bad user name or password (0x86)", (await none.Changes.NextAsync()).Text);
            await using TestClient right = await TestClient.ConnectAsync(
                Options(broker.Port) with { UserName = "u", Password = "right", Protocol = protocol });
        }
    }

    private static MqttClientOptions Options(int port) => new() { Port = port, ReconnectMin = _soon, ReconnectMax = _soon * 4 };

    private static async Task NextConnectedAsync(TestClient client)
    {
        while (!(await client.Changes.NextAsync()).Connected)
        {
        }
    }
}
