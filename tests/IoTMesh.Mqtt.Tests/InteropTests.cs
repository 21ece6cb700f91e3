namespace IoTMesh.Mqtt.Tests;

/// <summary>Against real mosquitto: its tools on our broker, our client on its broker.</summary>
public sealed class InteropTests
{
    [NeedsTheory("mosquitto_sub")]
    [InlineData("mqttv311", 0)]
    [InlineData("mqttv311", 1)]
    [InlineData("mqttv311", 2)]
    [InlineData("mqttv5", 0)]
    [InlineData("mqttv5", 1)]
    [InlineData("mqttv5", 2)]
    public async Task Mosquitto_tools_publish_and_subscribe_on_our_broker(string version, int qos)
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0 });
        await broker.StartAsync();
        string port = $"{broker.Port}";
        await RunningProgram.RunAsync("mosquitto_pub", "-V", version, "-p", port, "-t", "a/b", "-m", "kept", "-q", $"{qos}", "-r");
        await using var subscriber = new RunningProgram(
            "mosquitto_sub", "-V", version, "-p", port, "-t", "a/#", "-q", $"{qos}", "-F", "%t %p %q %r", "-d", "-C", "2");
        await subscriber.LineAsync(line => line == $"a/b kept {qos} 1");
        await RunningProgram.RunAsync("mosquitto_pub", "-V", version, "-p", port, "-t", "a/c", "-m", "live", "-q", $"{qos}");
        await subscriber.LineAsync(line => line == $"a/c live {qos} 0");
        Assert.Equal(0, await subscriber.ExitAsync());
    }

    [NeedsTheory("mosquitto")]
    [InlineData(MqttProtocol.V311)]
    [InlineData(MqttProtocol.V5)]
    public async Task Our_client_works_on_mosquitto(MqttProtocol protocol)
    {
        (RunningProgram mosquitto, int port) = await RunningProgram.MosquittoAsync();
        await using RunningProgram running = mosquitto;
        await using TestClient subscriber = await TestClient.ConnectAsync(port, protocol);
        await using TestClient publisher = await TestClient.ConnectAsync(port, protocol);
        await publisher.PublishAsync("t/kept", "k", 1, retain: true);
        await subscriber.Client.SubscribeAsync("t/#", 2);
        Assert.Equal("t/kept=k q1 r", await subscriber.NextTextAsync());
        for (byte qos = 0; qos <= 2; qos++)
        {
            await publisher.PublishAsync("t/x", $"{qos}", qos);
            Assert.Equal($"t/x={qos} q{qos}", await subscriber.NextTextAsync());
        }
    }
}
