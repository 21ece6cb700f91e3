using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Broker;

/// <summary>A client's session in the broker. Its gate guards everything in it, and the output of its connection.</summary>
internal sealed class BrokerSession(string clientId, MqttBrokerOptions options)
{
    private volatile bool _connected;
    private TaskCompletionSource? _room;
    private bool _lagging;

    public Lock Gate { get; } = new();

    public string ClientId { get; } = clientId;

    public MqttSession State { get; } = new(options.QueuedMessagesMax, options.QueuedBytesMax);

    public Dictionary<string, Subscription> Subscriptions { get; } = [];

    public BrokerConnection? Connection { get; private set; }

    public bool IsConnected => _connected;

    /// <summary>0: ends with the connection.</summary>
    public uint ExpirySeconds { get; set; }

    /// <summary>When the session ends; only without a connection.</summary>
    public long ExpiresAtMs { get; set; } = long.MaxValue;

    public MqttMessage? Will { get; set; }

    /// <summary>When the Will is due; only without a connection.</summary>
    public long WillAtMs { get; set; } = long.MaxValue;

    /// <summary>Removed from the table: late messages to it go nowhere.</summary>
    public bool IsEnded { get; set; }

    public void Attach(BrokerConnection connection, ConnectionTerms terms)
    {
        Connection = connection;
        ExpiresAtMs = long.MaxValue;
        WillAtMs = long.MaxValue;
        State.Attach(connection.Pump.Buffer, terms);
        _connected = true;
    }

    public void Detach()
    {
        _connected = false;
        _lagging = false;
        Connection = null;
        State.Detach();
        LetGo();
    }

    /// <summary>More than half full: a publisher should wait a moment, unless that was in vain before. Only under the gate.</summary>
    private bool IsCrowded => !_lagging && _connected
        && (State.Queued > options.QueuedMessagesMax / 2 || Connection!.Pump.Buffer.Count > options.OutputBytesMax / 2);

    /// <summary>
    /// Holds a publisher back while this subscriber is behind but reading. Once it did not catch up in time it counts as lagging, costs
    /// publishers no more time, and loses messages, until it has taken everything.
    /// </summary>
    public async Task WaitForRoomAsync(TimeSpan timeMax)
    {
        Task room;
        lock (Gate)
        {
            if (!IsCrowded)
            {
                return;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            room = _room.Task;
        }

        if (await Task.WhenAny(room, Task.Delay(timeMax)).ConfigureAwait(false) != room)
        {
            lock (Gate)
            {
                _lagging = true;
                LetGo();
            }
        }
    }

    /// <summary>Sends what there is room for now; to be called under the gate when something was acknowledged or written.</summary>
    public int Refill(long nowMs, int sentBefore)
    {
        int sent = sentBefore + State.Pump(nowMs);
        bool empty = State.Queued == 0 && Connection!.Pump.Buffer.Count < options.OutputBytesMax / 4;
        _lagging &= !empty;
        if (_room is not null && (empty || (State.Queued < options.QueuedMessagesMax / 4 && !IsCrowded)))
        {
            LetGo();
        }

        return sent;
    }

    /// <summary>Sends or queues; true: the message is on its way. A connection with new output is added to <paramref name="touched"/>.</summary>
    public bool Deliver(long nowMs, in Outgoing item, BrokerCounters counters, Touched touched)
    {
        lock (Gate)
        {
            if (IsEnded)
            {
                return false;
            }

            SendResult result = State.Send(nowMs, in item);
            switch (result)
            {
                case SendResult.Sent:
                    counters.Sent(1);
                    touched.Add(Connection!.Pump);
                    touched.Crowded = IsCrowded && this != touched.Owner ? this : touched.Crowded;
                    return true;
                case SendResult.Queued:
                    touched.Crowded = IsCrowded && this != touched.Owner ? this : touched.Crowded;
                    return true;
                case SendResult.Full when item.Qos == 0 && !IsConnected:
                    return false; // QoS 0 is not kept for those who are away
                default:
                    counters.Dropped(result, item.Qos);
                    return false;
            }
        }
    }

    private void LetGo()
    {
        _room?.TrySetResult();
        _room = null;
    }
}

/// <summary>What a publisher's messages have left behind: connections with new output, and a subscriber that should be waited for.</summary>
internal sealed class Touched
{
    private readonly List<OutputPump> _pumps = [];

    /// <summary>The publisher; it does not wait for itself, because only its own reading helps there.</summary>
    public BrokerSession? Owner { get; set; }

    public BrokerSession? Crowded { get; set; }

    /// <summary>Under the pump's gate.</summary>
    public void Add(OutputPump pump)
    {
        if (!pump.IsTouched)
        {
            pump.IsTouched = true;
            _pumps.Add(pump);
        }
    }

    /// <summary>Starts the writing. Outside all gates.</summary>
    public void Schedule()
    {
        foreach (OutputPump pump in _pumps)
        {
            pump.Schedule();
        }

        _pumps.Clear();
    }
}
