using System.Diagnostics;
using IoTMesh.Mqtt.Codec;

namespace IoTMesh.Mqtt.Session;

/// <summary>A message on its way to one peer.</summary>
internal struct Outgoing
{
    public MqttMessage Message;
    public byte Qos;
    public bool Retain;
    public uint[]? SubscriptionIds;

    /// <summary><see cref="long.MaxValue"/>: never.</summary>
    public long ExpiresAtMs;

    /// <summary>Comes back in a <see cref="Completion"/> once the peer has the message; null: nobody waits.</summary>
    public object? Token;
}

/// <summary>What became of a packet that somebody waits for.</summary>
/// <param name="Token">Given with the packet.</param>
/// <param name="Reason">The peer's answer.</param>
/// <param name="Reasons">Of SUBACK and UNSUBACK.</param>
/// <param name="Lost">The connection or session went away first; no answer will come.</param>
internal readonly record struct Completion(object Token, MqttReason Reason, IReadOnlyList<MqttReason>? Reasons = null, bool Lost = false);

internal enum SendResult
{
    Sent,
    Queued,
    Full,
    TooLarge,
    Expired,
}

/// <summary>What the two sides agreed on for one connection.</summary>
internal readonly record struct ConnectionTerms(
    MqttProtocol Protocol,
    int SendMaximum,
    int ReceiveMaximum,
    uint PacketBytesMax = uint.MaxValue,
    int OutputBytesMax = int.MaxValue);

/// <summary>
/// The state of a session (OASIS MQTT 5.0 section 4.1) and its QoS protocols (section 4.3), the same for client and broker.
/// Sans-IO: packets and time come in as arguments, bytes go out through the connection's buffer, acknowledgements
/// through <see cref="Completions"/>. Not thread-safe: its owner's lock guards it.
/// </summary>
internal sealed class MqttSession(int queuedMax, long queuedBytesMax)
{
    private const int PacketIds = 65_535;

    private readonly InFlightRing _ring = new();
    private readonly Queue<Outgoing> _queue = new();
    private readonly ReceivingHalf _receiving = new();
    private OutputBuffer? _output;
    private ConnectionTerms _terms;
    private long _resend;      // first ring entry that is not yet on this connection
    private int _inFlight;     // against the peer's receive maximum
    private long _queuedBytes;

    public List<Completion> Completions { get; } = [];

    /// <summary>Counts connections, so that a late acknowledgement does not reach the wrong one.</summary>
    public int Generation { get; private set; }

    public bool IsAttached => _output is not null;

    public int Queued => _queue.Count;

    public int InFlight => _inFlight;

    public long Expired { get; private set; }

    /// <summary>The session gets a connection; nothing is sent before <see cref="Pump"/>.</summary>
    public void Attach(OutputBuffer output, ConnectionTerms terms)
    {
        _output = output;
        _terms = terms;
        _resend = _ring.Head;
        _inFlight = 0;
        _receiving.Attach(terms);
        Generation++;
    }

    public void Detach()
    {
        _output = null;
        // SUBSCRIBE and UNSUBSCRIBE are not part of the session: who waits for them learns that the connection is gone.
        for (long seq = _ring.Head; seq < _ring.Tail; seq++)
        {
            ref InFlight entry = ref _ring[seq];
            if (entry.State == InFlightState.AwaitsRequestAck)
            {
                Complete(ref entry, seq, MqttReason.Success, null, lost: true);
            }
        }
    }

    /// <summary>Forgets everything: the peer has no session any more. Waiting tokens complete as lost.</summary>
    public void Discard()
    {
        for (long seq = _ring.Head; seq < _ring.Tail; seq++)
        {
            if (_ring[seq].Token is object token)
            {
                Completions.Add(new Completion(token, MqttReason.Success, Lost: true));
            }
        }

        foreach (Outgoing item in _queue)
        {
            if (item.Token is not null)
            {
                Completions.Add(new Completion(item.Token, MqttReason.Success, Lost: true));
            }
        }

        _ring.Clear();
        _queue.Clear();
        _receiving.Clear();
        _queuedBytes = 0;
        _resend = _ring.Head;
        _inFlight = 0;
    }

