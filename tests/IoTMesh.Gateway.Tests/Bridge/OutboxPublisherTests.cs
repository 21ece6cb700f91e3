using System.Net;
using System.Net.Sockets;
using IoTMesh.Gateway.Bridge;
using IoTMesh.Gateway.Storage;
using IoTMesh.Gateway.Tests.Storage;
using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Tests.Bridge;

public sealed class OutboxPublisherTests : IDisposable
{
    private const string States = "iotmesh/v1/s/node/+/state";
    private readonly StoreFixture _fixture = new();
    private OutboxPublisher? _publisher;

    [Fact]
    public Task Waits_for_our_broker_and_then_publishes_once_in_order_with_the_original_time()
    {
        return WaitsAsync(async port =>
        {
            var broker = new MqttBroker(new MqttBrokerOptions { Port = port });
            await broker.StartAsync();
            return broker;
        });
    }

    [MosquittoFact]
    public async Task Waits_for_mosquitto_and_then_publishes_once_in_order_with_the_original_time()
    {
        using var mosquitto = new Mosquitto();
        await WaitsAsync(
            async _ =>
            {
                await mosquitto.StartAsync();
                return new NothingToStop();
            },
            mosquitto.Port);
    }

    [MosquittoFact]
    public async Task Readings_of_a_time_when_mosquitto_is_killed_arrive_all_and_in_order()
    {
        using var mosquitto = new Mosquitto();
        await mosquitto.StartAsync();
        GatewayStore store = _fixture.Open();
        await using var client = CreateClient(mosquitto.Port);
        client.Start();
        using var stop = new CancellationTokenSource();
        Task running = Start(store, client, stop.Token);
        await using var subscriber = new StateCollector(mosquitto.Port, States);
        await subscriber.StartAsync();
        await PostAsync(store, 1, 50);
        await Eventually.HoldsAsync(() => subscriber.Messages.Count == 100, "100 states");
        mosquitto.Kill();
        await PostAsync(store, 51, 300);
        await mosquitto.StartAsync();
        await Eventually.HoldsAsync(() => store.OutboxDepth == 0, "the outbox is empty");

        // The subscriber may be back later than the publisher and so miss some; the broker acknowledged each of them once.
        Assert.Equal(600, _publisher!.Published);
        foreach (var node in subscriber.Messages.Where(m => !m.Retain).GroupBy(m => m.Topic))
        {
            List<long> seqs = node.Select(m => StateCollector.Json(m).GetProperty("seq").GetInt64()).ToList();
            Assert.Equal(seqs.Order().Distinct(), seqs);
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_restart_publishes_what_was_not_acknowledged_and_nothing_else()
    {
        GatewayStore store = _fixture.Open();
        await PostAsync(store, 1, 20);
        await store.AcknowledgeAsync(store.ReadOutbox(0, 5).Select(r => r.Number).ToList());
        GatewayStore restarted = _fixture.Open(_fixture.TakeCrashImage());
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0 });
        await broker.StartAsync();
        await using var subscriber = new StateCollector(broker.Port, States);
        await subscriber.StartAsync();
        await using var client = CreateClient(broker.Port);
        client.Start();
        using var stop = new CancellationTokenSource();
        _ = Start(restarted, client, stop.Token);
        await Eventually.HoldsAsync(() => restarted.OutboxDepth == 0 && subscriber.Messages.Count >= 35, "the rest is published");

        // Acknowledged were 1 to 3 of the first node and 1 and 2 of the second.
        foreach (var (node, first) in (IEnumerable<(string, int)>)[("node-7", 4), ("node-8", 3)])
        {
            var seqs = subscriber.Messages.Where(m => m.Topic.Contains(node)).Select(m => StateCollector.Json(m).GetProperty("seq").GetInt32());
            Assert.Equal(Enumerable.Range(first, 21 - first), seqs);
        }

        await stop.CancelAsync();
    }

