using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Client;

internal enum ClientEventKind
{
    None,
    Connected,
    Message,
    Ended,
}

/// <summary>What one packet or the clock brought about.</summary>
internal readonly record struct ClientEvent(
    ClientEventKind Kind,
    string Text = "",
    MqttReason Reason = MqttReason.Success,
    MqttMessage? Message = null,
    ushort PacketId = 0,
    int Generation = 0);

/// <summary>
/// The client's protocol (OASIS MQTT 5.0 chapters 3 and 4): packets and time in, bytes into the connection's buffer, events out.
/// Sans-IO; its owner's lock guards it.
/// </summary>
internal sealed class ClientCore(MqttClientOptions options)
{
    private const int OutputBytesMax = 1 << 20;
    private const int FiltersPerPacket = 100;

    private readonly Dictionary<string, byte> _subscriptions = [];
    private readonly HashSet<string> _unconfirmed = [];
    private InboundTopics _topics = new(0);
    private OutputBuffer? _output;
    private string _clientId = options.ClientId;
    private bool _wasConnected;
    private byte _qosMaximum = 2;
    private bool _retainAvailable = true;
    private long _keepAliveMs;
    private long _answerDueMs;   // of the CONNECT, later of a PINGREQ
    private long _lastReceivedMs;
    private long _lastPingMs;

    public MqttSession Session { get; } = new(options.QueuedMessagesMax, long.MaxValue);

    public bool IsConnected { get; private set; }

    public string ClientId => _clientId;

    private bool KeepsSession => options.Protocol == MqttProtocol.V5 ? options.SessionExpirySeconds > 0 : !options.CleanStart;

    /// <summary>A connection has opened: writes CONNECT.</summary>
    public void Begin(long nowMs, OutputBuffer output)
    {
        if (_clientId.Length == 0 && options.Protocol == MqttProtocol.V311)
        {
            _clientId = "iotmesh-" + Guid.NewGuid().ToString("N")[..12];
        }

        _output = output;
        _topics = new InboundTopics(0);
        _answerDueMs = nowMs + (long)options.ConnectTimeout.TotalMilliseconds;
        _keepAliveMs = 0;
        MqttProperties properties = new MqttProperties()
            .Add(PropertyId.ReceiveMaximum, (uint)options.ReceiveMaximum)
            .Add(PropertyId.MaximumPacketSize, (uint)options.PacketBytesMax);
        if (options.SessionExpirySeconds > 0)
        {
            properties.Add(PropertyId.SessionExpiry, options.SessionExpirySeconds);
        }

        new ConnectPacket
        {
            Protocol = options.Protocol,
            CleanStart = options.CleanStart && !(_wasConnected && KeepsSession),
            KeepAliveSeconds = (ushort)Math.Clamp(options.KeepAliveSeconds, 0, ushort.MaxValue),
            ClientId = _clientId,
            Properties = properties,
            Will = options.Will,
            UserName = options.UserName,
            Password = options.Password is null ? null : System.Text.Encoding.UTF8.GetBytes(options.Password),
        }.Write(output);
    }

    /// <summary>The connection is gone. What waits for an acknowledgement goes on waiting only where the session can be resumed.</summary>
    public void End()
    {
        IsConnected = false;
        _output = null;
        Session.Detach();
        if (!KeepsSession)
        {
            Session.Discard();
        }
    }

    public ClientEvent Handle(long nowMs, PacketFrame frame)
    {
        _lastReceivedMs = nowMs;
        if (!IsConnected)
        {
            return frame.Type == PacketType.ConnAck ? HandleConnAck(nowMs, frame) : Broken(MqttReason.ProtocolError);
        }

        switch (frame.Type)
        {
            case PacketType.Publish:
                return HandlePublish(frame);
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                MqttReason error = AckPacket.Parse(frame, options.Protocol, out AckPacket ack);
                if (error == MqttReason.Success)
                {
                    Session.HandleAck(nowMs, frame.Type, in ack);
                }

                return error == MqttReason.Success ? default : Broken(error);
            case PacketType.SubAck or PacketType.UnsubAck:
                SubAckPacket? answer = SubAckPacket.Parse(frame, options.Protocol, out error);
                if (answer is not null)
                {
                    Session.HandleRequestAck(answer.PacketId, answer.Reasons);
                }

                return answer is null ? Broken(error) : default;
            case PacketType.PingResp:
                _answerDueMs = long.MaxValue;
                return default;
            case PacketType.Disconnect:
                DisconnectPacket? disconnect = DisconnectPacket.Parse(frame, options.Protocol, out error);
                return disconnect is null ? Broken(error)
                    : Ended($"closed the connection: {Text(disconnect.Reason, disconnect.Properties)}", disconnect.Reason);
            default:
                return Broken(MqttReason.ProtocolError);
        }
    }

