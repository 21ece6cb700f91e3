namespace IoTMesh.Simulation;

/// <summary>
/// When nodes may send: carrier sense with random backoff (the distributed coordination function of IEEE 802.11-2016 section 10.3). A
/// node that finds the channel free for DIFS sends; else it counts down a random number of slots while the channel is free.
/// </summary>
internal sealed class ChannelAccess
{
    private readonly RadioSpec _spec;
    private readonly SeededRandom _random;
    private readonly Action<long, int, int> _schedule;
    private readonly Station[] _stations;
    private readonly double _busyMw;

    /// <param name="schedule">Asked to call <see cref="MaySend"/> with time, node and generation.</param>
    internal ChannelAccess(RadioSpec spec, double sensitivityDbm, int nodes, ulong seed, Action<long, int, int> schedule)
    {
        _spec = spec;
        _random = new SeededRandom(seed, 0x646366);
        _schedule = schedule;
        _stations = new Station[nodes + 1];
        _busyMw = spec.CarrierSense ? Propagation.Milliwatts(spec.CarrierSenseDbm ?? (sensitivityDbm + 3)) : double.PositiveInfinity;
    }

    /// <summary>A node has a frame to send, from a time on.</summary>
    internal void Want(int node, long nowUs, int tries = 0)
    {
        ref Station station = ref _stations[node];
        station.Wants = true;
        bool isFree = station.Busy == 0 && nowUs - station.FreeSinceUs >= Phy.DifsUs;
        int window = Math.Min(Phy.ContentionMax, ((Phy.ContentionMin + 1) << Math.Min(tries, 10)) - 1);
        station.Slots = !_spec.CarrierSense || (isFree && tries == 0) ? 0 : _random.NextInt(window + 1);
        Resume(node, nowUs);
    }

    /// <summary>Forgets what a node wanted.</summary>
    internal void Withdraw(int node)
    {
        ref Station station = ref _stations[node];
        station.Wants = false;
        station.IsCounting = false;
        station.Generation++;
    }

    /// <summary>True where the time that was scheduled is still the right one.</summary>
    internal bool MaySend(int node, int generation)
    {
        ref Station station = ref _stations[node];
        if (!station.IsCounting || station.Generation != generation)
        {
            return false;
        }

        station.IsCounting = false;
        station.Wants = false;
        return true;
    }

    /// <summary>A signal begins: its sender stops counting at once, those that sense it do so unless they are about to send.</summary>
    internal void SignalBegins(int from, (int To, double Mw)[] hearers, long nowUs)
    {
        Occupy(from, nowUs, isSelf: true);
        foreach ((int to, double mw) in hearers)
        {
            if (mw >= _busyMw)
            {
                Occupy(to, nowUs, isSelf: false);
            }
        }
    }

    internal void SignalEnds(int from, (int To, double Mw)[] hearers, long nowUs)
    {
        Release(from, nowUs);
        foreach ((int to, double mw) in hearers)
        {
            if (mw >= _busyMw)
            {
                Release(to, nowUs);
            }
        }
    }

    private void Occupy(int node, long nowUs, bool isSelf)
    {
        ref Station station = ref _stations[node];
        station.Busy++;
        if (!station.IsCounting)
        {
            return;
        }

        long dueUs = station.CountFromUs + (station.Slots * (long)Phy.SlotUs);
        if (!isSelf && dueUs - nowUs < Phy.SenseUs)
        {
            return;
        }

        long counted = Math.Max(0, nowUs - station.CountFromUs) / Phy.SlotUs;
        station.Slots -= (int)Math.Min(station.Slots, counted);

        // Who was about to send at once draws now: all that waited for the end of this signal would else send together.
        station.Slots = station.Slots == 0 ? _random.NextInt(Phy.ContentionMin + 1) : station.Slots;
        station.IsCounting = false;
        station.Generation++;
    }

    private void Release(int node, long nowUs)
    {
        ref Station station = ref _stations[node];
        station.Busy--;
        station.FreeSinceUs = nowUs;
        if (station.Wants && !station.IsCounting)
        {
            Resume(node, nowUs);
        }
    }

    private void Resume(int node, long nowUs)
    {
        ref Station station = ref _stations[node];
        if (station.Busy > 0)
        {
            return;
        }

        // A node that does not listen waits for nothing but its own frames.
        long freeUs = _spec.CarrierSense ? Math.Max(nowUs, station.FreeSinceUs + Phy.DifsUs) : nowUs;
        station.CountFromUs = freeUs;
        station.IsCounting = true;
        station.Generation++;
        _schedule(freeUs + (station.Slots * (long)Phy.SlotUs), node, station.Generation);
    }

    private struct Station
    {
        internal bool Wants;
        internal bool IsCounting;
        internal int Slots;
        internal int Busy;
        internal int Generation;
        internal long CountFromUs;
        internal long FreeSinceUs;
    }
}
