using System.Security.Cryptography;
using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Broker;

/// <summary>What the broker does with each packet of one client. Sans-IO: answers go into the session's output buffer.</summary>
internal sealed class PacketHandler(MqttBroker broker, BrokerConnection connection, Touched touched)
{
    private readonly InboundTopics _topics = new(broker.Options.TopicAliasMaximum);
    private BrokerSession? _session;
    private string? _userName;
    private bool _gaveExpiry;

    private MqttProtocol Protocol => connection.Protocol;

    /// <summary>Success, or why the connection must be closed.</summary>
    public MqttReason Handle(PacketFrame frame)
    {
        if (_session is null)
        {
            // Section 3.1.0: the first packet must be CONNECT. What is none gets no answer.
            if (frame.Type != PacketType.Connect)
            {
                return MqttReason.ProtocolError;
            }

            HandleConnect(frame);
            return MqttReason.Success;
        }

        switch (frame.Type)
        {
            case PacketType.Publish:
                return HandlePublish(frame);
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                return HandleAck(frame);
            case PacketType.Subscribe:
                return HandleSubscribe(frame);
            case PacketType.Unsubscribe:
                return HandleUnsubscribe(frame);
            case PacketType.PingReq:
                return HandlePing(frame);
            case PacketType.Disconnect:
                return HandleDisconnect(frame);
            default:
                // A second CONNECT, packets that only servers send, and AUTH without a method agreed on (section 4.12).
                return MqttReason.ProtocolError;
        }
    }

    private void HandleConnect(PacketFrame frame)
    {
        ConnectPacket? connect = ConnectPacket.Parse(frame.Body, out MqttReason error, out MqttProtocol answerIn);
        connection.Protocol = answerIn;
        if (connect is null)
        {
            broker.Counts.Malformed();
            if (answerIn == MqttProtocol.V5 || error == MqttReason.UnsupportedProtocolVersion)
            {
                connection.Refuse(new ConnAckPacket(error));
            }
            else
            {
                connection.Abandon(error.Describe());
            }

            return;
        }

        MqttBrokerOptions options = broker.Options;
        var login = new MqttLogin(connect.ClientId, connect.UserName, connect.Password, connection.Remote, connection.CertificateName);
        MqttReason refusal = broker.IsStopping ? MqttReason.ServerShuttingDown
            : connect.Properties?.Value(PropertyId.AuthMethod) is not null ? MqttReason.BadAuthenticationMethod
            : connect.ClientId.Length == 0 && connect is { Protocol: MqttProtocol.V311, CleanStart: false } ? MqttReason.ClientIdNotValid
            : !options.Admits(in login) ? MqttReason.BadUserNameOrPassword
            : MqttReason.Success;
        if (refusal != MqttReason.Success)
        {
            connection.Refuse(new ConnAckPacket(refusal));
            return;
        }

        Open(connect, options);
    }

    private void Open(ConnectPacket connect, MqttBrokerOptions options)
    {
        bool assigned = connect.ClientId.Length == 0;
        if (assigned)
        {
            connect = connect with { ClientId = "iotmesh-" + RandomNumberGenerator.GetHexString(16, lowercase: true) };
        }

        MqttProperties properties = Offer(connect, options, assigned);
        connection.Accepted = new ConnAckPacket(MqttReason.Success, false, connect.Protocol == MqttProtocol.V5 ? properties : null);
        var terms = new ConnectionTerms(
            connect.Protocol,
            (int)Math.Min((uint)options.SendMaximum, connect.Properties?.Number(PropertyId.ReceiveMaximum) ?? ushort.MaxValue),
            options.ReceiveMaximum,
            connect.Properties?.Number(PropertyId.MaximumPacketSize) ?? uint.MaxValue,
            options.OutputBytesMax);
        var wills = new List<MqttMessage>();
        BrokerSession? session = broker.Sessions.Open(connect, connection, terms, wills, out bool present);
        broker.PublishWills(wills, touched);
        if (session is null)
        {
            connection.Refuse(new ConnAckPacket(Protocol == MqttProtocol.V5 ? MqttReason.QuotaExceeded : MqttReason.ServerUnavailable));
            return;
        }

        _session = session;
        _userName = connection.CertificateName ?? connect.UserName;
        _gaveExpiry = session.ExpirySeconds > 0;
        connection.SetKeepAlive(connect.KeepAliveSeconds);
        lock (session.Gate)
        {
            if (session.Connection == connection)
            {
                broker.Counts.Sent(session.Refill(broker.NowMs, 0));
            }
        }

        broker.ClientOpened(connection, connect, present);
    }

