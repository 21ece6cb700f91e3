using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// The same traffic and the same faults on one layout, as a scenario. Faults name roles, since ids mean something else in each layout:
/// the relay is the gateway's neighbor that most nodes reach it through, the link is that to the next such neighbor, the node is the
/// farthest.
/// </summary>
internal static class ComparePlan
{
    private const double StartSeconds = 20;
    private const double PhaseSeconds = 60;
    private const double MendSeconds = 30;
    private const int PayloadBytes = 20;

    /// <summary>What is broken, in the order it comes. Between two, and after the last, all is mended for a while.</summary>
    internal static IReadOnlyList<string> Phases { get; } =
        ["nothing broken", "a relay dead", "a link cut", "gateway's service down", "gateway dead", "a node dead", "mended again"];

    internal static int Mended => Phases.Count - 1;

    private static int FaultCount => Phases.Count - 2;

    /// <summary>Index into <see cref="Phases"/>.</summary>
    internal static int PhaseAt(double seconds)
    {
        double since = seconds - StartSeconds - PhaseSeconds;
        if (since < 0)
        {
            return 0;
        }

        int fault = (int)(since / (PhaseSeconds + MendSeconds));
        return fault < FaultCount && since - (fault * (PhaseSeconds + MendSeconds)) < PhaseSeconds ? 1 + fault : Mended;
    }

    internal static Scenario Create(CompareLayout layout, CompareOptions options, ulong seed)
    {
        TopologySpec spec = new(layout.Kind, options.Nodes, 0, options.Loss, null, null);
        List<TrafficEntry> traffic =
        [
            Traffic(TrafficTarget.Gateway, options),
            Traffic(TrafficTarget.Any, options) with { ViaServer = layout.IsServed },
        ];
        double seconds = StartSeconds + PhaseSeconds + (FaultCount * (PhaseSeconds + MendSeconds)) + Scenario.TailSeconds;
        return new Scenario(layout.Name, seed, seconds, spec, traffic, Faults(spec.Create(seed)));
    }

    private static TrafficEntry Traffic(TrafficTarget target, CompareOptions options) =>
        new(null, target, [], options.PeriodSeconds, PayloadBytes, StartSeconds, Confirmed: false, Custody: false, MeshClass.Normal);

    private static List<FaultEntry> Faults(Topology topology)
    {
        (int relay, int second, int farthest) = Roles(topology);
        (FaultKind Breaks, FaultKind Mends, int A, int B)[] kinds =
        [
            (FaultKind.Kill, FaultKind.Start, relay, 0),
            (FaultKind.Cut, FaultKind.Restore, 1, second),
            (FaultKind.GatewayDown, FaultKind.GatewayUp, 1, 0),
            (FaultKind.Kill, FaultKind.Start, 1, 0),
            (FaultKind.Kill, FaultKind.Start, farthest, 0),
        ];
        List<FaultEntry> faults = [];
        foreach ((int i, (FaultKind breaks, FaultKind mends, int a, int b)) in kinds.Index())
        {
            double atSeconds = StartSeconds + PhaseSeconds + (i * (PhaseSeconds + MendSeconds));
            faults.Add(new FaultEntry(atSeconds, breaks, a, b, default, []));
            faults.Add(new FaultEntry(atSeconds + PhaseSeconds, mends, a, b, default, []));
        }

        return faults;
    }

    /// <summary>From the tree of fewest hops to node 1, each node below the parent of lowest id.</summary>
    private static (int Relay, int Second, int Farthest) Roles(Topology topology)
    {
        int[] parent = new int[topology.NodeCount + 1];
        parent[1] = 1;
        List<int> order = [1];
        for (int i = 0; i < order.Count; i++)
        {
            foreach (RadioLink link in topology.LinksFrom(order[i]))
            {
                if (parent[link.To] == 0)
                {
                    parent[link.To] = order[i];
                    order.Add(link.To);
                }
            }
        }

        int[] below = new int[parent.Length];
        foreach (int node in Enumerable.Reverse(order))
        {
            below[node]++;
            below[parent[node]] += node == 1 ? 0 : below[node];
        }

        int[] nearest = [.. order.Where(node => node != 1 && parent[node] == 1).OrderByDescending(node => below[node]).ThenBy(node => node)];
        return (nearest[0], nearest.Length > 1 ? nearest[1] : nearest[0], order[^1]);
    }
}
