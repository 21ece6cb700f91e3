using System.Reflection;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>How the simulated world behaves around the nodes.</summary>
public sealed record VirtualMeshOptions
{
    public Airtime Airtime { get; init; } = Airtime.EspNow;

    /// <summary>What the radio does beside losing frames.</summary>
    public RadioSpec Radio { get; init; } = RadioSpec.Simple;

    /// <summary>From the end of a frame until a receiver's core sees it, us.</summary>
    public int LatencyUs { get; init; } = 200;

    /// <summary>Time to make a record durable, us.</summary>
    public int StoreDelayUs { get; init; } = 2_000;

    /// <summary>Nodes have flash: readings in custody survive a kill.</summary>
    public bool StoreCustody { get; init; } = true;

    /// <summary>From the delivery of a reading until the gateway's outbox has committed it, us.</summary>
    public int CommitDelayUs { get; init; } = 5_000;

    /// <summary>Each node's clock is off by up to this much, fast or slow, drawn evenly, parts per million.</summary>
    public double ClockDriftPpm { get; init; }

    /// <summary>Ids of the nodes that begin without the network key and have to join; null for all.</summary>
    public IReadOnlyList<int>? Joining { get; init; } = [];

    /// <summary>Ids of the nodes that are sleepy leaves.</summary>
    public IReadOnlyList<int> Sleepy { get; init; } = [];

    /// <summary>Of sleepy leaves, ms.</summary>
    public int PollIntervalMs { get; init; } = 10_000;

    /// <summary>Own real-time datagrams of nodes go twice.</summary>
    public bool RealTimeTwice { get; init; }

    /// <summary>Changes a node's configuration before it is built; its argument has the address set.</summary>
    public Action<MeshConfig>? Configure { get; init; }

    /// <summary>Takes one line for each output of each node.</summary>
    public TextWriter? Trace { get; init; }

    /// <summary>Is told of every frame, and in a <see cref="SimulationRun"/> of all that happens.</summary>
    public IRunWatch? Watch { get; init; }
}

/// <summary>Watches a <see cref="VirtualMesh"/>. The <see cref="MeshOutput"/> is reused: take what is needed. Sending from here is allowed.</summary>
public interface IVirtualMeshObserver
{
    /// <summary>A node handed a message to its application.</summary>
    void Delivered(int node, MeshOutput output);

    /// <summary>A gateway's outbox has committed a reading; <paramref name="isNew"/> is false for one it had.</summary>
    void Committed(int node, ReadingKey key, bool isNew);

    /// <summary>The routes of a node may have changed: a RouteChanged, or its start or end.</summary>
    void RouteChanged(int node, ushort destination);

    /// <summary>A node is about to send a beacon, and neighbors to learn of its routes.</summary>
    void Beaconed(int node)
    {
    }

    /// <summary>An answer to a node's question; for a trace, one of several.</summary>
    void Answered(int node, MeshOutput output)
    {
    }

    /// <summary>A message or a question is done; its token, and whether it succeeded.</summary>
    void Completed(int node, MeshOutput output)
    {
    }

    /// <summary>A message came back to a node that it had left.</summary>
    void Revisited(Revisit revisit)
    {
    }

    /// <summary>A time asked for by <see cref="VirtualMesh.CallAt"/> has come.</summary>
    void Called(int id);

    /// <summary>Something is wrong that must not be.</summary>
    void Violated(string what);
}

/// <summary>
/// MeshNodes under virtual time: a discrete-event simulation that repeats exactly for a seed. Frames take airtime and get lost
/// independently on each link; stores become durable after a delay and survive a kill. Not thread-safe.
/// </summary>
public sealed partial class VirtualMesh
{
    private const int SpinMax = 1_000;
    private readonly VirtualMeshOptions _options;
    private readonly IVirtualMeshObserver _observer;
    private readonly EventQueue _events = new();
    private readonly VirtualNode[] _nodes;
    private readonly SimulatedSite _site;
    private readonly ulong _seed;
    private readonly Flights _flights = new();
    private readonly MeshOutput _output;
    private readonly Queue<VirtualNode> _dirty = new();
    private readonly List<Reception> _receptions = [];
    private readonly SeededRandom? _disturbance;
    private bool _draining;
    private TraceHash _hash;