    // CONNACK properties, section 3.2.2.3.
    private static MqttProperties Offer(ConnectPacket connect, MqttBrokerOptions options, bool assigned)
    {
        var properties = new MqttProperties();
        if (assigned)
        {
            properties.Add(PropertyId.AssignedClientId, connect.ClientId);
        }

        if (connect.Properties?.Number(PropertyId.SessionExpiry) > options.SessionExpirySecondsMax)
        {
            properties.Add(PropertyId.SessionExpiry, options.SessionExpirySecondsMax);
        }

        if (options.ReceiveMaximum < ushort.MaxValue)
        {
            properties.Add(PropertyId.ReceiveMaximum, (uint)options.ReceiveMaximum);
        }

        return properties.Add(PropertyId.MaximumPacketSize, (uint)options.PacketBytesMax)
            .Add(PropertyId.TopicAliasMaximum, (uint)options.TopicAliasMaximum);
    }

    private MqttReason HandlePublish(PacketFrame frame)
    {
        BrokerSession session = _session!;
        MqttReason error = PublishView.Parse(frame, Protocol, out PublishView publish);
        if (error != MqttReason.Success)
        {
            return error;
        }

        // Section 3.3.4: only a server sends subscription identifiers.
        if (publish.Properties?.Number(PropertyId.SubscriptionId) is not null)
        {
            return MqttReason.ProtocolError;
        }

        error = _topics.Resolve(in publish, out TopicEntry topic);
        if (error != MqttReason.Success)
        {
            return error;
        }

        broker.Counts.Received();
        bool deliver = true;
        if (publish.Qos > 0)
        {
            lock (session.Gate)
            {
                // Taken over meanwhile: this connection is not the session's any more.
                error = session.Connection == connection ? session.State.HandlePublish(in publish, out deliver) : MqttReason.SessionTakenOver;
            }

            if (error != MqttReason.Success || !deliver)
            {
                return error;
            }
        }

        MqttReason result = !MayPublish(topic.Topic) ? MqttReason.NotAuthorized
            : broker.Publish(Message(in publish, topic.Topic), session, topic, touched);
        if (publish.Qos > 0)
        {
            lock (session.Gate)
            {
                if (session.Connection == connection)
                {
                    session.State.Acknowledge(session.State.Generation, publish.PacketId, publish.Qos, Answer(result));
                }
            }
        }

        return MqttReason.Success;
    }

    private static MqttMessage Message(in PublishView publish, string topic) =>
        new(topic, publish.Payload.ToArray(), publish.Qos, publish.Retain) { Properties = publish.Properties };

    // 3.1.1 cannot refuse (section 3.3.5: acknowledge as usual, or close).
    private MqttReason Answer(MqttReason result) => Protocol == MqttProtocol.V5 ? result : MqttReason.Success;

    private bool MayPublish(string topic) =>
        topic.AsSpan().Count('/') < broker.Options.TopicLevelsMax && (broker.Options.Authorize is Func<MqttAccess, bool> authorize
            ? authorize(new MqttAccess(_session!.ClientId, _userName, topic, Publish: true))
            : !topic.StartsWith("$SYS/", StringComparison.Ordinal));

    private bool MaySubscribe(string filter) =>
        broker.Options.Authorize?.Invoke(new MqttAccess(_session!.ClientId, _userName, filter, Publish: false)) ?? true;

