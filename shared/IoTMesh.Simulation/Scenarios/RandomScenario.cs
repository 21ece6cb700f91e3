using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// Draws scenarios to search for faults with: any topology, any traffic, kills, restarts, cuts, partitions, moves and gateways
/// that come and go, each undone in time for the mesh to settle before the end.
/// </summary>
public static class RandomScenario
{
    private const double FirstFaultSeconds = 25;
    private const double FaultsSeconds = 90;
    private const double SettleSeconds = 75;
    private const int StarNodesMax = 16;

    /// <param name="seed">The same seed gives the same scenario; it is also the scenario's seed.</param>
    /// <param name="nodesMax">Largest number of nodes, at least 3.</param>
    public static Scenario Create(ulong seed, int nodesMax = 30)
    {
        SeededRandom random = new(seed, 0x66757A);
        TopologyKind[] kinds =
        [
            TopologyKind.Line, TopologyKind.Ring, TopologyKind.Star, TopologyKind.Grid4, TopologyKind.Grid8, TopologyKind.Tree3, TopologyKind.Random,
        ];
        TopologyKind kind = kinds[random.NextInt(kinds.Length)];

        // The hub of a star must have all the others in its neighbor table.
        int nodes = 3 + random.NextInt((kind == TopologyKind.Star ? Math.Min(nodesMax, StarNodesMax) : nodesMax) - 2);
        double loss = random.NextInt(3) == 0 ? 0 : Math.Round(random.NextDouble() * 0.3, 2);
        int[] gateways = [.. Enumerable.Range(0, random.NextInt(4)).Select(_ => 1 + random.NextInt(nodes)).Distinct()];
        TopologySpec topology = new(kind, nodes, 0, loss, null, gateways);
        List<FaultEntry> faults = [];
        for (int count = random.NextInt(12); count > 0; count--)
        {
            AddFault(faults, random, topology);
        }

        faults.Sort((a, b) => a.AtSeconds.CompareTo(b.AtSeconds));
        List<TrafficEntry> traffic = [Traffic(random, TrafficTarget.Any, custody: false)];
        if (gateways.Length > 0)
        {
            traffic.Add(Traffic(random, TrafficTarget.Gateway, custody: true));
            traffic.Add(Traffic(random, TrafficTarget.Gateway, custody: false));
        }

        return new Scenario($"random-{seed}", seed, FirstFaultSeconds + FaultsSeconds + SettleSeconds, topology, traffic, faults);
    }

    private static TrafficEntry Traffic(SeededRandom random, TrafficTarget target, bool custody)
    {
        double periodSeconds = 2 + random.NextInt(9);
        int payloadBytes = 4 + random.NextInt(44);
        bool confirmed = !custody && random.NextInt(2) == 0;
        MeshClass messageClass = (MeshClass)random.NextInt(4);
        return new TrafficEntry(null, target, [], periodSeconds, payloadBytes, 15, confirmed, custody, messageClass);
    }

    private static void AddFault(List<FaultEntry> faults, SeededRandom random, TopologySpec topology)
    {
        double from = FirstFaultSeconds + (random.NextDouble() * FaultsSeconds);
        double to = Math.Min(FirstFaultSeconds + FaultsSeconds, from + 0.2 + (random.NextDouble() * 30));
        int a = 1 + random.NextInt(topology.Nodes);
        int b = 1 + random.NextInt(topology.Nodes);
        FaultEntry fault = new(from, FaultKind.Kill, a, b, default, []);
        switch (random.NextInt(6))
        {
            case 0 or 1:
                AddPair(faults, fault, to, FaultKind.Kill, FaultKind.Start);
                break;
            case 2 when a != b:
                AddPair(faults, fault, to, FaultKind.Cut, FaultKind.Restore);
                break;
            case 3:
                int[] group = [.. Enumerable.Range(1, topology.Nodes).Where(_ => random.NextInt(2) == 0)];
                AddPair(faults, fault with { Groups = [group] }, to, FaultKind.Partition, FaultKind.Merge);
                break;
            case 4 when topology.Gateways!.Count > 0:
                int gateway = topology.Gateways[random.NextInt(topology.Gateways.Count)];
                AddPair(faults, fault with { A = gateway }, to, FaultKind.GatewayDown, FaultKind.GatewayUp);
                break;
            case 5:
                double width = Math.Sqrt(topology.Nodes);
                faults.Add(fault with { Kind = FaultKind.Move, Position = new(random.NextDouble() * width, random.NextDouble() * width) });
                break;
        }
    }

    private static void AddPair(List<FaultEntry> faults, FaultEntry fault, double untilSeconds, FaultKind begin, FaultKind end)
    {
        faults.Add(fault with { Kind = begin });
        faults.Add(fault with { Kind = end, AtSeconds = untilSeconds });
    }
}