    public VirtualMesh(Topology topology, ulong seed, IVirtualMeshObserver observer, VirtualMeshOptions? options = null)
    {
        Topology = topology;
        Medium = new Medium(topology, seed);
        _seed = seed;
        _observer = observer;
        _options = options ?? new VirtualMeshOptions();
        Medium.NameLeaves(_options.Sleepy);
        _disturbance = _options.Radio.IsDisturbed ? new SeededRandom(seed, 0x646973) : null;
        if (_options.Radio.IsPhysical)
        {
            double sensitivityDbm = new Propagation(_options.Radio, seed).SensitivityDbm(_options.Radio.Phy.RateMbps);
            _channel = new PhysicalChannel(_options.Radio, Medium, seed);
            _access = new ChannelAccess(
                _options.Radio,
                sensitivityDbm,
                topology.NodeCount,
                seed,
                (timeUs, node, turn) => _events.Add(timeUs, EventKind.RadioAccess, node, turn));
            _radios = [.. Enumerable.Range(0, topology.NodeCount + 1).Select(_ => new RadioNode())];
            _readiness = new SeededRandom(seed, 0x726479);
        }

        _site = new SimulatedSite(topology.NodeCount, seed);
        _nodes = new VirtualNode[topology.NodeCount];
        MeshConfig largest = CreateConfig(1, isGateway: false);
        _output = new MeshOutput(largest);
        for (int i = 0; i < _nodes.Length; i++)
        {
            bool isGateway = topology.IsGateway(i + 1);
            _nodes[i] = new VirtualNode(i + 1)
            {
                IsServing = isGateway,
                Memory = isGateway ? new GatewayMemory() : null,
                DriftPpb = DrawDriftPpb(i + 1),
            };
            Medium.Kill(i + 1);
        }

        _events.Add(TellTimeUs, EventKind.Clocks, 0);
    }

    public Topology Topology { get; }

    /// <summary>Change it only through the methods of this class where a node dies or starts.</summary>
    public Medium Medium { get; }

    public long NowUs { get; private set; }

    public long NowMs => NowUs / 1000;

    /// <summary>Hash over all outputs of all nodes so far.</summary>
    public ulong TraceHash => _hash.Value;

    public long EventCount { get; private set; }

    public long FramesOnAir { get; private set; }

    /// <summary>Bytes of whole mesh frames sent, without what a radio adds.</summary>
    public long BytesOnAir { get; private set; }

    /// <summary>The node's core, or null while it is down.</summary>
    public MeshNode? CoreOf(int node) => _nodes[node - 1].Core;

    public bool IsRunning(int node) => _nodes[node - 1].Core is not null;

    /// <summary>True while a gateway's node runs and its service accepts readings.</summary>
    public bool IsServing(int node) => _nodes[node - 1] is { Core: not null, IsServing: true };

    /// <summary>Changes each time a node starts or dies.</summary>
    public int IncarnationOf(int node) => _nodes[node - 1].Incarnation;

    /// <summary>A counter summed over all nodes and all their boots.</summary>
    public long Total(Func<MeshCounters, long> counter)
    {
        long total = 0;
        foreach (VirtualNode node in _nodes)
        {
            total += counter(node.Past) + (node.Core is null ? 0 : counter(node.Core.Counters));
        }

        return total;
    }

    private static void AddUp(MeshCounters sum, MeshCounters counters)
    {
        foreach (FieldInfo field in typeof(MeshCounters).GetFields().Where(field => field.FieldType == typeof(long)))
        {
            field.SetValue(sum, (long)field.GetValue(sum)! + (long)field.GetValue(counters)!);
        }

        for (int i = 0; i < sum.Refused.Length; i++)
        {
            sum.Refused[i] += counters.Refused[i];
        }
    }

    /// <summary>Boots a node at a time, unless it is started or killed before.</summary>
    public void StartAt(long timeUs, int node) => _events.Add(timeUs, EventKind.NodeStart, node, _nodes[node - 1].Incarnation);

    /// <summary>Calls the observer at a time.</summary>
    public void CallAt(long timeUs, int id) => _events.Add(timeUs, EventKind.Callback, id);

    /// <summary>Boots a node now; does nothing where it runs.</summary>
    public void Start(int node)
    {
        VirtualNode entry = _nodes[node - 1];
        if (entry.Core is not null)
        {
            return;
        }

        entry.Incarnation++;
        ulong stream = ((ulong)node << 20) | (uint)entry.Incarnation;
        SeededRandom random = new(_seed, stream);

        // Clocks of nodes have nothing in common; a core that mixes them up is found out.
        SetClock(entry, 1 + random.NextInt(1_000_000));
        MeshConfig config = CreateConfig(node, entry.IsServing);
        entry.Core = new MeshNode(config, KeysOf(entry), new SeededCrypto(random), random.NextUInt32(), entry.CountersRecord);
        entry.TimerUs = long.MaxValue;
        entry.Spins = 0;
        entry.BusyUntilUs = NowUs;
        BeginRunning(entry);
        if (entry.IsServing)
        {
            entry.Memory!.Restore(entry.Core, LocalMs(entry), NowMs);
        }

        entry.Flash.Restore(entry.Core);

        Medium.Start(node);
        entry.Core.Start(LocalMs(entry));
        Touch(entry);
        _observer.RouteChanged(node, MeshAddress.None);
    }

