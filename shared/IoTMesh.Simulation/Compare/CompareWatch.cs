using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// Counts messages of a run by phase and kind, and what each node's radio did. A message to a node that does not run when it is
/// made is not counted: nothing could deliver it.
/// </summary>
internal sealed class CompareWatch : IRunWatch
{
    private readonly Dictionary<int, Pending> _pending = [];
    private VirtualMesh? _mesh;
    private long[] _sendUs = [];

    /// <summary>Messages by phase, those to the gateway in the first column and those to other nodes in the second.</summary>
    internal CompareCount[,] Counts { get; } = NewCounts();

    internal List<double> GatewayLatenciesMs { get; } = [];

    internal List<double> NodeLatenciesMs { get; } = [];

    /// <summary>Of each node, once the run is over.</summary>
    internal IReadOnlyList<RadioUse> Radios { get; private set; } = [];

    public void Begun(VirtualMesh mesh)
    {
        _mesh = mesh;
        _sendUs = new long[mesh.Topology.NodeCount + 1];
    }

    public void FrameEnded(in AirFrame frame) => _sendUs[frame.Transmitter] += Airtime.EspNow.Of(frame.Bytes.Length);

    public void Made(long nowUs, int reading, int from, int to, SendResult taken)
    {
        if (to != 0 && !_mesh!.IsRunning(to))
        {
            return;
        }

        Pending made = new(ComparePlan.PhaseAt(nowUs / 1e6), to == 0 ? 0 : 1, nowUs);
        _pending.Add(reading, made);
        Counts[made.Phase, made.Kind].Sent++;
    }

    public void Delivered(long nowUs, int reading, int at)
    {
        if (_pending.Remove(reading, out Pending made))
        {
            Counts[made.Phase, made.Kind].Delivered++;
            (made.Kind == 0 ? GatewayLatenciesMs : NodeLatenciesMs).Add((nowUs - made.MadeUs) / 1000.0);
        }
    }

    public void Ended(long nowUs)
    {
        Radios = [.. Enumerable.Range(1, _sendUs.Length - 1).Select(node =>
        {
            (long awakeUs, long runningUs) = _mesh!.AwakeUsOf(node);
            return new RadioUse(_sendUs[node] / 1e6, awakeUs / 1e6, (runningUs - awakeUs) / 1e6);
        })];
    }

    public void RouteChanged(long nowUs, int node)
    {
    }

    public void Faulted(long nowUs, FaultEntry fault)
    {
    }

    public void Violated(long nowUs, string what)
    {
    }

    private static CompareCount[,] NewCounts()
    {
        CompareCount[,] counts = new CompareCount[ComparePlan.Phases.Count, 2];
        for (int phase = 0; phase < ComparePlan.Phases.Count; phase++)
        {
            (counts[phase, 0], counts[phase, 1]) = (new CompareCount(), new CompareCount());
        }

        return counts;
    }

    private readonly record struct Pending(int Phase, int Kind, long MadeUs);
}

/// <summary>Messages made, and those of them that arrived.</summary>
public sealed record CompareCount
{
    public long Sent { get; set; }

    public long Delivered { get; set; }

    /// <summary>Percent; 100 where none were made.</summary>
    public double Percent => Sent == 0 ? 100 : 100.0 * Delivered / Sent;
}
