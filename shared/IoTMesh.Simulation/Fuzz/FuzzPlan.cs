using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// Draws scenarios for the nightly search, wider than <see cref="RandomScenario"/>: up to three gateways or none, all sorts of traffic,
/// loss up to extremes, faults from the first second on (reboots while nodes join), flapping links, storms that kill many at once,
/// partitions into several parts, all gateways away, deaths for good, clocks that drift, frames that come
/// twice, late or changed, a physical radio, messages in fragments. After the faults comes a calm in which the mesh must settle.
/// </summary>
public static class FuzzPlan
{
    /// <summary>From the last fault to the end: what the checkers ask for before they demand convergence and custody, and then some.</summary>
    private const double CalmSeconds = 130;
    private const double FaultsSecondsMax = 100;
    private const double OutageSecondsMax = 40;
    private const int StarNodesMax = 16;
    private const int PayloadBytesMin = 4;
    private const int FragmentedBytesMin = 181;
    private const int FragmentedBytesMax = 1_025;

    /// <param name="seed">The same seed gives the same scenario; it is also the scenario's seed.</param>
    /// <param name="nodesMax">Largest number of nodes, at least 3.</param>
    public static Scenario Create(ulong seed, int nodesMax = 30)
    {
        SeededRandom random = new(seed, 0x706C616E);
        TopologySpec topology = DrawTopology(random, nodesMax);

        // A third of the plans let the mesh form first; the others begin while nodes still join.
        double firstSeconds = random.NextInt(3) == 0 ? 25 : random.NextDouble() * 10;
        double lastSeconds = firstSeconds + 10 + (random.NextDouble() * (FaultsSecondsMax - 10));
        List<FaultEntry> faults = [];
        for (int count = random.NextInt(10); count > 0; count--)
        {
            AddFault(faults, random, topology, firstSeconds, lastSeconds);
        }

        faults = [.. faults.OrderBy(fault => fault.AtSeconds)];
        double calmFrom = faults.Count == 0 ? 20 : faults[^1].AtSeconds;
        double durationSeconds = Math.Ceiling(calmFrom + CalmSeconds);
        Scenario plan = new($"fuzz-{seed}", seed, durationSeconds, topology, DrawTraffic(random, topology), faults);
        plan = Disturbed(plan, new SeededRandom(seed, 0x6E6F6973));
        return Widened(plan, new SeededRandom(seed, 0x77696465));
    }

    /// <summary>The physical radio in a fifth of the plans, messages in fragments in a quarter.</summary>
    private static Scenario Widened(Scenario plan, SeededRandom random)
    {
        bool isPhysical = random.NextInt(5) == 0 && plan.Topology.Kind != TopologyKind.Tree3;
        double unitMeters = 15 + random.NextInt(31);
        double shadowingDb = random.NextInt(7);
        if (isPhysical)
        {
            RadioSpec radio = plan.Radio with { IsPhysical = true, UnitMeters = unitMeters, ShadowingDb = shadowingDb };
            plan = plan with { Radio = radio, Topology = plan.Topology with { Loss = 0 } };
        }

        return random.NextInt(4) != 0 ? plan : plan with { Traffic = [.. plan.Traffic.Select(entry => InFragments(entry, random))] };
    }

    /// <summary>Datagrams to one node may be longer than a frame; they come less often then, for each node sends one at a time.</summary>
    private static TrafficEntry InFragments(TrafficEntry entry, SeededRandom random)
    {
        int payloadBytes = FragmentedBytesMin + random.NextInt(FragmentedBytesMax - FragmentedBytesMin);
        return entry.Custody || entry.Target == TrafficTarget.All || entry.Class == MeshClass.RealTime ? entry
            : entry with { PayloadBytes = payloadBytes, PeriodSeconds = entry.PeriodSeconds * 4 };
    }

