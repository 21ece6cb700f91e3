using System.Net.Sockets;
using IoTMesh.Mqtt.Client;
using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;
using IoTMesh.Mqtt.Tls;

namespace IoTMesh.Mqtt;

/// <summary>An MQTT 5.0 and 3.1.1 client that stays connected. Thread-safe; any number of publishes may be in flight.</summary>
public sealed partial class MqttClient : IMqttClient
{
    private const int QosZeroBytesMax = 256 * 1024;
    private const int LastWriteMs = 2_000;
    private const string HungUp = "closed the connection";

    private readonly MqttClientOptions _options;
    private readonly Lock _gate = new();
    private readonly ClientCore _core;
    private readonly Inbox _inbox;
    private readonly CancellationTokenSource _stopping = new();
    private readonly string _broker;
    private OutputPump? _pump;
    private Task? _running;
    private string _lastReason = "it has not been started";
    private string? _lastRaised;
    private volatile bool _connected;
    private volatile bool _leaving;

    public MqttClient(MqttClientOptions options)
    {
        if (options.Will is MqttMessage will && (!Topics.IsValidName(will.Topic) || will.Payload.Length > ushort.MaxValue || will.Qos > 2))
        {
            throw new MqttException(
                $"The Will on \"{will.Topic}\" is not valid: a topic without wildcards, at most 65,535 bytes and QoS 0 to 2 are needed.");
        }

        _options = options;
        _core = new ClientCore(options);
        _inbox = new Inbox(options.ReceivedMessagesMax, HandleMessageAsync);
        _broker = $"{options.Host}:{options.Port}";
    }

    public event Action<bool, string>? ConnectionChanged;

    public Func<MqttMessage, ValueTask>? MessageReceived { get; set; }

    public bool IsConnected => _connected;

    /// <summary>Given in the options or assigned by the broker.</summary>
    public string ClientId => _core.ClientId;

    /// <summary>QoS 0 messages dropped because the handler was too slow.</summary>
    public long MessagesDropped => _inbox.Dropped;

    private static long NowMs => Environment.TickCount64;

    public void Start()
    {
        lock (_gate)
        {
            _lastReason = "it is still connecting";
            _running ??= Task.Run(RunAsync);
        }
    }

    public Task PublishAsync(MqttMessage message, CancellationToken cancellationToken = default)
    {
        if (!Topics.IsValidName(message.Topic) || message.Qos > 2)
        {
            throw new MqttException(
                $"Cannot publish to \"{message.Topic}\" with QoS {message.Qos}: the topic must be neither empty nor have wildcards, the QoS 0 to 2.",
                (byte)MqttReason.TopicNameInvalid);
        }

        cancellationToken.ThrowIfCancellationRequested();
        PendingPublish? pending = message.Qos == 0 ? null : new PendingPublish(message.Topic);
        return TryPublish(message, pending) ? pending is null ? Task.CompletedTask : Wait(pending, cancellationToken)
            : PublishWhenRoomAsync(message, cancellationToken);
    }

    public async Task SubscribeAsync(string topicFilter, byte qos, CancellationToken cancellationToken = default)
    {
        CheckFilter(topicFilter, qos);
        var pending = new PendingRequest([topicFilter], isAwaited: true);
        lock (_gate)
        {
            if (!_core.Subscribe(topicFilter, qos, pending))
            {
                return;
            }

            _pump!.Schedule();
        }

        IReadOnlyList<MqttReason>? reasons = await pending.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (reasons is null)
        {
            return; // connection lost: made on the next one
        }

        if (reasons[0] >= MqttReason.UnspecifiedError)
        {
            throw new MqttException(
                $"The broker {_broker} refused the subscription to \"{topicFilter}\": {reasons[0].Describe()}.", (byte)reasons[0]);
        }
    }