    /// <summary>What came is no packet at all, or too large a one.</summary>
    public ClientEvent Reject(MqttReason reason) => Broken(reason);

    /// <summary>Pings, and notices that no answer came (section 3.1.2.10). Early calls do nothing.</summary>
    public ClientEvent HandleTimeout(long nowMs)
    {
        if (_output is not null && nowMs >= _answerDueMs)
        {
            return Ended(IsConnected ? "has not answered a ping" : "has not answered CONNECT in time", MqttReason.KeepAliveTimeout);
        }

        bool silent = nowMs - _lastReceivedMs >= _keepAliveMs / 2 && _answerDueMs == long.MaxValue;
        bool due = nowMs - _lastPingMs >= _keepAliveMs * 3 / 4;
        if (IsConnected && _keepAliveMs > 0 && (due || silent))
        {
            PingPacket.Write(_output!, PacketType.PingReq);
            _lastPingMs = nowMs;
            _answerDueMs = Math.Min(_answerDueMs, nowMs + Math.Max(1_000, _keepAliveMs / 2));
        }

        return default;
    }

    /// <summary>Success, or why the message was not taken. <paramref name="full"/>: try again once the buffer has room.</summary>
    public MqttReason Publish(long nowMs, MqttMessage message, object? token, out bool full)
    {
        full = false;
        if (message.Qos > _qosMaximum)
        {
            return MqttReason.QosNotSupported;
        }

        if (message.Retain && !_retainAvailable)
        {
            return MqttReason.RetainNotSupported;
        }

        SendResult result = Session.Send(nowMs, new Outgoing
        {
            Message = message,
            Qos = message.Qos,
            Retain = message.Retain,
            Token = token,
            ExpiresAtMs = message.MessageExpirySeconds is uint seconds ? nowMs + (seconds * 1000L) + 1 : long.MaxValue,
        });
        full = result == SendResult.Full && message.Qos == 0;
        return result switch
        {
            SendResult.TooLarge => MqttReason.PacketTooLarge,
            SendResult.Full => MqttReason.QuotaExceeded,
            _ => MqttReason.Success,
        };
    }

    /// <summary>Remembers a subscription. False: nothing was sent, because there is no connection.</summary>
    public bool Subscribe(string filter, byte qos, PendingRequest token)
    {
        _subscriptions[filter] = qos;
        _unconfirmed.Add(filter);
        return IsConnected && WriteSubscribe([filter], token);
    }

    /// <summary>The broker has answered. What it granted need not be asked again on a resumed session; what it refused is forgotten.</summary>
    public void Settle(PendingRequest request, IReadOnlyList<MqttReason> reasons)
    {
        for (int i = 0; i < Math.Min(reasons.Count, request.Filters.Length); i++)
        {
            _unconfirmed.Remove(request.Filters[i]);
            if (reasons[i] >= MqttReason.UnspecifiedError)
            {
                Forget(request.Filters[i]);
            }
        }
    }

    private void Forget(string filter)
    {
        _subscriptions.Remove(filter);
        _unconfirmed.Remove(filter);
    }

    public bool Unsubscribe(string filter, PendingRequest token)
    {
        Forget(filter);
        ushort id = IsConnected ? Session.BeginRequest(token) : (ushort)0;
        if (id != 0)
        {
            new UnsubscribePacket(id, [filter]).Write(_output!, options.Protocol);
        }

        return id != 0;
    }

    /// <summary>Makes the remembered subscriptions that the broker does not have.</summary>
    private void Resubscribe(bool sessionPresent)
    {
        if (!sessionPresent)
        {
            _unconfirmed.UnionWith(_subscriptions.Keys);
        }

        foreach (string[] filters in _unconfirmed.ToArray().Chunk(FiltersPerPacket))
        {
            WriteSubscribe(filters, new PendingRequest(filters, isAwaited: false));
        }
    }

