using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using IoTMesh.Core;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Mesh;
using IoTMesh.Gateway.Settings;
using IoTMesh.Gateway.Site;
using IoTMesh.Gateway.Storage;
using IoTMesh.Mqtt;

namespace IoTMesh.Gateway.Bridge;

/// <summary>
/// Everything on MQTT but the readings: retained topics, events, Home Assistant, requests and their answers. Requests run beside
/// each other up to a bound, so that a node that is away holds up nobody.
/// </summary>
public sealed class MqttBridge : IDisposable
{
    private const int RequestsMax = 64;
    private const int EventsMax = 256;

    // MQTT tells a subscriber nothing of the publisher: who may publish here is the broker's to say.
    private const string Caller = "mqtt";
    private static readonly TimeSpan _reportInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _healthInterval = TimeSpan.FromSeconds(15);

    private readonly GatewaySettings _settings;
    private readonly IMqttClient _client;
    private readonly LiveMesh _live;
    private readonly Registry _registry;
    private readonly CommandRunner _runner;
    private readonly GatewayOperations _operations;
    private readonly OutboxPublisher _publisher;
    private readonly Func<byte[]> _health;
    private readonly Topics _topics;
    private readonly RetainedBoard _board;
    private readonly HomeAssistant _homeAssistant;
    private readonly SemaphoreSlim _requests = new(RequestsMax, RequestsMax);
    private readonly Dictionary<string, Device> _announced = [];
    private readonly Lock _announceGate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<MqttMessage> _events = Channel.CreateBounded<MqttMessage>(
        new BoundedChannelOptions(EventsMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    public MqttBridge(
        GatewaySettings settings, IMqttClient client, LiveMesh live, Registry registry, CommandRunner runner, GatewayOperations operations,
        OutboxPublisher publisher, Func<byte[]> health)
    {
        _settings = settings;
        _client = client;
        _live = live;
        _registry = registry;
        _runner = runner;
        _operations = operations;
        _publisher = publisher;
        _health = health;
        _topics = new Topics(settings.Site, settings.Gateway);
        _board = new RetainedBoard(client);
        _homeAssistant = new HomeAssistant(settings.HomeAssistant.Prefix, settings.Site, settings.Gateway, _topics);
        client.ConnectionChanged += OnConnectionChanged;
        client.MessageReceived = OnMessageAsync;
        live.AvailabilityChanged += (device, online) => SetAvailability(device, online);
        live.EventAdded += entry => _events.Writer.TryWrite(new MqttMessage(_topics.Gateway("event"), Payloads.Event(entry)));
        registry.Changed += Announce;
    }

    /// <summary>The gateway's Will: offline, retained.</summary>
    public static MqttMessage CreateWill(GatewaySettings settings)
    {
        return new MqttMessage(new Topics(settings.Site, settings.Gateway).GatewayState, "offline"u8.ToArray(), Qos: 1, Retain: true);
    }

    /// <summary>Connects and runs until cancelled; then says offline and disconnects.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _client.SubscribeAsync(_topics.Gateway("req/+"), 1, cancellationToken);
        await _client.SubscribeAsync(_topics.Node("+", "set"), 1, cancellationToken);
        await _client.SubscribeAsync(_topics.Node("+", "get"), 1, cancellationToken);
        if (_settings.HomeAssistant.Enabled)
        {
            await _client.SubscribeAsync(_homeAssistant.StatusTopic, 1, cancellationToken);
        }

        _board.Set(_topics.GatewayState, "online"u8.ToArray());
        _board.Set(_topics.Gateway("info"), CreateInfo());
        Announce(_registry.Devices);
        _client.Start();
        try
        {
            await Task.WhenAll(_board.RunAsync(cancellationToken), PublishEventsAsync(cancellationToken), ReportAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            await SayGoodbyeAsync();
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
        _requests.Dispose();
    }

    private async Task SayGoodbyeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            if (_client.IsConnected)
            {
                await _client.PublishAsync(CreateWill(_settings), soon.Token);
            }

            await _client.StopAsync(soon.Token);
        }
        catch (Exception e) when (e is MqttException or OperationCanceledException)
        {
            // The broker's Will says it for us.
        }
    }

    private void OnConnectionChanged(bool isConnected, string reason)
    {
        if (isConnected)
        {
            _live.AddEvent("info", "mqtt", "connected to " + BrokerName);
            _board.Refresh();
            _publisher.Wake();
        }
        else
        {
            _live.AddEvent("warning", "mqtt", reason);
        }
    }

    private string BrokerName => _settings.Mqtt.Broker is { } broker ? broker.ToString() : $"own broker, {_settings.Mqtt.Listen}";

    private async ValueTask OnMessageAsync(MqttMessage message)
    {
        if (message.Topic == _homeAssistant.StatusTopic)
        {
            if (message.Payload.Span.SequenceEqual("online"u8))
            {
                Announce(_registry.Devices, again: true);
                _board.Refresh();
            }

            return;
        }

        if (message.Retain || message.Payload.IsEmpty)
        {
            // A retained command would be carried out again at each start.
            return;
        }

        if (await _requests.WaitAsync(0))
        {
            _ = HandleAsync(message);
        }
        else
        {
            _live.AddEvent("warning", "mqtt", $"request on {message.Topic} refused: {RequestsMax} are running");
        }
    }

    private async Task HandleAsync(MqttMessage message)
    {
        try
        {
            if (_topics.TryParseCommand(message.Topic, out string node, out string operation))
            {
                CommandRequest request = CommandRequest.Parse(operation, message.Payload);
                await AnswerAsync(message, _topics.Node(node, "event"), await RunAsync(node, request));
            }
            else if (_topics.TryParseRequest(message.Topic, out operation))
            {
                await AnswerAsync(message, _topics.Gateway("res/" + operation), await RunOperationAsync(operation, message.Payload));
            }
        }
        catch (Exception e)
        {
            // Nobody waits for this task, so what it does not say here nobody learns.
            _live.AddEvent("warning", "mqtt", $"no answer on {message.Topic}: {e.Message}");
        }
        finally
        {
            _requests.Release();
        }
    }

    private async Task<byte[]> RunAsync(string node, CommandRequest request)
    {
        return _registry.Find(node) is { } device && request.Error is null
            ? (await _runner.RunAsync(Caller, device, request, _stopping.Token)).Json
            : CommandRunner.Refuse(request, node, $"no node {node} in this site");
    }

    private async Task<byte[]> RunOperationAsync(string operation, ReadOnlyMemory<byte> payload)
    {
        if (operation is "ping" or "set" or "get" or "identify" or "reboot" or "describe")
        {
            string node = GatewayOperations.NodeOf(payload);
            return await RunAsync(node, CommandRequest.Parse(operation, GatewayOperations.WithoutNode(payload)));
        }

        return await _operations.RunAsync(operation, payload, _stopping.Token);
    }

    private async Task AnswerAsync(MqttMessage request, string topic, byte[] json)
    {
        await _client.PublishAsync(new MqttMessage(topic, json, Qos: 1), _stopping.Token);
        if (!string.IsNullOrEmpty(request.ResponseTopic) && request.ResponseTopic != topic)
        {
            var answer = new MqttMessage(request.ResponseTopic, json, Qos: 1) { CorrelationData = request.CorrelationData };
            await _client.PublishAsync(answer, _stopping.Token);
        }
    }

    private async Task PublishEventsAsync(CancellationToken cancellationToken)
    {
        await foreach (MqttMessage message in _events.Reader.ReadAllAsync(cancellationToken))
        {
            try
            {
                if (_client.IsConnected)
                {
                    await _client.PublishAsync(message, cancellationToken);
                }
            }
            catch (MqttException)
            {
                // Events are for whoever listens now; the log on the pages has them all.
            }
        }
    }

    private async Task ReportAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset healthAt = DateTimeOffset.MinValue;
        long topologyVersion = 0;
        while (true)
        {
            MeshView view = _live.Current;
            if (view.Version != topologyVersion)
            {
                topologyVersion = view.Version;
                _board.Set(_topics.Gateway("topology"), Payloads.Topology(view));
                foreach (NodeView node in view.Nodes.Where(n => n is { IsGateway: false, Online: true }))
                {
                    _board.Set(_topics.Node(node.Id, "link"), Payloads.Links(view, node));
                }

                Announce(_registry.Devices);
            }

            if (DateTimeOffset.UtcNow - healthAt >= _healthInterval)
            {
                healthAt = DateTimeOffset.UtcNow;
                _board.Set(_topics.Gateway("health"), _health());
            }

            _board.Set(_topics.Gateway("keys"), _operations.Keys());

            await Task.Delay(_reportInterval, cancellationToken);
        }
    }