    public async Task UnsubscribeAsync(string topicFilter, CancellationToken cancellationToken = default)
    {
        CheckFilter(topicFilter, 0);
        var pending = new PendingRequest([topicFilter], isAwaited: true);
        lock (_gate)
        {
            if (!_core.Unsubscribe(topicFilter, pending))
            {
                return;
            }

            _pump!.Schedule();
        }

        await pending.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        Task? running;
        lock (_gate)
        {
            _lastReason = "it has been stopped";
            running = _running;
            _leaving = true;
            if (_connected && _pump is not null)
            {
                _core.Disconnect();
                _pump.CloseAfterWriting();
            }
            else
            {
                _stopping.Cancel();
            }
        }

        if (running is not null)
        {
            _stopping.CancelAfter(LastWriteMs);
            await running.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private static void CheckFilter(string topicFilter, byte qos)
    {
        if (!Topics.IsValidFilter(topicFilter) || qos > 2)
        {
            throw new MqttException(
                $"\"{topicFilter}\" with QoS {qos} is not a topic filter: + and # must stand for whole levels, # for the last, the QoS be 0 to 2.",
                (byte)MqttReason.TopicFilterInvalid);
        }
    }

    // False: QoS 0 and no room.
    private bool TryPublish(MqttMessage message, PendingPublish? pending)
    {
        MqttReason reason;
        bool full;
        lock (_gate)
        {
            if (!_connected)
            {
                throw new MqttException($"Not connected to the MQTT broker {_broker}: {_lastReason}", (byte)MqttReason.ServerUnavailable);
            }

            reason = _core.Publish(NowMs, message, pending, out full);
            _pump!.Schedule();
        }

        if (reason != MqttReason.Success && !full)
        {
            throw new MqttException($"Cannot publish to \"{message.Topic}\" on {_broker}: {reason.Describe()}.", (byte)reason);
        }

        return !full;
    }

    private async Task PublishWhenRoomAsync(MqttMessage message, CancellationToken cancellationToken)
    {
        do
        {
            Task room;
            lock (_gate)
            {
                room = _pump?.WaitForRoom(QosZeroBytesMax) ?? Task.CompletedTask;
            }

            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        while (!TryPublish(message, null));
    }

    private static Task Wait(PendingPublish pending, CancellationToken cancellationToken) =>
        cancellationToken.CanBeCanceled ? pending.Task.WaitAsync(cancellationToken) : pending.Task;

    private async Task RunAsync()
    {
        double pauseMs = _options.ReconnectMin.TotalMilliseconds;
        while (!_stopping.IsCancellationRequested)
        {
            string reason;
            try
            {
                using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                timeout.CancelAfter(_options.ConnectTimeout);
                await using Stream stream = await OpenAsync(timeout.Token).ConfigureAwait(false);
                (reason, bool wasConnected) = await ServeAsync(stream).ConfigureAwait(false);

                // With TLS 1.3 a broker refuses a client's certificate after the handshake.
                bool isRefused = _options.UseTls && !wasConnected && reason.StartsWith(HungUp, StringComparison.Ordinal);
                reason += isRefused ? BrokerCheck.Hint(_options.Tls) : "";
                pauseMs = wasConnected ? _options.ReconnectMin.TotalMilliseconds : pauseMs;
            }
            catch (Exception e) // whatever it was: a client that stays connected tries again
            {
                bool late = e is OperationCanceledException;
                reason = $"cannot be reached: {(late ? $"no answer within {_options.ConnectTimeout.TotalSeconds:0.#} s" : e.Message)}";
            }

            if (_stopping.IsCancellationRequested)
            {
                break;
            }

            Raise(false, $"The MQTT broker {_broker} {reason.TrimEnd('.')}.");
            // Jitter keeps many clients from coming back in the same instant.
            double jittered = pauseMs * (0.5 + (Random.Shared.NextDouble() / 2));
            await Task.Delay(TimeSpan.FromMilliseconds(jittered), _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pauseMs = Math.Min(pauseMs * 2, _options.ReconnectMax.TotalMilliseconds);
        }

        lock (_gate)
        {
            _core.Session.Discard();
        }

        CompletePending();
    }

    private async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(_options.Host, _options.Port, cancellationToken).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            if (!_options.UseTls)
            {
                return stream;
            }

            return await new BrokerCheck(_options.Tls ?? new MqttTlsOptions(), _options.Host).OpenAsync(stream, cancellationToken)
                .ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Raise(bool connected, string text)
    {
        lock (_gate)
        {
            _lastReason = text;
            if (!connected && text == _lastRaised)
            {
                return; // the same as on the last try
            }

            _lastRaised = connected ? null : text;
        }

        try
        {
            ConnectionChanged?.Invoke(connected, text);
        }
        catch (Exception e)
        {
            _options.Log?.Invoke($"A handler of ConnectionChanged failed: {e.Message}");
        }
    }
}
