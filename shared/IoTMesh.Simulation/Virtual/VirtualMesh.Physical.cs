using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <content>Frames over the physical radio model: queue, channel access, transmission, the radio's own acknowledgement, reception.</content>
public sealed partial class VirtualMesh
{
    // From the core's output until the radio has the frame: software, another time for each frame, so that nodes whose timers end in the same
    // millisecond do not send in the same microsecond.
    private const int ReadyUsMin = 100;
    private const int ReadyUsMax = 1_500;
    private const int RadioQueueMax = 32;
    private readonly PhysicalChannel? _channel;
    private readonly ChannelAccess? _access;
    private readonly RadioNode[] _radios = [];
    private readonly SeededRandom? _readiness;
    private readonly List<Reception> _outcomes = [];
    private long _linkBytes;
    private long _airtimeUs;

    /// <summary>Receptions that other signals, or the receiver's own, spoiled; 0 in the simple model.</summary>
    public long CollisionCount { get; private set; }

    /// <summary>Bytes on the air with what the radio adds: headers, checksum, its own acknowledgements and retries; no preambles.</summary>
    public long LinkBytesOnAir => _channel is not null
        ? _linkBytes
        : BytesOnAir + (FramesOnAir * (_options.Radio.Phy.OverheadBytes + (_options.Radio.Phy.IsAcknowledged ? Phy.AckLength : 0)));

    /// <summary>Time that all transmissions took together, preambles included.</summary>
    public double AirtimeSeconds => (_channel is not null
        ? _airtimeUs
        : (FramesOnAir * _options.Airtime.PreambleUs) + (BytesOnAir * 8e6 / _options.Airtime.BitsPerSecond)) / 1e6;

    private void HandleRadio(in SimulationEvent happened)
    {
        switch (happened.Kind)
        {
            case EventKind.RadioReady:
                HandleRadioReady(happened.A, happened.B);
                break;
            case EventKind.RadioAccess:
                HandleRadioAccess(happened.A, happened.B);
                break;
            case EventKind.RadioEnd:
                HandleRadioEnd(happened.A);
                break;
            case EventKind.RadioAck:
                HandleRadioAck(happened.A, happened.B);
                break;
            case EventKind.RadioTimeout:
                HandleRadioTimeout(happened.A, happened.B);
                break;
            case EventKind.RadioHeard:
                HandleRadioHeard(happened.A);
                break;
        }
    }

    private void Enqueue(VirtualNode node, int slot, int token)
    {
        RadioNode radio = _radios[node.Id];
        if (radio.Queue.Count >= RadioQueueMax)
        {
            _flights.Free(slot);
            node.Core!.HandleTransmitResult(LocalMs(node), token, false);
            return;
        }

        radio.Queue.Enqueue(slot);
        if (radio.Queue.Count == 1 && radio.Current < 0)
        {
            _events.Add(NowUs + ReadyUsMin + _readiness!.NextInt(ReadyUsMax - ReadyUsMin), EventKind.RadioReady, node.Id, radio.Attempt);
        }
    }

    private void HandleRadioReady(int node, int attempt)
    {
        RadioNode radio = _radios[node];
        if (radio.Attempt == attempt && radio.Current < 0 && radio.Queue.TryDequeue(out int slot))
        {
            radio.Current = slot;
            radio.Tries = 0;
            _access!.Want(node, NowUs);
        }
    }

    private void HandleRadioAccess(int node, int generation)
    {
        RadioNode radio = _radios[node];
        if (!_access!.MaySend(node, generation) || radio.Current < 0)
        {
            return;
        }

        Flight flight = _flights[radio.Current];
        bool isBroadcast = Topology.IsBroadcast(flight.Destination);
        Phy phy = _options.Radio.Phy;
        radio.IsOnAir = true;
        Begin(
            new Transmission { Slot = radio.Current, From = node, To = isBroadcast ? 0 : flight.Destination, RateMbps = phy.RateOf(isBroadcast) },
            flight.Length + phy.OverheadBytes,
            phy.FrameUs(flight.Length, isBroadcast));
    }

    private void Begin(Transmission transmission, int bytes, long durationUs)
    {
        transmission.StartUs = NowUs;
        int index = _channel!.Begin(transmission, NowUs);
        _access!.SignalBegins(transmission.From, _channel[index].Hearers, NowUs);
        _linkBytes += bytes;
        _airtimeUs += durationUs;
        _events.Add(NowUs + durationUs, EventKind.RadioEnd, index);
    }