    /// <summary>Clocks that drift in half of the plans; frames that come twice, late, changed or again in a third.</summary>
    private static Scenario Disturbed(Scenario plan, SeededRandom random)
    {
        double driftPpm = random.NextInt(2) * Math.Round(random.NextDouble() * 100, 1);
        RadioSpec radio = RadioSpec.Simple;
        if (random.NextInt(3) == 0)
        {
            radio = radio with
            {
                Duplicate = random.NextInt(2) * Math.Round(random.NextDouble() * 0.1, 3),
                DelayMs = random.NextInt(2) * random.NextInt(20),
                Corrupt = random.NextInt(2) * Math.Round(random.NextDouble() * 0.05, 3),
                Replay = random.NextInt(2) * Math.Round(random.NextDouble() * 0.02, 3),
            };
        }

        return plan with { ClockDriftPpm = driftPpm, Radio = radio };
    }

    private static TopologySpec DrawTopology(SeededRandom random, int nodesMax)
    {
        TopologyKind[] kinds =
        [
            TopologyKind.Line, TopologyKind.Ring, TopologyKind.Star, TopologyKind.Grid4, TopologyKind.Grid8, TopologyKind.Tree3, TopologyKind.Random,
        ];
        TopologyKind kind = kinds[random.NextInt(kinds.Length)];

        // The hub of a star must have all the others in its neighbor table.
        int most = kind == TopologyKind.Star ? Math.Min(nodesMax, StarNodesMax) : nodesMax;

        // Small meshes as often as large ones: they run faster, and most faults show in them.
        int nodes = 3 + Math.Min(random.NextInt(most - 2), random.NextInt(most - 2));
        double loss = random.NextInt(10) switch
        {
            < 3 => 0,
            < 8 => random.NextDouble() * 0.3,
            _ => 0.3 + (random.NextDouble() * 0.3),
        };
        int gatewayCount = random.NextInt(8) switch { 0 => 0, < 4 => 1, < 6 => 2, _ => 3 };
        int[] gateways = [.. Enumerable.Range(0, gatewayCount).Select(_ => 1 + random.NextInt(nodes)).Distinct().Order()];
        return new TopologySpec(kind, nodes, 0, Math.Round(loss, 2), null, gateways);
    }

    private static List<TrafficEntry> DrawTraffic(SeededRandom random, TopologySpec topology)
    {
        List<TrafficEntry> traffic = [];
        bool hasGateway = topology.Gateways!.Count > 0;
        if (hasGateway)
        {
            traffic.Add(DrawEntry(random, TrafficTarget.Gateway) with { Custody = true, Confirmed = false, Class = MeshClass.Normal });
        }

        if (hasGateway && random.NextInt(2) == 0)
        {
            traffic.Add(DrawEntry(random, TrafficTarget.Gateway));
        }

        if (!hasGateway || random.NextInt(2) == 0)
        {
            traffic.Add(DrawEntry(random, TrafficTarget.Any));
        }

        if (random.NextInt(4) == 0)
        {
            traffic.Add(DrawEntry(random, TrafficTarget.All) with { From = [1 + random.NextInt(topology.Nodes)], Confirmed = false });
        }

        return traffic;
    }

    private static TrafficEntry DrawEntry(SeededRandom random, TrafficTarget target)
    {
        double periodSeconds = 2 + random.NextInt(9);
        int payloadBytes = PayloadBytesMin + random.NextInt(44);
        bool isConfirmed = random.NextInt(2) == 0;
        MeshClass messageClass = (MeshClass)random.NextInt(4);
        int startSeconds = random.NextInt(2) == 0 ? 1 : 15;
        return new TrafficEntry(null, target, [], periodSeconds, payloadBytes, startSeconds, isConfirmed, false, messageClass);
    }

