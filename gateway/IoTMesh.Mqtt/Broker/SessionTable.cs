using IoTMesh.Mqtt.Codec;
using IoTMesh.Mqtt.Session;

namespace IoTMesh.Mqtt.Broker;

/// <summary>
/// All sessions by client id: opening, take-over, Wills, expiry (OASIS MQTT 5.0 sections 3.1.2.5, 3.1.4 and 4.1).
/// Locks: its own before a session's.
/// </summary>
internal sealed class SessionTable(MqttBrokerOptions options, MessageRouter router)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, BrokerSession> _sessions = [];
    private int _connected;

    public int Connected => Volatile.Read(ref _connected);

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _sessions.Count;
            }
        }
    }

    /// <summary>
    /// Binds a connection to the session of its client id, taking it over from an older connection. Null: too many clients.
    /// <paramref name="wills"/> gets what the take-over or the end of the old session publishes.
    /// </summary>
    public BrokerSession? Open(ConnectPacket connect, BrokerConnection connection, ConnectionTerms terms, List<MqttMessage> wills, out bool present)
    {
        present = false;
        lock (_gate)
        {
            _sessions.TryGetValue(connect.ClientId, out BrokerSession? session);
            bool room = session is not null ? session.IsConnected || _connected < options.ClientsMax
                : _connected < options.ClientsMax && _sessions.Count < options.SessionsMax;
            if (!room)
            {
                return null;
            }

            if (session is not null)
            {
                TakeOver(session, connect.CleanStart, wills);
                if (connect.CleanStart)
                {
                    router.End(session);
                    session = null;
                }
            }

            present = session is not null;
            session ??= new BrokerSession(connect.ClientId, options);
            _sessions[connect.ClientId] = session;
            _connected++;
            lock (session.Gate)
            {
                connection.Accept(session, present); // CONNACK goes out before anything that others send to the session
                session.ExpirySeconds = SessionExpirySeconds(connect);
                session.Will = connect.Will;
                session.Attach(connection, terms);
            }

            return session;
        }
    }

    /// <summary>The connection is gone. Publishes nothing itself: a Will that is due now is added to <paramref name="wills"/>.</summary>
    /// <param name="nowMs">The broker's time.</param>
    /// <param name="connection">Whose session it was.</param>
    /// <param name="normal">DISCONNECT with reason 0 came first: the Will is forgotten (section 3.1.2.5).</param>
    /// <param name="wills">Gets the Will.</param>
    public void Close(long nowMs, BrokerConnection connection, bool normal, List<MqttMessage> wills)
    {
        lock (_gate)
        {
            BrokerSession? session = connection.Session;
            if (session is null)
            {
                return;
            }

            lock (session.Gate)
            {
                if (session.Connection != connection)
                {
                    return; // taken over
                }

                session.Detach();
                _connected--;
                session.ExpiresAtMs = session.ExpirySeconds == uint.MaxValue ? long.MaxValue : nowMs + (session.ExpirySeconds * 1000L);
                if (normal)
                {
                    session.Will = null;
                }

                session.WillAtMs = session.Will is null ? long.MaxValue : nowMs + ((session.Will.WillDelaySeconds ?? 0) * 1000L);
            }

            Settle(nowMs, session, wills);
        }
    }

    /// <summary>Ends sessions and collects Wills whose time has come.</summary>
    public void HandleTimeout(long nowMs, List<MqttMessage> wills)
    {
        lock (_gate)
        {
            foreach (BrokerSession session in _sessions.Values)
            {
                if (!session.IsConnected)
                {
                    Settle(nowMs, session, wills); // removing while enumerating is allowed for Dictionary
                }
            }
        }
    }

    private void TakeOver(BrokerSession session, bool cleanStart, List<MqttMessage> wills)
    {
        BrokerConnection? old;
        lock (session.Gate)
        {
            old = session.Connection;
            // Section 3.1.3.2.2: a delayed Will is not published if the session goes on before the delay has passed.
            if (session.Will is not null && (cleanStart || (old is not null && (session.Will.WillDelaySeconds ?? 0) == 0)))
            {
                wills.Add(session.Will);
            }

            session.Will = null;
            old?.WriteDisconnect(MqttReason.SessionTakenOver);
            if (old is not null)
            {
                session.Detach();
                _connected--;
            }
        }

        old?.Abandon("another connection took the client id over");
    }

    private void Settle(long nowMs, BrokerSession session, List<MqttMessage> wills)
    {
        bool ended = session.ExpiresAtMs <= nowMs;
        if (session.Will is not null && (ended || session.WillAtMs <= nowMs))
        {
            wills.Add(session.Will);
            session.Will = null;
        }

        if (ended)
        {
            _sessions.Remove(session.ClientId);
            router.End(session);
        }
    }

    private uint SessionExpirySeconds(ConnectPacket connect)
    {
        uint wanted = connect.Protocol == MqttProtocol.V5 ? connect.Properties?.Number(PropertyId.SessionExpiry) ?? 0
            : connect.CleanStart ? 0 : uint.MaxValue;
        return Math.Min(wanted, options.SessionExpirySecondsMax);
    }
}