    [Fact]
    public async Task Readings_that_a_dying_broker_never_acknowledged_go_to_the_next_one_and_the_newest_is_retained()
    {
        GatewayStore store = _fixture.Open();
        await PostAsync(store, 1, 20);
        using var dying = new TcpListener(IPAddress.Loopback, 0);
        dying.Start();
        int port = ((IPEndPoint)dying.LocalEndpoint).Port;
        await using var client = CreateClient(port);
        client.Start();
        using var stop = new CancellationTokenSource();
        Task publisher = Start(store, client, stop.Token);
        using (TcpClient connection = await dying.AcceptTcpClientAsync())
        {
            NetworkStream stream = connection.GetStream();
            var bytes = new byte[4096];
            await stream.ReadAtLeastAsync(bytes, 2);
            await stream.WriteAsync(new byte[] { 0x20, 3, 0, 0, 0 });
            await stream.ReadAtLeastAsync(bytes, 2000);
        }

        dying.Stop();
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = port });
        await broker.StartAsync();
        await Eventually.HoldsAsync(() => store.OutboxDepth == 0, "all are acknowledged by the second broker");
        await using var late = new StateCollector(port, States);
        await late.StartAsync();
        await Eventually.HoldsAsync(() => late.Messages.Count == 2, "the retained states");
        Assert.Equal([20L, 20L], late.Sequences);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => publisher);
    }

    [Fact]
    public async Task A_late_reading_does_not_replace_the_newest_retained_state()
    {
        GatewayStore store = _fixture.Open();
        await using var broker = new MqttBroker(new MqttBrokerOptions { Port = 0 });
        await broker.StartAsync();
        await using var client = CreateClient(broker.Port);
        client.Start();
        using var stop = new CancellationTokenSource();
        _ = Start(store, client, stop.Token);
        await StoreFixture.PostAsync(store, StoreFixture.Reading(7, 5));
        await Eventually.HoldsAsync(() => store.OutboxDepth == 0, "the newest is out");
        await StoreFixture.PostAsync(store, StoreFixture.Reading(7, 3));
        await Eventually.HoldsAsync(() => store.OutboxDepth == 0, "the late one is out");
        await using var subscriber = new StateCollector(broker.Port, States);
        await subscriber.StartAsync();
        await Eventually.HoldsAsync(() => subscriber.Messages.Count > 0, "the retained state");
        Assert.Equal([5L], subscriber.Sequences);
        await stop.CancelAsync();
    }

    [Fact]
    public void Readings_of_a_node_go_in_the_order_of_measurement_whatever_order_they_came_in()
    {
        OutboxRow Row(long number, string device, ushort boot, uint seq)
        {
            return new OutboxRow(number, new StoredReading(device, 7, boot, seq, 0, 0, 1, 0, []));
        }

        var ordered = OutboxPublisher.InOrder([Row(1, "a", 1, 2), Row(2, "b", 1, 1), Row(3, "a", 2, 1), Row(4, "a", 1, 1)]);
        Assert.Equal([4L, 2L, 1L, 3L], ordered.Select(r => r.Number));
    }

    public void Dispose()
    {
        _fixture.Dispose();
    }

    private async Task WaitsAsync(Func<int, Task<IAsyncDisposable>> startBroker, int port = 0)
    {
        port = port == 0 ? Mosquitto.FreePort() : port;
        GatewayStore store = _fixture.Open();
        await using var client = CreateClient(port);
        client.Start();
        using var stop = new CancellationTokenSource();
        _ = Start(store, client, stop.Token);
        await using var subscriber = new StateCollector(port, States);
        await PostAsync(store, 1, 250);
        Assert.Equal(500, store.OutboxDepth);
        Task subscribed = subscriber.StartAsync();
        await using IAsyncDisposable broker = await startBroker(port);
        await subscribed;
        await Eventually.HoldsAsync(() => store.OutboxDepth == 0, "the outbox is empty");
        await PostAsync(store, 251, 260);
        await Eventually.HoldsAsync(() => subscriber.Sequences.Count(s => s == 260) == 2, "the last ones arrive");
        foreach (var node in subscriber.Messages.GroupBy(m => m.Topic))
        {
            List<long> seqs = node.Where(m => !m.Retain).Select(m => StateCollector.Json(m).GetProperty("seq").GetInt64()).ToList();
            Assert.Equal(seqs.Order().Distinct(), seqs);
            Assert.All(node, m =>
            {
                var state = StateCollector.Json(m);
                Assert.Equal(StoreFixture.BootMs + (state.GetProperty("seq").GetInt64() * 1000) + 3, state.GetProperty("ts").GetInt64());
                Assert.True(state.GetProperty("historical").GetBoolean());
                Assert.Equal("°C", state.GetProperty("units").GetProperty("temperature").GetString());
            });
        }

        // A subscriber may have a message before its publisher has the acknowledgement.
        await Eventually.HoldsAsync(() => store.OutboxDepth == 0 && _publisher!.Published >= 520, "all are acknowledged");
        Assert.Equal(520, _publisher!.Published);
        await stop.CancelAsync();
    }

    private Task Start(GatewayStore store, MqttClient client, CancellationToken stop)
    {
        _publisher = new OutboxPublisher(store, client, _fixture.Registry, new Topics("s", "gw1"), "gw1", 100, TimeProvider.System);
        client.ConnectionChanged += (_, _) => _publisher.Wake();
        return Task.Run(() => _publisher.RunAsync(stop), CancellationToken.None);
    }

    private static MqttClient CreateClient(int port)
    {
        return new MqttClient(new MqttClientOptions
        {
            Port = port,
            ClientId = "gw",
            CleanStart = false,
            SessionExpirySeconds = 60,
            ReconnectMin = TimeSpan.FromMilliseconds(20),
            ReconnectMax = TimeSpan.FromMilliseconds(100),
        });
    }

    private static Task PostAsync(GatewayStore store, uint first, uint last)
    {
        var readings = new List<Delivery>();
        for (uint seq = first; seq <= last; seq++)
        {
            readings.Add(StoreFixture.Reading(7, seq));
            readings.Add(StoreFixture.Reading(8, seq));
        }

        return StoreFixture.PostAsync(store, [.. readings]);
    }

    private sealed class NothingToStop : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            return ValueTask.CompletedTask;
        }
    }
}