    private static void AddFault(List<FaultEntry> faults, SeededRandom random, TopologySpec topology, double first, double last)
    {
        double from = first + (random.NextDouble() * (last - first));
        double to = Math.Min(last, from + 0.1 + (random.NextDouble() * random.NextDouble() * OutageSecondsMax));
        int a = 1 + random.NextInt(topology.Nodes);
        int b = 1 + random.NextInt(topology.Nodes);
        FaultEntry fault = new(Round(from), FaultKind.Kill, a, 0, default, []);
        switch (random.NextInt(12))
        {
            case 0 or 1 or 2:
                AddPair(faults, fault, to, FaultKind.Kill, FaultKind.Start);
                break;
            case 3 when a != b:
                AddPair(faults, fault with { B = b }, to, FaultKind.Cut, FaultKind.Restore);
                break;
            case 4:
                AddPair(faults, fault with { A = 0, Groups = DrawGroups(random, topology.Nodes) }, to, FaultKind.Partition, FaultKind.Merge);
                break;
            case 5 when topology.Gateways!.Count > 0:
                int gateway = topology.Gateways[random.NextInt(topology.Gateways.Count)];
                AddPair(faults, fault with { A = gateway }, to, FaultKind.GatewayDown, FaultKind.GatewayUp);
                break;
            case 6:
                double width = Math.Sqrt(topology.Nodes);
                RadioPosition position = new(Round(random.NextDouble() * width), Round(random.NextDouble() * width));
                faults.Add(fault with { Kind = FaultKind.Move, Position = position });
                break;
            case 7:
                AddStorm(faults, random, topology.Nodes, from, to);
                break;
            case 8 when a != b:
                AddFlapping(faults, random, fault with { B = b }, from, to);
                break;
            case 9:
                foreach (int each in topology.Gateways!)
                {
                    AddPair(faults, fault with { A = each }, to, FaultKind.GatewayDown, FaultKind.GatewayUp);
                }

                break;
            case 10:
                // For good.
                faults.Add(fault);
                break;
            case 11:
                // Reboots, again and again: boot numbers and reserved counters run on.
                for (double at = from; at < to; at += 0.5 + (random.NextDouble() * 4))
                {
                    AddPair(faults, fault with { AtSeconds = Round(at) }, at + 0.05 + (random.NextDouble() * 0.3), FaultKind.Kill, FaultKind.Start);
                }

                break;
        }
    }

    /// <summary>Many nodes at once, started again one by one.</summary>
    private static void AddStorm(List<FaultEntry> faults, SeededRandom random, int nodes, double from, double to)
    {
        for (int node = 1; node <= nodes; node++)
        {
            if (random.NextInt(3) == 0)
            {
                FaultEntry kill = new(Round(from), FaultKind.Kill, node, 0, default, []);
                AddPair(faults, kill, to + (random.NextDouble() * 5), FaultKind.Kill, FaultKind.Start);
            }
        }
    }

    private static void AddFlapping(List<FaultEntry> faults, SeededRandom random, FaultEntry fault, double from, double to)
    {
        for (double at = from; at < to; at += 0.3 + (random.NextDouble() * 6))
        {
            AddPair(faults, fault with { AtSeconds = Round(at) }, at + 0.1 + (random.NextDouble() * 3), FaultKind.Cut, FaultKind.Restore);
        }
    }

    private static int[][] DrawGroups(SeededRandom random, int nodes)
    {
        int parts = 2 + random.NextInt(2);
        int[] partOf = [.. Enumerable.Range(0, nodes).Select(_ => random.NextInt(parts))];
        return [.. Enumerable.Range(1, parts - 1).Select(part => (int[])[.. Enumerable.Range(1, nodes).Where(node => partOf[node - 1] == part)])];
    }

    private static void AddPair(List<FaultEntry> faults, FaultEntry fault, double untilSeconds, FaultKind begin, FaultKind end)
    {
        faults.Add(fault with { Kind = begin });
        faults.Add(fault with { Kind = end, AtSeconds = Math.Max(fault.AtSeconds, Round(untilSeconds)), Groups = [] });
    }

    private static double Round(double seconds) => Math.Round(seconds, 3);
}
