using System.Text;

namespace IoTMesh.Mqtt.Tests;

public sealed class ClientAndBrokerTests
{
    [Theory]
    [InlineData(MqttProtocol.V311)]
    [InlineData(MqttProtocol.V5)]
    public async Task Delivers_with_the_lower_quality_of_publisher_and_subscriber(MqttProtocol protocol)
    {
        await using MqttBroker broker = await StartAsync();
        await using TestClient subscriber = await TestClient.ConnectAsync(broker.Port, protocol);
        await using TestClient publisher = await TestClient.ConnectAsync(broker.Port, protocol);
        for (byte granted = 0; granted <= 2; granted++)
        {
            await subscriber.Client.SubscribeAsync($"a/{granted}/#", granted);
            for (byte qos = 0; qos <= 2; qos++)
            {
                await publisher.PublishAsync($"a/{granted}/{qos}", "x", qos);
                Assert.Equal($"a/{granted}/{qos}=x q{Math.Min(granted, qos)}", await subscriber.NextTextAsync());
            }
        }
    }

    [Fact]
    public async Task Keeps_the_order_of_many_publishes_in_flight()
    {
        await using MqttBroker broker = await StartAsync();
        await using TestClient subscriber = await TestClient.ConnectAsync(broker.Port);
        await using TestClient publisher = await TestClient.ConnectAsync(broker.Port);
        for (byte qos = 1; qos <= 2; qos++)
        {
            await subscriber.Client.SubscribeAsync("n", qos);
            byte level = qos;
            Task[] all = [.. Enumerable.Range(0, 5_000).Select(i => publisher.PublishAsync("n", $"{i}", level))];
            await Task.WhenAll(all);
            for (int i = 0; i < all.Length; i++)
            {
                Assert.Equal($"n={i} q{qos}", await subscriber.NextTextAsync());
            }
        }
    }

    [Fact]
    public async Task Sends_retained_messages_to_new_subscribers_and_forgets_them_on_an_empty_payload()
    {
        await using MqttBroker broker = await StartAsync();
        await using TestClient publisher = await TestClient.ConnectAsync(broker.Port);
        await publisher.PublishAsync("site/a/state", "1", 1, retain: true);
        await publisher.PublishAsync("site/b/state", "2", 1, retain: true);
        await publisher.PublishAsync("site/b/state", "", 1, retain: true);
        await using TestClient late = await TestClient.ConnectAsync(broker.Port);
        await late.Client.SubscribeAsync("site/+/state", 1);
        Assert.Equal("site/a/state=1 q1 r", await late.NextTextAsync());
        await publisher.PublishAsync("site/c/state", "3", 1, retain: true);
        Assert.Equal("site/c/state=3 q1", await late.NextTextAsync());
        Assert.Equal(2, broker.Counters.Retained);
    }

    [Fact]
    public async Task Publishes_the_Will_of_a_client_that_breaks_off_and_not_of_one_that_says_goodbye()
    {
        await using MqttBroker broker = await StartAsync();
        await using TestClient watcher = await TestClient.ConnectAsync(broker.Port);
        await watcher.Client.SubscribeAsync("gone/#", 1);
        var options = new MqttClientOptions { Port = broker.Port, ClientId = "w", Will = new MqttMessage("gone/w", "offline"u8.ToArray(), 1, true) };
        await using (TestClient polite = await TestClient.ConnectAsync(options))
        {
            await polite.Client.StopAsync();
        }

        await using TestClient first = await TestClient.ConnectAsync(options);
        await using TestClient second = await TestClient.ConnectAsync(options with { Will = null }); // takes the client id over
        Assert.Equal("gone/w=offline q1", await watcher.NextTextAsync());
    }

    [Fact]
    public async Task A_handler_may_publish_and_wait_for_the_acknowledgement()
    {
        await using MqttBroker broker = await StartAsync();
        await using var answering = new MqttClient(new MqttClientOptions { Port = broker.Port });
        answering.MessageReceived = m => new ValueTask(
            answering.PublishAsync(new MqttMessage(m.ResponseTopic!, m.Payload, 1) { CorrelationData = m.CorrelationData }));
        await answering.SubscribeAsync("ask", 1);
        answering.Start();
        await using TestClient asking = await TestClient.ConnectAsync(broker.Port);
        await asking.Client.SubscribeAsync("answer", 1);
        while (broker.Counters.Subscriptions < 2)
        {
            await Task.Delay(10);
        }

        for (int i = 0; i < 50; i++)
        {
            await asking.Client.PublishAsync(new MqttMessage("ask", Encoding.UTF8.GetBytes($"{i}"), 1)
            {
                ResponseTopic = "answer",
                CorrelationData = new byte[] { (byte)i },
            });
        }

        for (int i = 0; i < 50; i++)
        {
            MqttMessage answer = await asking.Received.NextAsync();
            Assert.Equal($"{i}", Encoding.UTF8.GetString(answer.Payload.Span));
            Assert.Equal((byte)i, answer.CorrelationData.Span[0]);
        }
    }

    [Fact]
    public async Task Says_which_port_is_taken_and_what_to_do()
    {
        await using MqttBroker broker = await StartAsync();
        await using var second = new MqttBroker(new MqttBrokerOptions { Port = broker.Port });
        var e = await Assert.ThrowsAsync<MqttException>(() => second.StartAsync());
        Assert.Contains($"127.0.0.1:{broker.Port}", e.Message);
        Assert.Contains("choose another port", e.Message);
    }

    [Fact]
    public async Task Does_not_listen_to_the_network_without_users()
    {
        await using var open = new MqttBroker(new MqttBrokerOptions { Address = System.Net.IPAddress.Any, Port = 0 });
        var e = await Assert.ThrowsAsync<MqttException>(() => open.StartAsync());
        Assert.Contains("without users", e.Message);
    }

    [Fact]
    public async Task Names_the_broker_that_cannot_be_reached()
    {
        int port = Programs.FreePort();
        await using TestClient client = TestClient.Start(new MqttClientOptions { Port = port });
        (bool connected, string text) = await client.Changes.NextAsync();
        Assert.False(connected);
        Assert.Contains($"127.0.0.1:{port}", text);
        var e = await Assert.ThrowsAsync<MqttException>(() => client.PublishAsync("a", "b", 1));
        Assert.Contains($"127.0.0.1:{port}", e.Message);
    }

    private static async Task<MqttBroker> StartAsync(MqttBrokerOptions? options = null)
    {
        var broker = new MqttBroker((options ?? new MqttBrokerOptions()) with { Port = 0 });
        await broker.StartAsync();
        return broker;
    }
}
