using System.Buffers.Binary;
using System.Diagnostics;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>Runs a <see cref="Scenario"/> under virtual time, checks it all the while, and measures.</summary>
public sealed partial class SimulationRun : IVirtualMeshObserver
{
    private const int ViolationsMax = 20;
    private const byte AppPort = MeshPort.FirstUser;
    private const long Second = 1_000_000;
    private readonly Scenario _scenario;
    private readonly ulong _seed;
    private readonly VirtualMesh _mesh;
    private readonly IRunWatch? _watch;
    private readonly SeededRandom _random;
    private readonly List<Flow> _flows = [];
    private readonly List<Reading> _readings = [];
    private readonly Dictionary<ReadingKey, int> _byKey = [];
    private readonly HashSet<(int Node, int Incarnation, ReadingKey Key)> _seen = [];
    private readonly List<(long AtUs, HashSet<(int From, int To)> Ways)> _faultTimes = [];
    private readonly HashSet<(int Node, ushort Destination)> _inCycle = [];
    private readonly List<string> _violations = [];
    private readonly List<int> _unreachable = [];
    private readonly long[] _startedUs;
    private readonly long[] _joinedUs;
    private readonly bool[] _arrives;
    private readonly byte[] _payload = new byte[1024];
    private readonly long _endUs;
    private readonly long _trafficStartUs;
    private readonly long _trafficEndUs;
    private long _duplicates;
    private long _loops;
    private long _bytesBeforeTraffic;
    private long _dataFramesBeforeTraffic;
    private long _bytesBeforeHalf;

    internal SimulationRun(Scenario scenario, ulong seed, VirtualMeshOptions? options)
    {
        _scenario = scenario;
        _seed = seed;
        Topology topology = scenario.Topology.Create(seed);
        topology = scenario.Radio.IsPhysical ? new Propagation(scenario.Radio, seed).Apply(topology) : topology;
        _mesh = new VirtualMesh(topology, seed, this, Apply(scenario, options));
        _watch = options?.Watch;
        _random = new SeededRandom(seed, 0x72756E);
        _endUs = Us(scenario.DurationSeconds);
        _trafficEndUs = _endUs - Us(Scenario.TailSeconds);
        _trafficStartUs = scenario.Traffic.Count == 0 ? 0 : Us(scenario.Traffic.Min(entry => entry.StartSeconds));
        int nodes = _mesh.Topology.NodeCount;
        _startedUs = new long[nodes + 1];
        _joinedUs = new long[nodes + 1];
        _arrives = new bool[nodes + 1];
        Array.Fill(_startedUs, -1);
        Array.Fill(_joinedUs, -1);
        for (int node = 1; node <= nodes; node++)
        {
            StartAt(_random.NextLong(Second), node);
        }

        BeginAttacks();
        Schedule();
    }