    public void Acknowledge(in ClientEvent received)
    {
        if (received.Message!.Qos > 0)
        {
            Session.Acknowledge(received.Generation, received.PacketId, received.Message.Qos, MqttReason.Success);
        }
    }

    public void Disconnect() => WriteDisconnect(MqttReason.Success);

    private static string Text(MqttReason reason, MqttProperties? properties) =>
        properties?.Value(PropertyId.ReasonString) is string said ? $"{reason.Describe()}, \"{said}\"" : reason.Describe();

    private static ClientEvent Ended(string text, MqttReason reason) => new(ClientEventKind.Ended, text, reason);

    private void WriteDisconnect(MqttReason reason)
    {
        if (IsConnected)
        {
            new DisconnectPacket(reason).Write(_output!, PacketType.Disconnect, options.Protocol);
        }
    }

    // Section 4.13: the broker's packet is broken; say so and go.
    private ClientEvent Broken(MqttReason reason)
    {
        WriteDisconnect(reason);
        return Ended($"sent a packet that breaks the standard: {reason.Describe()}", reason);
    }

    private bool WriteSubscribe(string[] filters, PendingRequest token)
    {
        ushort id = Session.BeginRequest(token);
        if (id != 0)
        {
            var rows = Array.ConvertAll(filters, filter => new SubscribeRow(filter, _subscriptions[filter]));
            new SubscribePacket(id, rows).Write(_output!, options.Protocol);
        }

        return id != 0;
    }

    private ClientEvent HandleConnAck(long nowMs, PacketFrame frame)
    {
        ConnAckPacket? answer = ConnAckPacket.Parse(frame.Body, options.Protocol, out MqttReason error);
        if (answer is null)
        {
            return Broken(error);
        }

        MqttProperties? properties = answer.Properties;
        if (answer.Reason != MqttReason.Success)
        {
            return Ended($"refused the connection: {Text(answer.Reason, properties)}", answer.Reason);
        }

        IsConnected = true;
        _wasConnected = true;
        _clientId = (string?)properties?.Value(PropertyId.AssignedClientId) ?? _clientId;
        _qosMaximum = (byte)(properties?.Number(PropertyId.MaximumQos) ?? 2);
        _retainAvailable = properties?.Number(PropertyId.RetainAvailable) != 0;
        _keepAliveMs = 1000L * (properties?.Number(PropertyId.ServerKeepAlive) ?? (uint)options.KeepAliveSeconds);
        _answerDueMs = long.MaxValue;
        _lastPingMs = nowMs;
        if (!answer.SessionPresent)
        {
            Session.Discard(); // section 3.2.2.1.1
        }

        Session.Attach(_output!, new ConnectionTerms(
            options.Protocol,
            (int)Math.Min((uint)options.SendMaximum, properties?.Number(PropertyId.ReceiveMaximum) ?? ushort.MaxValue),
            options.ReceiveMaximum,
            properties?.Number(PropertyId.MaximumPacketSize) ?? uint.MaxValue,
            OutputBytesMax));
        Session.Pump(nowMs);
        Resubscribe(answer.SessionPresent);
        return new ClientEvent(ClientEventKind.Connected, answer.SessionPresent ? "session resumed" : "new session");
    }

    private ClientEvent HandlePublish(PacketFrame frame)
    {
        MqttReason error = PublishView.Parse(frame, options.Protocol, out PublishView publish);
        TopicEntry topic = null!;
        if (error == MqttReason.Success)
        {
            error = _topics.Resolve(in publish, out topic);
        }

        bool deliver = true;
        if (error == MqttReason.Success && publish.Qos > 0)
        {
            error = Session.HandlePublish(in publish, out deliver);
        }

        if (error != MqttReason.Success)
        {
            return Broken(error);
        }

        return !deliver ? default : new ClientEvent(
            ClientEventKind.Message,
            Message: new MqttMessage(topic.Topic, publish.Payload.ToArray(), publish.Qos, publish.Retain) { Properties = publish.Properties },
            PacketId: publish.PacketId,
            Generation: Session.Generation);
    }
}