    /// <summary>Sends now or queues. QoS 0 is never queued: Full where there is no connection or no room in its buffer.</summary>
    public SendResult Send(long nowMs, in Outgoing item)
    {
        if (_output is not null && !Fits(in item))
        {
            return SendResult.TooLarge;
        }

        bool room = _output is not null && _output.Count < _terms.OutputBytesMax;
        if (item.Qos == 0)
        {
            return room ? Write(nowMs, in item, 0) : SendResult.Full;
        }

        if (room && _queue.Count == 0 && CanStart())
        {
            return Start(nowMs, in item);
        }

        long bytes = Bytes(item.Message);
        if (_queue.Count >= queuedMax || _queuedBytes + bytes > queuedBytesMax)
        {
            return SendResult.Full;
        }

        _queue.Enqueue(item);
        _queuedBytes += bytes;
        return SendResult.Queued;
    }

    /// <summary>
    /// Resends and sends what the window and the buffer have room for (sections 4.4 and 4.9).
    /// Returns how many messages left the queue.
    /// </summary>
    public int Pump(long nowMs)
    {
        int sent = 0;
        while (_output is not null && _output.Count < _terms.OutputBytesMax)
        {
            if (_resend < _ring.Tail)
            {
                if (_inFlight >= _terms.SendMaximum)
                {
                    break;
                }

                Resend(nowMs, ref _ring[_resend++]);
            }
            else if (_queue.Count > 0 && CanStart())
            {
                Outgoing item = _queue.Dequeue();
                _queuedBytes -= Bytes(item.Message);
                SendResult result = Fits(in item) ? Start(nowMs, in item) : SendResult.TooLarge;
                sent += result == SendResult.Sent ? 1 : 0;
                if (result != SendResult.Sent && item.Token is not null)
                {
                    Completions.Add(new Completion(item.Token, MqttReason.PacketTooLarge));
                }
            }
            else
            {
                break;
            }
        }

        return sent;
    }

    /// <summary>Takes a packet id for a SUBSCRIBE or UNSUBSCRIBE; 0: all are taken.</summary>
    public ushort BeginRequest(object token)
    {
        if (_ring.Count >= PacketIds - 1)
        {
            return 0;
        }

        if (_resend == _ring.Tail)
        {
            _resend++;
        }

        return _ring.Add(new InFlight { State = InFlightState.AwaitsRequestAck, Token = token });
    }

    public void HandleRequestAck(ushort packetId, IReadOnlyList<MqttReason> reasons)
    {
        long seq = _ring.Find(packetId);
        if (seq >= 0 && _ring[seq].State == InFlightState.AwaitsRequestAck)
        {
            Complete(ref _ring[seq], seq, MqttReason.Success, reasons);
        }
    }

    /// <summary>
    /// PUBACK, PUBREC, PUBREL or PUBCOMP of the peer. An unknown packet id is answered or ignored, never fatal (section 4.3).
    /// Returns as <see cref="Pump"/>.
    /// </summary>
    public int HandleAck(long nowMs, PacketType type, in AckPacket ack)
    {
        if (type == PacketType.PubRel)
        {
            _receiving.HandlePubRel(ack.PacketId, _output!);
            return 0;
        }

        long seq = _ring.Find(ack.PacketId);
        InFlightState state = seq < 0 ? InFlightState.Done : _ring[seq].State;
        if (type == PacketType.PubRec)
        {
            HandlePubRec(seq, state, in ack);
        }
        else if (state == (type == PacketType.PubAck ? InFlightState.AwaitsPubAck : InFlightState.AwaitsPubComp))
        {
            // Section 3.7.2.1: "packet id not found" in a PUBCOMP is no error after a reconnect: the first PUBCOMP was lost.
            Complete(ref _ring[seq], seq, type == PacketType.PubComp ? MqttReason.Success : ack.Reason, null);
        }

        return Pump(nowMs);
    }

    /// <inheritdoc cref="ReceivingHalf.HandlePublish"/>
    public MqttReason HandlePublish(in PublishView publish, out bool deliver) => _receiving.HandlePublish(in publish, _output!, out deliver);

    /// <summary>PUBACK or PUBREC for a message that has been delivered, on the connection it came by.</summary>
    public void Acknowledge(int generation, ushort packetId, byte qos, MqttReason reason)
    {
        if (_output is not null && generation == Generation)
        {
            _receiving.Acknowledge(packetId, qos, reason, _output);
        }
    }

