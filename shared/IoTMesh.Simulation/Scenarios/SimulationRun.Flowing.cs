namespace IoTMesh.Simulation;

public sealed partial class SimulationRun
{
    private const int SilentReadingsMax = 8;

    /// <summary>
    /// Half a minute after the last fault, traffic must flow: a source with a way of fair links to all its destinations that has made 8
    /// readings or more since then must have got at least one of them through.
    /// </summary>
    private void CheckFlowing()
    {
        long settledUs = SettleUs + (_faultTimes.Count == 0 ? Second : _faultTimes[^1].AtUs);
        foreach (IGrouping<int, Flow> source in _flows.GroupBy(flow => flow.From))
        {
            if (!_mesh.IsRunning(source.Key) || !source.All(flow => HasWay(flow, ratioMin: 0.5)))
            {
                continue;
            }

            int made = 0;
            int delivered = 0;
            foreach (Reading reading in _readings)
            {
                if (reading.From == source.Key && reading.MadeUs >= settledUs)
                {
                    made++;
                    delivered += reading.DeliveredUs >= 0 ? 1 : 0;
                }
            }

            if (made >= SilentReadingsMax && delivered == 0)
            {
                Violate($"node {source.Key} has a way to where its readings go, but none of the last {made} arrived");
            }
        }
    }
}
