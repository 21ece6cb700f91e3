using System.Net;

namespace IoTMesh.Mqtt.Tests;

public sealed class FlowTests
{
    [Fact]
    public async Task Fast_publishers_are_held_back_rather_than_messages_lost()
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions
        {
            Port = 0,
            QueuedMessagesMax = 200,
            SendMaximum = 20,
            HoldPublisherMax = TimeSpan.FromSeconds(20),
        });
        await broker.StartAsync();
        await using TestClient subscriber = await TestClient.ConnectAsync(broker.Port);
        await subscriber.Client.SubscribeAsync("n", 1);
        const int Each = 2_000;
        await Task.WhenAll(Enumerable.Range(0, 5).Select(async p =>
        {
            await using TestClient publisher = await TestClient.ConnectAsync(broker.Port);
            await Task.WhenAll(Enumerable.Range(0, Each).Select(i => publisher.PublishAsync("n", $"{p} {i}", 1)));
        }));
        var next = new int[5];
        for (int i = 0; i < 5 * Each; i++)
        {
            string[] words = (await subscriber.NextTextAsync()).Split('=', ' ');
            Assert.Equal(next[int.Parse(words[1])]++, int.Parse(words[2])); // in order for each publisher
        }

        Assert.Equal(0, broker.Counters.DroppedQueueFull);
    }

    [Fact]
    public async Task Credentials_may_be_checked_by_the_application()
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions
        {
            Port = 0,
            Address = IPAddress.Any,
            Authenticate = login => login.ClientId == "known" && login.Password.Span.SequenceEqual("p"u8),
        });
        await broker.StartAsync();
        await using TestClient known = await TestClient.ConnectAsync(
            new MqttClientOptions { Port = broker.Port, ClientId = "known", UserName = "u", Password = "p" });
        await using TestClient unknown = TestClient.Start(
            new MqttClientOptions { Port = broker.Port, ClientId = "other", UserName = "u", Password = "p" });
        Assert.Contains("bad user name or password", (await unknown.Changes.NextAsync()).Text);
    }
}