    private void HandleRadioEnd(int index)
    {
        Transmission ended = _channel![index];
        _outcomes.Clear();
        _channel.End(index, NowUs, _outcomes);
        _access!.SignalEnds(ended.From, ended.Hearers, NowUs);
        if (ended.IsAck)
        {
            RadioNode awaiting = _radios[ended.To];
            if (awaiting.Attempt == ended.Slot && _outcomes.Exists(outcome => outcome.Fate == Fate.Delivered))
            {
                Complete(ended.To);
            }

            return;
        }

        Flight flight = _flights[ended.Slot];
        VirtualNode sender = _nodes[ended.From - 1];
        if (sender.Core is null || sender.Incarnation != flight.Incarnation)
        {
            _receptions.Clear();
            Tell(flight, isCutShort: true);
            _flights.Free(ended.Slot);
            return;
        }

        _radios[ended.From].IsOnAir = false;
        CollisionCount += _outcomes.Count(outcome => outcome.Fate == Fate.Collided);
        Conclude(ended, flight);
    }

    /// <summary>Hands on what was received, and awaits or does without the radio's acknowledgement.</summary>
    private void Conclude(in Transmission ended, Flight flight)
    {
        RadioNode radio = _radios[ended.From];
        bool isAwaited = ended.To != 0 && _options.Radio.Phy.IsAcknowledged;
        bool isReceived = _outcomes.Exists(outcome => outcome.Fate == Fate.Delivered);

        // The receiver's radio knows a repetition by its sequence number.
        if (!radio.IsReceived)
        {
            int heard = _flights.TakeHeard(flight, _outcomes);
            _events.Add(NowUs + _options.LatencyUs, EventKind.RadioHeard, heard);
        }

        if (!isAwaited)
        {
            Complete(ended.From);
            return;
        }

        radio.IsReceived |= isReceived;
        if (isReceived)
        {
            _events.Add(NowUs + Phy.SifsUs, EventKind.RadioAck, ended.To, ended.From);
        }

        _events.Add(NowUs + Phy.SifsUs + _options.Radio.Phy.AckUs + Phy.SlotUs, EventKind.RadioTimeout, ended.From, radio.Attempt);
    }

    private void HandleRadioAck(int node, int to)
    {
        if (!_channel!.IsSending(node) && Medium.IsOn(node))
        {
            Phy phy = _options.Radio.Phy;
            Transmission ack = new() { Slot = _radios[to].Attempt, From = node, To = to, IsAck = true, RateMbps = phy.RateMbps };
            Begin(ack, Phy.AckLength, phy.AckUs);
        }
    }

    private void HandleRadioTimeout(int node, int attempt)
    {
        RadioNode radio = _radios[node];
        if (radio.Attempt != attempt)
        {
            return;
        }

        if (++radio.Tries >= _options.Radio.Phy.TriesMax)
        {
            Complete(node);
            return;
        }

        radio.Attempt++;
        _access!.Want(node, NowUs, radio.Tries);
    }

    /// <summary>The radio is through with its frame. UDP and broadcasts tell nobody whether it arrived.</summary>
    private void Complete(int id)
    {
        RadioNode radio = _radios[id];
        VirtualNode node = _nodes[id - 1];
        Flight flight = _flights[radio.Current];
        _flights.Free(radio.Current);
        radio.Current = -1;
        radio.IsReceived = false;
        radio.Attempt++;
        HandleRadioReady(id, radio.Attempt);
        node.Core!.HandleTransmitResult(LocalMs(node), flight.Token, true);
        Touch(node);
    }

    private void HandleRadioHeard(int slot)
    {
        Flight flight = _flights[slot];
        foreach (Reception heard in flight.Heard)
        {
            Fate fate = heard.Fate == Fate.Delivered ? HandOver(flight, _nodes[heard.Node - 1], heard.RssiDbm) : heard.Fate;
            _receptions.Add(heard with { Fate = fate });
        }

        Tell(flight, isCutShort: false);
        _flights.Free(slot);
    }

    /// <summary>A node that dies takes what its radio held with it; what is on the air ends at its time.</summary>
    private void ResetRadio(int node)
    {
        if (_channel is null)
        {
            return;
        }

        RadioNode radio = _radios[node];
        _access!.Withdraw(node);
        radio.Attempt++;
        radio.IsReceived = false;
        while (radio.Queue.TryDequeue(out int slot))
        {
            _flights.Free(slot);
        }

        if (radio.Current >= 0 && !radio.IsOnAir)
        {
            _flights.Free(radio.Current);
        }

        radio.Current = -1;
        radio.IsOnAir = false;
    }

    private sealed class RadioNode
    {
        internal Queue<int> Queue { get; } = new();

        /// <summary>The frame that it is sending or wants to send; -1 for none.</summary>
        internal int Current { get; set; } = -1;

        internal bool IsOnAir { get; set; }

        /// <summary>Whether the receiver has the frame, though its acknowledgement may have been lost.</summary>
        internal bool IsReceived { get; set; }

        internal int Tries { get; set; }

        /// <summary>Changes with each try, so that late events are known.</summary>
        internal int Attempt { get; set; }
    }
}