    private static long Bytes(MqttMessage message) => message.Payload.Length + (2L * message.Topic.Length) + 64;

    private bool CanStart() => _inFlight < _terms.SendMaximum && _resend == _ring.Tail && _ring.Count < PacketIds - 1;

    private bool Fits(in Outgoing item)
    {
        if (_terms.PacketBytesMax == uint.MaxValue)
        {
            return true;
        }

        PublishPacket packet = Packet(in item, 1, item.ExpiresAtMs == long.MaxValue ? null : 1);
        return packet.Length(_terms.Protocol, item.Message) <= _terms.PacketBytesMax;
    }

    private SendResult Start(long nowMs, in Outgoing item)
    {
        if (item.ExpiresAtMs <= nowMs)
        {
            Expired++;
            return SendResult.Expired;
        }

        _resend++;
        _inFlight++;
        ushort id = _ring.Add(new InFlight
        {
            State = item.Qos == 1 ? InFlightState.AwaitsPubAck : InFlightState.AwaitsPubRec,
            Item = item,
            Token = item.Token,
        });
        return Write(nowMs, in item, id);
    }

    private void Resend(long nowMs, ref InFlight entry)
    {
        Debug.Assert(_output is not null, "only while attached");
        switch (entry.State)
        {
            case InFlightState.AwaitsPubAck or InFlightState.AwaitsPubRec:
                _inFlight++;
                uint? left = SecondsLeft(nowMs, entry.Item.ExpiresAtMs);
                PublishPacket packet = Packet(in entry.Item, entry.PacketId, left, duplicate: true);
                packet.Write(_output, _terms.Protocol, entry.Item.Message);
                break;
            case InFlightState.AwaitsPubComp:
                _inFlight++;
                new AckPacket(entry.PacketId).Write(_output, PacketType.PubRel, _terms.Protocol);
                break;
        }
    }

    private SendResult Write(long nowMs, in Outgoing item, ushort packetId)
    {
        if (item.ExpiresAtMs <= nowMs)
        {
            Expired++;
            return SendResult.Expired;
        }

        Packet(in item, packetId, SecondsLeft(nowMs, item.ExpiresAtMs)).Write(_output!, _terms.Protocol, item.Message);
        return SendResult.Sent;
    }

    private static uint? SecondsLeft(long nowMs, long expiresAtMs) =>
        expiresAtMs == long.MaxValue ? null : (uint)Math.Max(1, (expiresAtMs - nowMs + 999) / 1000);

    private static PublishPacket Packet(in Outgoing item, ushort packetId, uint? expirySeconds, bool duplicate = false) => new()
    {
        Qos = item.Qos,
        Retain = item.Retain,
        Duplicate = duplicate,
        PacketId = packetId,
        ExpirySeconds = expirySeconds,
        SubscriptionIds = item.SubscriptionIds,
    };

    private void HandlePubRec(long seq, InFlightState state, in AckPacket ack)
    {
        if (state is InFlightState.AwaitsPubRec && ack.Reason >= MqttReason.UnspecifiedError)
        {
            Complete(ref _ring[seq], seq, ack.Reason, null);
        }
        else if (state is InFlightState.AwaitsPubRec or InFlightState.AwaitsPubComp)
        {
            ref InFlight entry = ref _ring[seq];
            entry.State = InFlightState.AwaitsPubComp;
            entry.Item = default; // section 4.3.3: the message may be discarded
            new AckPacket(ack.PacketId).Write(_output!, PacketType.PubRel, _terms.Protocol);
        }
        else
        {
            MqttReason reason = _terms.Protocol == MqttProtocol.V5 ? MqttReason.PacketIdNotFound : MqttReason.Success;
            new AckPacket(ack.PacketId, reason).Write(_output!, PacketType.PubRel, _terms.Protocol);
        }
    }

    private void Complete(ref InFlight entry, long seq, MqttReason reason, IReadOnlyList<MqttReason>? reasons, bool lost = false)
    {
        if (entry.State != InFlightState.AwaitsRequestAck && seq < _resend)
        {
            _inFlight--;
        }

        if (entry.Token is not null)
        {
            Completions.Add(new Completion(entry.Token, reason, reasons, lost));
        }

        _ring.Remove(seq);
        _resend = Math.Max(_resend, _ring.Head);
    }
}
