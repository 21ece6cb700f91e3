namespace IoTMesh.Simulation;

public sealed partial class SimulationRun
{
    private void AddFlow(TrafficEntry entry, int from, int to)
    {
        if (from == to || IsAttacker(from) || IsAttacker(to))
        {
            return;
        }

        long periodUs = Math.Max(1, Us(entry.PeriodSeconds));
        Flow flow = new(entry, from, to, periodUs) { NextUs = Us(entry.StartSeconds) + _random.NextLong(periodUs) };
        _flows.Add(flow);
        if (flow.NextUs < _trafficEndUs)
        {
            _mesh.CallAt(flow.NextUs, _flows.Count + 1);
        }
    }

    private int OtherNode(int from)
    {
        int other;
        do
        {
            other = 1 + _random.NextInt(_mesh.Topology.NodeCount - 1);
            other = other >= from ? other + 1 : other;
        }
        while (IsAttacker(other));

        return other;
    }

    private sealed class Flow(TrafficEntry entry, int from, int to, long periodUs)
    {
        internal TrafficEntry Entry { get; } = entry;

        internal int From { get; } = from;

        internal int To { get; } = to;

        internal long PeriodUs { get; } = periodUs;

        internal long NextUs { get; set; }
    }
}