    private byte[] CreateInfo()
    {
        return Payloads.Object(json =>
        {
            json.WriteString("gateway", _settings.Gateway);
            json.WriteString("site", _settings.Site);
            json.WriteString("version", GatewayVersion.Text);
            json.WriteNumber("address", _settings.Address);
        });
    }

    private void Announce(IReadOnlyList<Device> devices)
    {
        Announce(devices, again: false);
    }

    private void Announce(IReadOnlyList<Device> devices, bool again)
    {
        lock (_announceGate)
        {
            foreach (Device gone in _announced.Values.Where(a => devices.All(d => d.DeviceId != a.DeviceId || d.Id != a.Id)).ToList())
            {
                _announced.Remove(gone.DeviceId);
                Withdraw(gone, isRenamed: devices.Any(d => d.DeviceId == gone.DeviceId));
            }

            foreach (Device device in devices)
            {
                bool isNew = _announced.TryAdd(device.DeviceId, device);
                if (isNew)
                {
                    SetAvailability(device, _live.IsOnline(device));
                }

                if (_settings.HomeAssistant.Enabled)
                {
                    _board.Set(_homeAssistant.ConfigTopic(device), _homeAssistant.Config(device, _live.KindsOf(device)), again);
                }
            }
        }

        _board.Set(_topics.Gateway("devices"), Payloads.Devices(devices));
        if (_settings.HomeAssistant.Enabled)
        {
            _board.Set(_homeAssistant.GatewayConfigTopic, _homeAssistant.GatewayConfig(), again);
        }
    }

    private void Withdraw(Device device, bool isRenamed)
    {
        foreach (string leaf in (string[])["state", "avail", "link"])
        {
            _board.Set(_topics.Node(device.Id, leaf), []);
        }

        if (_settings.HomeAssistant.Enabled && !isRenamed)
        {
            _board.Set(_homeAssistant.ConfigTopic(device), []);
        }
    }

    private void SetAvailability(Device device, bool online)
    {
        _board.Set(_topics.Node(device.Id, "avail"), Encoding.ASCII.GetBytes(online ? "online" : "offline"));
    }
}
