namespace IoTMesh.Simulation;

/// <summary>A frame that <see cref="PhysicalChannel"/> sends: of the mesh, or the radio's own acknowledgement of one.</summary>
internal struct Transmission
{
    internal int Slot;
    internal int From;

    /// <summary>Receiver, or 0 for all.</summary>
    internal int To;
    internal bool IsAck;
    internal long StartUs;
    internal double RateMbps;
    internal (int To, double Mw)[] Hearers;
}

/// <summary>
/// The air that all share. A receiver takes up the first frame that is strong enough when it is not sending itself, loses it to one that
/// is stronger by the capture ratio, and gets it through with the chance that noise and all other signals leave, piece by piece of its
/// duration. Knows nothing of who may send when: that is <see cref="ChannelAccess"/>.
/// </summary>
internal sealed class PhysicalChannel
{
    private const int Nobody = -1;

    // A preamble is recognised this far below the sensitivity.
    private const double TakeUpDb = 3;
    private readonly RadioSpec _spec;
    private readonly Propagation _propagation;
    private readonly Medium _medium;
    private readonly SeededRandom _random;
    private readonly Receiver[] _receivers;
    private readonly (int To, double Mw)[]?[] _hearers;
    private readonly int[] _hearersVersion;
    private readonly List<Transmission> _active = [];
    private readonly Stack<int> _free = new();
    private readonly double _capture;

    internal PhysicalChannel(RadioSpec spec, Medium medium, ulong seed)
    {
        _spec = spec;
        _medium = medium;
        _propagation = medium.Topology.Propagation ?? new Propagation(spec, seed);
        _random = new SeededRandom(seed, 0x706879);
        int nodes = medium.Topology.NodeCount;
        _receivers = new Receiver[nodes + 1];
        _hearers = new (int, double)[nodes + 1][];
        _hearersVersion = new int[nodes + 1];
        _capture = Propagation.Milliwatts(spec.CaptureDb);
        for (int node = 0; node <= nodes; node++)
        {
            _receivers[node].Locked = Nobody;
        }
    }

    internal bool IsSending(int node) => _receivers[node].IsSending;

    internal ref readonly Transmission this[int index] => ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_active)[index];

    /// <summary>Puts a frame on the air; <see cref="End"/> must follow at its end.</summary>
    /// <returns>Its index.</returns>
    internal int Begin(Transmission transmission, long nowUs)
    {
        transmission.Hearers = HearersOf(transmission.From);
        if (!_free.TryPop(out int index))
        {
            index = _active.Count;
            _active.Add(default);
        }

        _active[index] = transmission;
        ref Receiver sender = ref _receivers[transmission.From];
        sender.IsSending = true;
        sender.Locked = Nobody;
        double needed = Propagation.Milliwatts(_propagation.SensitivityDbm(transmission.RateMbps) - TakeUpDb - _spec.NoiseDbm);
        foreach ((int to, double mw) in transmission.Hearers)
        {
            ref Receiver receiver = ref _receivers[to];
            CloseSegment(ref receiver, nowUs);
            double others = receiver.AirMw;
            receiver.AirMw += mw;
            receiver.Signals++;
            bool isFree = receiver.Locked == Nobody || mw > receiver.SignalMw * _capture;
            if (!receiver.IsSending && isFree && _propagation.Sinr(mw, others, transmission.RateMbps) >= needed)
            {
                receiver.Locked = index;
                receiver.SignalMw = mw;
                receiver.LogSurvival = 0;
                receiver.RateMbps = transmission.RateMbps;
                receiver.SinceUs = nowUs;
            }
        }

        return index;
    }

    /// <summary>Takes a frame off the air.</summary>
    /// <param name="outcomes">Filled with what became of it at each node it was meant for that can hear it at all.</param>
    internal void End(int index, long nowUs, List<Reception> outcomes)
    {
        Transmission ended = _active[index];
        _receivers[ended.From].IsSending = false;
        foreach ((int to, double mw) in ended.Hearers)
        {
            ref Receiver receiver = ref _receivers[to];
            CloseSegment(ref receiver, nowUs);
            receiver.AirMw = --receiver.Signals == 0 ? 0 : Math.Max(0, receiver.AirMw - mw);
            bool isLocked = receiver.Locked == index;
            if (isLocked)
            {
                receiver.Locked = Nobody;
            }

            if (ended.To == 0 || ended.To == to)
            {
                double chance = isLocked ? Math.Exp(receiver.LogSurvival) : 0;
                AddOutcome(ended, to, mw, chance, nowUs - ended.StartUs, outcomes);
            }
        }

        _active[index] = default;
        _free.Push(index);
    }

    private void AddOutcome(in Transmission ended, int to, double mw, double chance, long durationUs, List<Reception> outcomes)
    {
        // A measured link has its own ratio; where the strength decides, only the loss on top of that is left.
        bool isMeasured = _medium.Topology.Propagation is null;
        double own = isMeasured
            ? (_medium.Find(ended.From, to, out MediumLink link) ? link.PassBelow / (double)(1UL << 32) : 0)
            : 1 - _medium.Topology.Loss;
        double clean = isMeasured ? 1 : _propagation.Survival(mw / _propagation.NoiseMw, durationUs, ended.RateMbps);
        double draw = _random.NextDouble();
        Fate fate = draw < own * chance ? Fate.Delivered : draw < own * clean ? Fate.Collided : Fate.Lost;
        outcomes.Add(new Reception((ushort)to, Propagation.Rssi(10 * Math.Log10(mw)), fate));
    }

    private void CloseSegment(ref Receiver receiver, long nowUs)
    {
        if (receiver.Locked == Nobody)
        {
            return;
        }

        double others = Math.Max(0, receiver.AirMw - receiver.SignalMw);
        bool isMeasured = _medium.Topology.Propagation is null;

        // A measured link's ratio has the noise in it already.
        bool isSure = isMeasured && others <= 0;
        double sinr = isSure ? double.PositiveInfinity : _propagation.Sinr(receiver.SignalMw, others, receiver.RateMbps);
        receiver.LogSurvival += _propagation.LogSurvival(sinr, nowUs - receiver.SinceUs, receiver.RateMbps);
        receiver.SinceUs = nowUs;
    }

    /// <summary>All that a node's signal reaches at a level that matters, now.</summary>
    internal (int To, double Mw)[] HearersOf(int node)
    {
        if (_hearers[node] is (int, double)[] known && _hearersVersion[node] == _medium.Version)
        {
            return known;
        }

        List<(int To, double Mw)> hearers = [];
        bool isMeasured = _medium.Topology.Propagation is null;
        for (int to = 1; to < _receivers.Length; to++)
        {
            if (to == node || !_medium.IsOpen(node, to))
            {
                continue;
            }

            double mw = isMeasured
                ? (_medium.Find(node, to, out MediumLink link) ? Propagation.Milliwatts(link.RssiDbm) : 0)
                : Propagation.Milliwatts(_propagation.ReceivedDbm(node, to, _medium.PositionOf(node), _medium.PositionOf(to)));
            if (mw >= _propagation.FloorMw)
            {
                hearers.Add((to, mw));
            }
        }

        _hearersVersion[node] = _medium.Version;
        return _hearers[node] = [.. hearers];
    }

    private struct Receiver
    {
        internal bool IsSending;

        /// <summary>The transmission that it is taking up.</summary>
        internal int Locked;
        internal double SignalMw;
        internal double RateMbps;
        internal double LogSurvival;
        internal long SinceUs;

        /// <summary>Sum and number of all signals here.</summary>
        internal double AirMw;
        internal int Signals;
    }
}