    /// <summary>Runs it once.</summary>
    /// <param name="seed">Wins over the scenario's own; null for that.</param>
    /// <exception cref="InputException">The scenario cannot be laid out.</exception>
    public static SimulationResult Run(Scenario scenario, ulong? seed = null, VirtualMeshOptions? options = null)
    {
        long started = Stopwatch.GetTimestamp();
        SimulationRun run = new(scenario, seed ?? scenario.Seed, options);
        run.RunToEnd();
        return run.Measure(Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Runs it with each of the seeds, on as many threads as there are processors.</summary>
    /// <param name="progress">Told the number of runs done after each, from any thread, one call at a time.</param>
    public static SimulationResults RunMany(
        Scenario scenario, IReadOnlyList<ulong> seeds, VirtualMeshOptions? options = null, Action<int>? progress = null)
    {
        long started = Stopwatch.GetTimestamp();
        SimulationResult[] results = new SimulationResult[seeds.Count];
        Lock oneAtATime = new();
        int done = 0;
        Parallel.For(0, seeds.Count, i =>
        {
            results[i] = Run(scenario, seeds[i], options);
            lock (oneAtATime)
            {
                progress?.Invoke(++done);
            }
        });
        return new SimulationResults(results, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Runs it with <paramref name="count"/> seeds from <paramref name="first"/> on.</summary>
    public static SimulationResults RunMany(Scenario scenario, ulong first, int count, Action<int>? progress = null)
    {
        return RunMany(scenario, [.. Enumerable.Range(0, count).Select(i => first + (ulong)i)], null, progress);
    }

    internal VirtualMesh Mesh => _mesh;

    /// <summary>Who made the reading of that index.</summary>
    internal int SourceOf(int index) => _readings[index].From;

    internal void RunToEnd()
    {
        _watch?.Begun(_mesh);
        RunToCalmEnd();
        if (!IsAttacked)
        {
            CheckConverged();
            CheckCustody();
        }

        _watch?.Ended(_endUs);
    }

    /// <summary>The options with what the scenario says of nodes and radio.</summary>
    private static VirtualMeshOptions Apply(Scenario scenario, VirtualMeshOptions? options)
    {
        options ??= new VirtualMeshOptions();
        options = options with { Joining = scenario.Join };
        options = scenario.ClockDriftPpm == 0 ? options : options with { ClockDriftPpm = scenario.ClockDriftPpm };
        options = scenario.RealTimeTwice ? options with { RealTimeTwice = true } : options;
        RadioSpec radio = scenario.Radio;
        options = radio == RadioSpec.Simple ? options : options with { Radio = radio, Airtime = radio.Phy.ToAirtime() };
        TopologySpec topology = scenario.Topology;
        return topology.Sleepy.Count == 0
            ? options
            : options with { Sleepy = topology.Sleepy, PollIntervalMs = (int)(topology.PollIntervalSeconds * 1000) };
    }

    private static long Us(double seconds) => (long)Math.Round(seconds * Second);

    private static bool IsFault(int id) => id < 0;

    /// <summary>Callback ids: 0 and 1 for the snapshots, from 2 on for flows, below 0 for faults.</summary>
    private void Schedule()
    {
        Topology topology = _mesh.Topology;
        Medium whole = new(topology, _seed);
        OutlawAttackers(whole);
        List<int> all = [];
        for (int node = 1; node <= topology.NodeCount; node++)
        {
            if (topology.IsGateway(node) || IsAttacker(node))
            {
                continue;
            }

            bool hasPath = topology.Gateways.Count == 0 || whole.HasPath(node, topology.IsGateway);
            (hasPath ? all : _unreachable).Add(node);
        }

        _mesh.CallAt(_trafficStartUs, 0);
        _mesh.CallAt(_endUs / 2, 1);
        for (int i = 0; i < _scenario.Faults.Count; i++)
        {
            _mesh.CallAt(Us(_scenario.Faults[i].AtSeconds), -1 - i);
        }

        foreach (TrafficEntry entry in _scenario.Traffic)
        {
            IReadOnlyList<int> sources = entry.From ?? all;
            for (int i = 0; i < sources.Count; i++)
            {
                AddFlow(entry, sources[i], entry.To.Count == 0 ? 0 : entry.To[entry.To.Count == 1 ? 0 : i]);
            }
        }
    }

    void IVirtualMeshObserver.Called(int id)
    {
        if (IsFault(id))
        {
            ApplyFault(_scenario.Faults[-1 - id]);
        }
        else if (id == 0)
        {
            _bytesBeforeTraffic = _mesh.BytesOnAir;
            _dataFramesBeforeTraffic = _mesh.Total(counters => counters.DataFramesSent);
        }
        else if (id == 1)
        {
            _bytesBeforeHalf = _mesh.BytesOnAir;
        }
        else
        {
            Flow flow = _flows[id - 2];
            SendNext(flow);
            flow.NextUs += flow.PeriodUs;
            if (flow.NextUs < _trafficEndUs)
            {
                _mesh.CallAt(flow.NextUs, id);
            }
        }
    }

    private void SendNext(Flow flow)
    {
        if (!_mesh.IsRunning(flow.From))
        {
            return;
        }

        if (flow.Entry.Target == TrafficTarget.All)
        {
            SendBroadcast(flow);
            return;
        }

        int to = flow.Entry.Target == TrafficTarget.Any ? OtherNode(flow.From) : flow.To;
        if (flow.Entry.Ask != Question.None)
        {
            Ask(flow, to);
            return;
        }

        int index = _readings.Count;
        int count = flow.Entry.PayloadBytes;
        Fill(_payload.AsSpan(0, count), index);
        AddReading(flow.From, to, count, broadcastIndex: -1);
        SendResult taken;
        if (flow.Entry.Custody)
        {
            taken = _mesh.SendReading(flow.From, flow.Entry.Class, _payload, count, out ReadingKey key);
            if (taken == SendResult.Accepted && !_byKey.TryAdd(key, index))
            {
                Violate($"node {flow.From} used the reading number {key.Seq} of boot {key.Boot} twice");
            }
        }
        else
        {
            ushort destination = to == 0 || flow.Entry.ViaServer ? MeshAddress.AnyGateway : Topology.AddressOf(to);
            MarkForServer(flow.Entry, index);
            taken = _mesh.Send(flow.From, destination, AppPort, flow.Entry.Class, flow.Entry.Confirmed, _payload, count);
        }

        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_readings)[index].Taken = taken;
        _watch?.Made(_mesh.NowUs, index, flow.From, to, taken);
    }

    private void AddReading(int from, int to, int count, int broadcastIndex) => _readings.Add(new Reading
    {
        From = from,
        To = to,
        MadeUs = _mesh.NowUs,
        DeliveredUs = -1,
        PayloadBytes = (ushort)count,
        BroadcastIndex = broadcastIndex,
    });

    /// <summary>The payload tells which reading it is, and the rest follows from that.</summary>
    private static void Fill(Span<byte> payload, int index)
    {
        BinaryPrimitives.WriteInt32LittleEndian(payload, index);
        for (int i = sizeof(int); i < payload.Length; i++)
        {
            payload[i] = (byte)((index * 31) + (i * 7));
        }
    }

    void IVirtualMeshObserver.Delivered(int node, MeshOutput output)
    {
        if (!output.IsReading && output.Port != AppPort)
        {
            return;
        }

        int index = output.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(output.Buffer) : -1;
        if (!IsIntact(index, output))
        {
            Violate($"node {node} was handed a message from {output.Origin} that nobody sent like this");
            return;
        }

        if (output.IsReading)
        {
            DeliverReading(node, output, index);
        }
        else if (IsForServer(node, output.Origin, index))
        {
            PassOn(node, output, index);
        }
        else if (_readings[index].BroadcastIndex < 0)
        {
            DeliverMessage(node, output, index);
        }
        else if (FindBroadcastRow(node, index) is int row and >= 0)
        {
            DeliverMessage(node, output, row);
        }
    }

    private bool IsIntact(int index, MeshOutput output)
    {
        if (index < 0 || index >= _readings.Count || !IsOrigin(output.Origin, index) || _readings[index].PayloadBytes != output.Length)
        {
            return false;
        }

        Fill(_payload.AsSpan(0, output.Length), index);
        return _payload.AsSpan(0, output.Length).SequenceEqual(output.Buffer.AsSpan(0, output.Length));
    }

    private void DeliverMessage(int node, MeshOutput output, int index)
    {
        ref Reading reading = ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_readings)[index];
        bool isRight = reading.To == 0 ? _mesh.Topology.IsGateway(node) : reading.To == node;
        if (!isRight)
        {
            Violate($"node {node} was handed a message from {output.Origin} to {reading.To}");
        }
        else if (reading.DeliveredUs >= 0)
        {
            // Without custody a message may come again where its sender heard no answer: to another gateway, or after a restart
            // that forgot it. Never twice to the same life of the same node.
            _duplicates++;
            if (reading.DeliveredAt == (node, _mesh.IncarnationOf(node)))
            {
                Violate($"node {node} was handed message {index} from {output.Origin} twice");
            }
        }
        else if (reading.To != 0 || _mesh.IsServing(node))
        {
            reading.DeliveredUs = _mesh.NowUs;
            reading.DeliveredAt = (node, _mesh.IncarnationOf(node));
            reading.Hops += output.Hops;
            _watch?.Delivered(_mesh.NowUs, index, node);
        }
    }

    private void DeliverReading(int node, MeshOutput output, int index)
    {
        ReadingKey key = new(output.Origin, output.Boot, output.ReadingSeq);
        if (!_byKey.TryGetValue(key, out int sent) || sent != index)
        {
            Violate($"gateway {node} was handed a reading from {output.Origin} under another number than its own");
        }

        if (!_mesh.IsServing(node))
        {
            return;
        }

        if (!_seen.Add((node, _mesh.IncarnationOf(node), key)))
        {
            _duplicates++;
            Violate($"gateway {node} was handed reading {key.Seq} of boot {key.Boot} from {key.Origin} twice");
            return;
        }

        ref Reading reading = ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_readings)[index];
        if (reading.DeliveredUs < 0)
        {
            reading.Hops = output.Hops;
        }
    }

    void IVirtualMeshObserver.Committed(int node, ReadingKey key, bool isNew)
    {
        if (!_byKey.TryGetValue(key, out int index) || !isNew)
        {
            // A restarted gateway's outbox knows the key already and drops the copy.
            return;
        }

        ref Reading reading = ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_readings)[index];
        if (reading.DeliveredUs < 0)
        {
            reading.DeliveredUs = _mesh.NowUs;
            _watch?.Delivered(_mesh.NowUs, index, node);
        }
        else
        {
            // Another gateway committed it before; applications tell by the key.
            _duplicates++;
        }
    }

    void IVirtualMeshObserver.Violated(string what) => Violate(what);

    private void Violate(string what)
    {
        _watch?.Violated(_mesh.NowUs, what);
        if (_violations.Count < ViolationsMax)
        {
            _violations.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"at {_mesh.NowUs / 1e6:0.000} s: {what}"));
        }
    }
}
