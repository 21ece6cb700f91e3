using System.Buffers.Binary;
using System.Diagnostics;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// A day and longer of readings in custody under faults that never rest: nodes die and start, links break, the mesh falls apart
/// and merges, gateways restart. Remembers only what is under way, so that its memory shows that of the nodes.
/// </summary>
public sealed partial class SoakRun : IVirtualMeshObserver
{
    private const long Second = 1_000_000;
    private const long Hour = 3_600 * Second;
    private const long FormUs = 60 * Second;
    private const long CalmUs = 15 * 60 * Second;
    private const int PayloadBytes = 20;
    private const int ViolationsMax = 20;
    private readonly SoakOptions _options;
    private readonly VirtualMesh _mesh;
    private readonly SeededRandom _random;
    private readonly Dictionary<int, Action> _due = [];
    private readonly Dictionary<(ushort Origin, ushort Boot), HashSet<uint>> _waiting = [];
    private readonly HashSet<ReadingKey> _orphans = [];
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private readonly List<string> _violations = [];
    private readonly List<SoakHour> _hours = [];
    private readonly Action<SoakHour> _atHour;
    private readonly byte[] _payload = new byte[PayloadBytes];
    private readonly long _endUs;
    private int _nextDue;
    private long _sent;
    private long _committed;
    private long _copies;

    private SoakRun(SoakOptions options, Action<SoakHour> atHour)
    {
        _options = options;
        _atHour = atHour;
        _endUs = options.Hours * Hour;
        Topology topology = Topology.Create(TopologyKind.Random, options.Nodes, options.Loss, gateways: [1, 2], seed: options.Seed);
        _mesh = new VirtualMesh(topology, options.Seed, this);
        _random = new SeededRandom(options.Seed, 0x736F616B);
        for (int node = 1; node <= options.Nodes; node++)
        {
            _mesh.StartAt(_random.NextLong(Second), node);
            if (!topology.IsGateway(node))
            {
                int from = node;
                At(FormUs + _random.NextLong(options.PeriodSeconds * Second), () => Measure(from));
            }
        }

        At(FormUs * 2, Strike);
        for (int hour = 1; hour <= options.Hours; hour++)
        {
            int ended = hour;
            At(hour * Hour, () => EndHour(ended));
        }
    }

    /// <summary>What <see cref="Run"/> checks first.</summary>
    /// <exception cref="InputException">An option is out of range.</exception>
    public static void Check(SoakOptions options)
    {
        if (options.Nodes is < 4 or > 1000 || options.Hours is < 1 or > 10_000)
        {
            throw new InputException($"soak: 4 to 1000 nodes and 1 to 10000 hours, not {options.Nodes} and {options.Hours}");
        }
    }

    /// <summary>Runs it once.</summary>
    /// <param name="atHour">Told at the end of each virtual hour.</param>
    /// <exception cref="InputException">An option is out of range.</exception>
    public static SoakResult Run(SoakOptions options, Action<SoakHour>? atHour = null)
    {
        Check(options);
        long started = Stopwatch.GetTimestamp();
        SoakRun run = new(options, atHour ?? (_ => { }));
        run._mesh.RunUntil(run._endUs);
        return run.Finish(Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private void At(long timeUs, Action action)
    {
        _due.Add(_nextDue, action);
        _mesh.CallAt(timeUs, _nextDue);
        _nextDue++;
    }

    private void In(long delayUs, Action action) => At(_mesh.NowUs + delayUs, action);

    void IVirtualMeshObserver.Called(int id)
    {
        _due.Remove(id, out Action? action);
        action!();
    }

    /// <summary>Takes a reading, unless the node is down, and comes back in a period.</summary>
    private void Measure(int node)
    {
        if (_mesh.NowUs + CalmUs / 3 > _endUs)
        {
            return;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(_payload, (ushort)node);
        if (_mesh.IsRunning(node))
        {
            SendResult taken = _mesh.SendReading(node, _payload, PayloadBytes, out ReadingKey key);
            if (taken == SendResult.Accepted)
            {
                _sent++;
                Check(WaitingOf(key).Add(key.Seq), $"node {node} used reading number {key.Seq} of boot {key.Boot} twice");
            }
        }

        In(_options.PeriodSeconds * Second, () => Measure(node));
    }

    private HashSet<uint> WaitingOf(ReadingKey key)
    {
        if (!_waiting.TryGetValue((key.Origin, key.Boot), out HashSet<uint>? waiting))
        {
            waiting = [];
            _waiting.Add((key.Origin, key.Boot), waiting);
        }

        return waiting;
    }

    void IVirtualMeshObserver.Delivered(int node, MeshOutput output)
    {
        Check(
            !output.IsReading || BinaryPrimitives.ReadUInt16LittleEndian(output.Buffer) == output.Origin,
            $"gateway {node} was handed a reading of {output.Origin} that it did not make");
    }

    void IVirtualMeshObserver.Committed(int node, ReadingKey key, bool isNew)
    {
        bool waited = _waiting.TryGetValue((key.Origin, key.Boot), out HashSet<uint>? waiting) && waiting.Remove(key.Seq);
        if (waited || _orphans.Remove(key))
        {
            _committed++;
        }
        else if (isNew)
        {
            // The other gateway has it too; applications tell by the key.
            _copies++;
        }
    }

    void IVirtualMeshObserver.RouteChanged(int node, ushort destination)
    {
    }

    void IVirtualMeshObserver.Violated(string what) => Check(false, what);

    private void Check(bool holds, string otherwise)
    {
        if (!holds && _violations.Count < ViolationsMax)
        {
            _violations.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"at {_mesh.NowUs / 1e6:0.000} s: {otherwise}"));
        }
    }

    private void EndHour(int hour)
    {
        int neighbors = 0;
        int routes = 0;
        int queued = 0;
        int custody = 0;
        for (int node = 1; node <= _options.Nodes; node++)
        {
            if (_mesh.CoreOf(node) is MeshNode core)
            {
                neighbors = Math.Max(neighbors, core.NeighborCount);
                routes = Math.Max(routes, core.RouteCount);
                queued = Math.Max(queued, core.QueuedCount);
                custody = Math.Max(custody, core.CustodyCount);
            }
        }

        long waiting = _waiting.Values.Sum(readings => readings.Count);
        long managed = GC.GetTotalMemory(forceFullCollection: true);
        SoakHour ended = new(hour, _sent, _committed, waiting, neighbors, routes, queued, custody, managed, Environment.WorkingSet);
        _hours.Add(ended);
        _atHour(ended);
    }

    private SoakResult Finish(double wallSeconds) => new()
    {
        Options = _options,
        Hours = _hours,
        Sent = _sent,
        Committed = _committed,
        DiedWithNode = _orphans.Count,
        Evicted = _mesh.Total(counters => counters.CustodyEvicted),
        Lost = _waiting.Values.Sum(readings => readings.Count),
        Copies = _copies,
        Faults = _faults,
        Violations = _violations,
        TraceHash = _mesh.TraceHash.ToString("x16", System.Globalization.CultureInfo.InvariantCulture),
        WallSeconds = wallSeconds,
    };
}
