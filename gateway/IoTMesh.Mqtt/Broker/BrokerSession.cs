using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Broker;

/// <summary>A client's session in the broker. Its gate guards everything in it, and the output of its connection.</summary>
internal sealed class BrokerSession(string clientId, MqttBrokerOptions options)
{
    private volatile bool _connected;

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
        Connection = null;
        State.Detach();
    }

    /// <summary>Sends or queues; true: the message is on its way. A connection with new output is added to <paramref name="touched"/>.</summary>
    public bool Deliver(long nowMs, in Outgoing item, BrokerCounters counters, List<OutputPump> touched)
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
                    if (!Connection!.Pump.IsTouched)
                    {
                        Connection.Pump.IsTouched = true;
                        touched.Add(Connection.Pump);
                    }

                    return true;
                case SendResult.Queued:
                    return true;
                case SendResult.Full when item.Qos == 0 && !IsConnected:
                    return false; // QoS 0 is not kept for those who are away
                default:
                    counters.Dropped(result, item.Qos);
                    return false;
            }
        }
    }
}