    /// <summary>Ends a node at once: all it had in memory is gone.</summary>
    public void Kill(int node)
    {
        VirtualNode entry = _nodes[node - 1];
        if (entry.Core is { } core)
        {
            AddUp(entry.Past, core.Counters);
        }

        EndRunning(entry);
        entry.Core = null;
        entry.Incarnation++;
        ResetRadio(node);
        Medium.Kill(node);
    }

    /// <summary>Stops a gateway's service: its node starts again as a plain relay.</summary>
    public void GatewayDown(int node) => SetServing(node, false);

    /// <summary>Undoes <see cref="GatewayDown"/>.</summary>
    public void GatewayUp(int node) => SetServing(node, true);

    /// <summary>Sends a message from a node; NotReady while it is down.</summary>
    public SendResult Send(int from, ushort destination, byte port, MeshClass messageClass, bool confirmed, byte[] payload, int count)
    {
        VirtualNode entry = _nodes[from - 1];
        if (entry.Core is null)
        {
            return SendResult.NotReady;
        }

        SendResult result = entry.Core.Send(LocalMs(entry), destination, port, messageClass, confirmed, payload, 0, count, out _);
        Touch(entry);
        return result;
    }

    /// <summary>Takes a reading into custody at a node; NotReady while it is down.</summary>
    public SendResult SendReading(int from, byte[] payload, int count, out ReadingKey key)
    {
        return SendReading(from, MeshClass.Normal, payload, count, out key);
    }

    /// <summary>Takes a reading of that class into custody at a node; NotReady while it is down.</summary>
    public SendResult SendReading(int from, MeshClass messageClass, byte[] payload, int count, out ReadingKey key)
    {
        VirtualNode entry = _nodes[from - 1];
        key = default;
        if (entry.Core is null)
        {
            return SendResult.NotReady;
        }

        SendResult result = entry.Core.SendReading(LocalMs(entry), messageClass, payload, 0, count, out uint seq);
        key = new ReadingKey(entry.Core.Address, entry.Core.Boot, seq);
        Touch(entry);
        return result;
    }

    /// <summary>Runs up to and including a time.</summary>
    public void RunUntil(long timeUs)
    {
        while (_events.NextTimeUs <= timeUs)
        {
            SimulationEvent next = _events.Take();
            NowUs = next.TimeUs;
            EventCount++;
            Handle(next);
            DrainAll();
        }

        NowUs = timeUs;
    }

    private void SetServing(int node, bool isServing)
    {
        VirtualNode entry = _nodes[node - 1];
        if (entry.Memory is null)
        {
            throw new InputException($"node {node} is no gateway");
        }

        entry.IsServing = isServing;
        if (entry.Core is not null)
        {
            Kill(node);
            Start(node);
        }
    }

    /// <summary>Marks a node for draining and drains unless that is going on already.</summary>
    private void Touch(VirtualNode node)
    {
        _dirty.Enqueue(node);
        DrainAll();
    }

    private sealed class VirtualNode(int id)
    {
        internal int Id { get; } = id;

        internal MeshNode? Core { get; set; }

        /// <summary>Changes with each start and kill, so that events of an earlier life are known.</summary>
        internal int Incarnation { get; set; }

        internal bool IsServing { get; set; }

        internal Attacker? Attacker { get; set; }

        internal GatewayMemory? Memory { get; init; }

        internal long ClockOffsetMs { get; set; }

        /// <summary>How much its clock is fast, parts per billion.</summary>
        internal long DriftPpb { get; init; }

        internal long TimerUs { get; set; } = long.MaxValue;

        internal int Spins { get; set; }

        internal long BusyUntilUs { get; set; }

        internal long StartedUs { get; set; }

        /// <summary>Of earlier lives.</summary>
        internal long RunningUs { get; set; }

        /// <summary>Time its radio was on, but for what has passed since AwakeSinceUs where that is not -1.</summary>
        internal long AwakeUs { get; set; }

        internal long AwakeSinceUs { get; set; } = -1;

        internal byte[]? CountersRecord { get; set; }

        internal byte[]? KeysRecord { get; set; }

        internal NodeFlash Flash { get; } = new();

        /// <summary>When it last gave up a neighbor; kept where frames may come again.</summary>
        internal Dictionary<ushort, long> GivenUpUs { get; } = [];

        /// <summary>The neighbors in its table at the last look.</summary>
        internal HashSet<ushort> Listed { get; } = [];

        /// <summary>What its earlier lives counted.</summary>
        internal MeshCounters Past { get; } = new();
    }
}
