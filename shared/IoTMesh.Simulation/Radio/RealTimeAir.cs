using System.Diagnostics;
using System.Runtime.InteropServices;
using IoTMesh.Driver;

namespace IoTMesh.Simulation;

/// <summary>
/// A medium in this process and in real time: any number of mesh drivers, each on its own thread, share it through links. Frames
/// are lost, delayed and given a signal strength as the <see cref="Topology"/> says; the medium can be changed while it runs.
/// Thread-safe. Nothing polls: a waiting link sleeps until a frame is due.
/// </summary>
public sealed class RealTimeAir : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Medium _medium;
    private readonly AirLink?[] _links;
    private readonly List<Reception> _receptions = [];
    private readonly long _startTicks = Stopwatch.GetTimestamp();
    private int _delayMs;
    private long _framesSent;
    private long _bytesSent;
    private long _framesDelivered;
    private long _framesLost;
    private long _framesOverrun;

    /// <param name="seed">Of the losses; threads interleave as they like, so two runs still differ.</param>
    public RealTimeAir(Topology topology, ulong seed = 1)
    {
        Topology = topology;
        _medium = new Medium(topology, seed);
        _links = new AirLink?[topology.NodeCount];
    }

    public Topology Topology { get; }

    /// <summary>Longest frame links carry, bytes; ESP-NOW's 250 unless set before <see cref="Connect"/>.</summary>
    public int MaxFrameLength { get; init; } = 250;

    /// <summary>Is told of every frame when it is sent, with UTC times; must not block.</summary>
    public IFrameWatch? Watch { get; init; }

    /// <summary>How long a frame occupies its sender's radio.</summary>
    public Airtime Airtime { get; init; } = Airtime.EspNow;

    /// <summary>Delay of each frame on top of its airtime, ms.</summary>
    public int DelayMs
    {
        get => Volatile.Read(ref _delayMs);
        set => Volatile.Write(ref _delayMs, Math.Clamp(value, 0, 60_000));
    }

    public long FramesSent => Interlocked.Read(ref _framesSent);

    public long BytesSent => Interlocked.Read(ref _bytesSent);

    public long FramesDelivered => Interlocked.Read(ref _framesDelivered);

    public long FramesLost => Interlocked.Read(ref _framesLost);

    /// <summary>Frames dropped because their receiver did not keep up.</summary>
    public long FramesOverrun => Interlocked.Read(ref _framesOverrun);

    /// <summary>
    /// The radio of one node; its Receive can be woken (<see cref="IWakeableLink"/>). A node that is started again connects again: the
    /// earlier link is closed, and the radio is on even after <see cref="Kill"/>.
    /// </summary>
    /// <param name="address">1 to the topology's NodeCount.</param>
    /// <exception cref="InputException">The topology has no such node.</exception>
    public ILink Connect(ushort address)
    {
        lock (_gate)
        {
            _medium.Start(address);
            _links[address - 1]?.CloseInbox();
            AirLink link = new(this, address);
            _links[address - 1] = link;
            return link;
        }
    }

    /// <summary>Cuts the link between two nodes, both ways.</summary>
    public void Cut(int a, int b) => Apply(medium => medium.Cut(a, b));

    /// <summary>Undoes <see cref="Cut"/> and <see cref="SetLoss(int, int, double)"/>.</summary>
    public void Restore(int a, int b) => Apply(medium => medium.Restore(a, b));

    /// <summary>Switches a node's radio off; its driver keeps running and hears nothing.</summary>
    public void Kill(int node) => Apply(medium => medium.Kill(node));

    /// <summary>Undoes <see cref="Kill"/>.</summary>
    public void Start(int node) => Apply(medium => medium.Start(node));

    /// <summary>Every link loses this share (0 to 1) instead of its own; null for its own.</summary>
    public void SetLoss(double? loss) => Apply(medium => medium.SetLoss(loss));

    /// <summary>The link between two nodes loses this share, both ways.</summary>
    public void SetLoss(int a, int b, double loss) => Apply(medium => medium.SetLoss(a, b, loss));

    /// <summary>Nothing passes between groups; nodes in none form a group of their own.</summary>
    public void Partition(IReadOnlyList<IReadOnlyList<int>> groups) => Apply(medium => medium.Partition(groups));

    /// <summary>Undoes <see cref="Partition"/>.</summary>
    public void Merge() => Apply(medium => medium.Merge());

    /// <summary>Moves a node; its links follow from distance.</summary>
    public void Move(int node, double x, double y) => Apply(medium => medium.Move(node, x, y));

    /// <summary>Where a node stands now; fails for topologies without positions.</summary>
    public RadioPosition PositionOf(int node)
    {
        lock (_gate)
        {
            return _medium.PositionOf(node);
        }
    }

    /// <summary>True while some path of working links joins the two nodes.</summary>
    public bool HasPath(int from, int to)
    {
        lock (_gate)
        {
            return _medium.HasPath(from, node => node == to);
        }
    }

    /// <summary>Closes all links.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (AirLink? link in _links)
            {
                link?.CloseInbox();
            }
        }
    }

    private void Apply(Action<Medium> change)
    {
        lock (_gate)
        {
            change(_medium);
        }
    }

    private long NowUs => (long)Stopwatch.GetElapsedTime(_startTicks).TotalMicroseconds;

    private void Transmit(AirLink sender, ushort linkDestination, ReadOnlySpan<byte> frame)
    {
        Interlocked.Increment(ref _framesSent);
        Interlocked.Add(ref _bytesSent, frame.Length);
        lock (_gate)
        {
            if (!ReferenceEquals(_links[sender.Address - 1], sender))
            {
                return;
            }

            // One radio sends one frame at a time.
            long sentUs = Math.Max(NowUs, sender.BusyUntilUs) + Airtime.Of(frame.Length);
            sender.BusyUntilUs = sentUs;
            long dueUs = sentUs + (DelayMs * 1000L);
            bool isBroadcast = Topology.IsBroadcast(linkDestination);
            foreach (MediumLink link in _medium.LinksFrom(sender.Address))
            {
                if (isBroadcast || link.To == linkDestination)
                {
                    Offer(link, frame, dueUs);
                }
            }

            Watch?.FrameEnded(new AirFrame(
                LiveCapture.UtcUs, sender.Address, linkDestination, frame, CollectionsMarshal.AsSpan(_receptions), isCutShort: false));
            _receptions.Clear();
        }
    }

    private void Offer(in MediumLink link, ReadOnlySpan<byte> frame, long dueUs)
    {
        AirLink? receiver = _links[link.To - 1];
        if (receiver is null)
        {
            return;
        }

        bool passes = _medium.Passes(link);
        _receptions.Add(new Reception((ushort)link.To, link.RssiDbm, passes ? Fate.Delivered : Fate.Lost));
        if (!passes)
        {
            Interlocked.Increment(ref _framesLost);
        }
        else if (receiver.Enqueue(frame, link.RssiDbm, dueUs))
        {
            Interlocked.Increment(ref _framesDelivered);
        }
        else
        {
            Interlocked.Increment(ref _framesOverrun);
        }
    }

    /// <summary>One node's radio: a bounded inbox of frames that become due in order.</summary>
    private sealed class AirLink : IWakeableLink
    {
        private const int Slots = 64;
        private readonly RealTimeAir _air;
        private readonly object _inbox = new();
        private readonly byte[] _frames;
        private readonly int[] _lengths = new int[Slots];
        private readonly sbyte[] _rssiDbm = new sbyte[Slots];
        private readonly long[] _dueUs = new long[Slots];
        private int _first;
        private int _count;
        private bool _closed;
        private bool _woken;

        internal AirLink(RealTimeAir air, ushort address)
        {
            _air = air;
            Address = address;
            MaxFrameLength = air.MaxFrameLength;
            _frames = new byte[Slots * MaxFrameLength];
        }

        public int MaxFrameLength { get; }

        internal ushort Address { get; }

        internal long BusyUntilUs { get; set; }

        public bool Send(ushort linkDestination, byte[] buffer, int offset, int count)
        {
            if (count <= 0 || count > MaxFrameLength || Volatile.Read(ref _closed))
            {
                return false;
            }

            _air.Transmit(this, linkDestination, buffer.AsSpan(offset, count));
            return true;
        }

        public int Receive(byte[] buffer, int timeoutMs, out sbyte rssiDbm)
        {
            long untilUs = _air.NowUs + (Math.Max(0, timeoutMs) * 1000L);
            rssiDbm = 0;
            lock (_inbox)
            {
                while (!_closed)
                {
                    long nowUs = _air.NowUs;
                    if (_count > 0 && _dueUs[_first] <= nowUs)
                    {
                        return Dequeue(buffer, out rssiDbm);
                    }

                    long wakeUs = _count > 0 ? Math.Min(untilUs, _dueUs[_first]) : untilUs;
                    if (_woken || wakeUs <= nowUs)
                    {
                        _woken = false;
                        return 0;
                    }

                    // Rounded up, so that nobody spins through the last part of a millisecond.
                    Monitor.Wait(_inbox, (int)((wakeUs - nowUs + 999) / 1000));
                }
            }

            // A driver that still polls a closed link must not spin.
            Thread.Sleep(Math.Clamp(timeoutMs, 0, 10));
            return 0;
        }

        public void Close()
        {
            lock (_air._gate)
            {
                CloseInbox();
                if (ReferenceEquals(_air._links[Address - 1], this))
                {
                    _air._links[Address - 1] = null;
                }
            }
        }

        public void Wake()
        {
            lock (_inbox)
            {
                _woken = true;
                Monitor.PulseAll(_inbox);
            }
        }

        internal void CloseInbox()
        {
            lock (_inbox)
            {
                _closed = true;
                Monitor.PulseAll(_inbox);
            }
        }

        internal bool Enqueue(ReadOnlySpan<byte> frame, sbyte rssiDbm, long dueUs)
        {
            lock (_inbox)
            {
                if (_closed || _count == Slots || frame.Length > MaxFrameLength)
                {
                    return false;
                }

                int slot = (_first + _count) % Slots;
                frame.CopyTo(_frames.AsSpan(slot * MaxFrameLength));
                _lengths[slot] = frame.Length;
                _rssiDbm[slot] = rssiDbm;
                int last = (slot + Slots - 1) % Slots;
                _dueUs[slot] = _count == 0 ? dueUs : Math.Max(dueUs, _dueUs[last]);
                _count++;
                Monitor.Pulse(_inbox);
                return true;
            }
        }

        private int Dequeue(byte[] buffer, out sbyte rssiDbm)
        {
            int slot = _first;
            _first = (_first + 1) % Slots;
            _count--;
            rssiDbm = _rssiDbm[slot];
            int length = _lengths[slot];
            if (length > buffer.Length)
            {
                return 0;
            }

            Array.Copy(_frames, slot * MaxFrameLength, buffer, 0, length);
            return length;
        }
    }
}