    private MqttReason HandleAck(PacketFrame frame)
    {
        MqttReason error = AckPacket.Parse(frame, Protocol, out AckPacket ack);
        if (error == MqttReason.Success)
        {
            lock (_session!.Gate)
            {
                if (_session.Connection == connection)
                {
                    broker.Counts.Sent(_session.Refill(broker.NowMs, _session.State.HandleAck(broker.NowMs, frame.Type, in ack)));
                }
            }
        }

        return error;
    }

    private MqttReason HandleSubscribe(PacketFrame frame)
    {
        SubscribePacket? subscribe = SubscribePacket.Parse(frame.Body, Protocol, out MqttReason error);
        if (subscribe is null)
        {
            return error;
        }

        // A subscription is made before its SUBACK is written, so that no message between the two is lost;
        // retained messages may then come first, which section 3.8.4 allows.
        uint id = subscribe.Properties?.Number(PropertyId.SubscriptionId) ?? 0;
        var reasons = new MqttReason[subscribe.Rows.Count];
        for (int i = 0; i < reasons.Length; i++)
        {
            SubscribeRow row = subscribe.Rows[i];
            bool valid = Topics.IsValidFilter(row.Filter) && row.Filter.AsSpan().Count('/') < broker.Options.TopicLevelsMax;
            reasons[i] = !valid ? MqttReason.TopicFilterInvalid : !MaySubscribe(row.Filter) ? MqttReason.NotAuthorized
                : broker.Router.Subscribe(broker.NowMs, _session!, row, id, touched);
        }

        Write(new SubAckPacket(subscribe.PacketId, reasons), PacketType.SubAck);
        return MqttReason.Success;
    }

    private MqttReason HandleUnsubscribe(PacketFrame frame)
    {
        UnsubscribePacket? unsubscribe = UnsubscribePacket.Parse(frame.Body, Protocol, out MqttReason error);
        if (unsubscribe is null)
        {
            return error;
        }

        var reasons = new MqttReason[unsubscribe.Filters.Count];
        for (int i = 0; i < reasons.Length; i++)
        {
            string filter = unsubscribe.Filters[i];
            reasons[i] = Topics.IsValidFilter(filter) ? broker.Router.Unsubscribe(_session!, filter) : MqttReason.TopicFilterInvalid;
        }

        Write(new SubAckPacket(unsubscribe.PacketId, reasons), PacketType.UnsubAck);
        return MqttReason.Success;
    }

    private void Write(SubAckPacket answer, PacketType type)
    {
        lock (_session!.Gate)
        {
            answer.Write(connection.Pump.Buffer, type, Protocol);
        }
    }

    private MqttReason HandlePing(PacketFrame frame)
    {
        MqttReason error = PingPacket.Parse(frame);
        if (error == MqttReason.Success)
        {
            lock (_session!.Gate)
            {
                PingPacket.Write(connection.Pump.Buffer, PacketType.PingResp);
            }
        }

        return error;
    }

    private MqttReason HandleDisconnect(PacketFrame frame)
    {
        DisconnectPacket? disconnect = DisconnectPacket.Parse(frame, Protocol, out MqttReason error);
        if (disconnect is null)
        {
            return error;
        }

        if (disconnect.Properties?.Number(PropertyId.SessionExpiry) is uint seconds)
        {
            // Section 3.14.2.2.2: a session that was to end with the connection cannot be prolonged at its end.
            if (seconds > 0 && !_gaveExpiry)
            {
                return MqttReason.ProtocolError;
            }

            lock (_session!.Gate)
            {
                if (_session.Connection == connection)
                {
                    _session.ExpirySeconds = Math.Min(seconds, broker.Options.SessionExpirySecondsMax);
                }
            }
        }

        connection.EndedNormally = disconnect.Reason == MqttReason.Success;
        connection.Abandon("disconnected");
        return MqttReason.Success;
    }
}
