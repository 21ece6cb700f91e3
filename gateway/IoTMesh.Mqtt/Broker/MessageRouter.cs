using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Broker;

/// <summary>
/// Takes messages to where they go: retained messages and subscriptions. Locks: retained before session gate before tree;
/// a message is stored before it is routed, so that a new subscriber sees it by at least one of the two ways and never an older one after it.
/// </summary>
internal sealed class MessageRouter(MqttBrokerOptions options, BrokerCounters counters)
{
    private readonly SubscriptionTree _subscriptions = new();
    private readonly RetainedTree _retained = new(options.RetainedMessagesMax, options.RetainedBytesMax);
    private readonly Lock _retainedGate = new();

    public int Subscriptions => _subscriptions.Count;

    public int Retained
    {
        get
        {
            lock (_retainedGate)
            {
                return _retained.Count;
            }
        }
    }

    /// <param name="nowMs">The broker's time.</param>
    /// <param name="message">As the publisher sent it.</param>
    /// <param name="publisher">Its session; null: the broker itself.</param>
    /// <param name="topic">Where the publisher's connection caches the way; null: not cached.</param>
    /// <param name="touched">Gets the connections that now have output; the caller schedules them.</param>
    /// <returns>Success, no matching subscribers, or quota exceeded (retained store full; delivered nevertheless).</returns>
    public MqttReason Publish(long nowMs, MqttMessage message, BrokerSession? publisher, TopicEntry? topic, Touched touched)
    {
        long expiresAtMs = message.MessageExpirySeconds is uint seconds ? nowMs + (seconds * 1000L) + 1 : long.MaxValue;
        bool stored = true;
        if (message.Retain)
        {
            lock (_retainedGate)
            {
                stored = _retained.Set(message, expiresAtMs);
            }
        }

        RouteTable table = Routes(message.Topic, topic);
        foreach (Route route in table.Routes)
        {
            Deliver(nowMs, message, route, publisher, expiresAtMs, touched);
        }

        foreach (SharedGroup group in table.Shared)
        {
            Deliver(nowMs, message, group.Pick(), publisher: null, expiresAtMs, touched);
        }

        return !stored ? MqttReason.QuotaExceeded
            : table.Routes.Length + table.Shared.Length == 0 ? MqttReason.NoMatchingSubscribers : MqttReason.Success;
    }

    /// <summary>Adds or replaces a subscription and sends the retained messages that it asks for (section 3.3.1.3).</summary>
    public MqttReason Subscribe(long nowMs, BrokerSession session, SubscribeRow row, uint id, Touched touched)
    {
        bool isNew;
        lock (session.Gate)
        {
            isNew = !session.Subscriptions.ContainsKey(row.Filter);
            if (session.IsEnded || (isNew && session.Subscriptions.Count >= options.SubscriptionsPerClientMax))
            {
                return MqttReason.QuotaExceeded;
            }

            var subscription = new Subscription(session, row, id);
            session.Subscriptions[row.Filter] = subscription;
            _subscriptions.Add(subscription);
        }

        if (!Topics.IsShared(row.Filter) && (row.RetainHandling == 0 || (row.RetainHandling == 1 && isNew)))
        {
            SendRetained(nowMs, session, row, id, touched);
        }

        return (MqttReason)row.Qos;
    }

    public MqttReason Unsubscribe(BrokerSession session, string filter)
    {
        lock (session.Gate)
        {
            if (!session.Subscriptions.Remove(filter))
            {
                return MqttReason.NoSubscriptionExisted;
            }

            _subscriptions.Remove(session, filter);
            return MqttReason.Success;
        }
    }

    /// <summary>The session is over: it gets nothing more.</summary>
    public void End(BrokerSession session)
    {
        lock (session.Gate)
        {
            session.IsEnded = true;
            foreach (string filter in session.Subscriptions.Keys)
            {
                _subscriptions.Remove(session, filter);
            }

            session.Subscriptions.Clear();
            session.State.Discard();
        }
    }

    public void Sweep(long nowMs)
    {
        lock (_retainedGate)
        {
            _retained.Sweep(nowMs);
        }
    }

    private RouteTable Routes(string topic, TopicEntry? cache)
    {
        if (cache is not null && cache.RoutesVersion == _subscriptions.Version)
        {
            return (RouteTable)cache.Routes!;
        }

        RouteTable table = _subscriptions.Match(topic, out int version);
        if (cache is not null)
        {
            cache.Routes = table;
            cache.RoutesVersion = version;
        }

        return table;
    }

    private void Deliver(
        long nowMs, MqttMessage message, Route route, BrokerSession? publisher, long expiresAtMs, Touched touched)
    {
        bool own = route.Session == publisher;
        int qos = own ? route.LocalQos : route.Qos;
        if (qos == Route.None)
        {
            return;
        }

        var item = new Outgoing
        {
            Message = message,
            Qos = (byte)Math.Min(qos, message.Qos),
            Retain = message.Retain && route.RetainAsPublished,
            SubscriptionIds = own ? route.LocalIds : route.Ids,
            ExpiresAtMs = expiresAtMs,
        };
        route.Session.Deliver(nowMs, in item, counters, touched);
    }

    private void SendRetained(long nowMs, BrokerSession session, SubscribeRow row, uint id, Touched touched)
    {
        var found = new List<Retained>();
        uint[]? ids = id == 0 ? null : [id];
        lock (_retainedGate)
        {
            _retained.Match(row.Filter, nowMs, found);
            foreach (Retained retained in found)
            {
                var item = new Outgoing
                {
                    Message = retained.Message,
                    Qos = Math.Min(row.Qos, retained.Message.Qos),
                    Retain = true,
                    SubscriptionIds = ids,
                    ExpiresAtMs = retained.ExpiresAtMs,
                };
                session.Deliver(nowMs, in item, counters, touched);
            }
        }
    }
}
