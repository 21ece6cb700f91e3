using IoTMesh.Core;

namespace IoTMesh.Simulation;

public sealed partial class SimulationRun
{
    // A frame may have been at the radio when its sender changed its mind; where it waits for the channel, for long.
    private const long AtRadioUs = 50_000;
    private const long AtBusyRadioUs = 2 * Second;

    // What a node that has lost its way to a gateway needs to let its neighbors know, with some beacons lost.
    private const long NewsUs = 10 * Second;
    private readonly Dictionary<(int Node, ushort Destination), KnownRoute> _routes = [];
    private readonly RouteInfo _route = new();
    private long _revisits;

    /// <summary>What neighbors may learn from a beacon is what the node's routes are as it sends it.</summary>
    void IVirtualMeshObserver.Beaconed(int node)
    {
        NoteRoutes(node);
    }

    /// <summary>A change that may be taken back before the next beacon.</summary>
    private void NoteNextHop(int node, MeshNode core, ushort goal)
    {
        ushort nextHop = core.GetNextHop(goal);
        if (_routes.TryGetValue((node, goal), out KnownRoute known) && known.NextHop != nextHop)
        {
            known.NextHop = nextHop;
            known.ChangedUs = _mesh.NowUs;
            _routes[(node, goal)] = known;
        }
    }

    private void NoteRoutes(int node)
    {
        if (_mesh.CoreOf(node) is not MeshNode core)
        {
            return;
        }

        ushort gateway = core.NearestGateway;
        for (int i = 0; i < core.RouteCount; i++)
        {
            core.GetRoute(i, _route);
            Note(node, _route.Destination, _route.Destination);
            if (_route.Destination == gateway)
            {
                Note(node, MeshAddress.AnyGateway, gateway);
            }
        }

        if (gateway == MeshAddress.None)
        {
            _route.NextHop = MeshAddress.None;
            _route.Metric = MeshConfig.InfiniteMetric;
            Note(node, MeshAddress.AnyGateway, gateway);
        }
    }

    /// <summary>Remembers when a node's next hop to a goal changed last, and when it last came nearer: see <see cref="IsNearer"/>.</summary>
    private void Note(int node, ushort goal, ushort destination)
    {
        bool isKnown = _routes.TryGetValue((node, goal), out KnownRoute known);
        bool isLost = _route.Metric >= MeshConfig.InfiniteMetric;
        bool isOther = !isKnown || known.Destination != destination;
        KnownRoute route = new()
        {
            Destination = destination,
            NextHop = _route.NextHop,
            SeqNo = isLost && !isOther ? known.SeqNo : _route.SeqNo,
            Metric = isLost && !isOther ? known.Metric : _route.Metric,
            ChangedUs = isOther || known.NextHop != _route.NextHop ? _mesh.NowUs : known.ChangedUs,
        };
        route.NearerUs = isOther || IsNearer(route, known) ? _mesh.NowUs : known.NearerUs;
        _routes[(node, goal)] = route;
    }

    /// <summary>A newer sequence number, or a lower metric under the same one: the feasibility distance (protocol.md 5.5) went down.</summary>
    private static bool IsNearer(in KnownRoute route, in KnownRoute before)
    {
        short newer = (short)(route.SeqNo - before.SeqNo);
        return newer > 0 || (newer == 0 && route.Metric < before.Metric);
    }

    /// <summary>
    /// Next hops without a cycle at any moment do not keep a message from coming back: between two of its hops a node may learn that its
    /// way is broken and take one that leads back. So a revisit is legal after a real reroute and wrong without. The rule: a node of the
    /// way round changed its next hop to what the message was headed for (its gateway where it keeps to one, any gateway, or its
    /// destination) after the message left on that round; or the node it came back to had come nearer meanwhile, so that it was feasible
    /// to a node that it was not feasible to before and whose own next hop does not answer (each hop goes to a node of a lower feasibility
    /// distance, so no way back is open as long as this one's stays); or a node there gave it another gateway than the node before it and
    /// the way of one of the two to the gateway before had changed so lately that the other need not know.
    /// </summary>
    void IVirtualMeshObserver.Revisited(Revisit revisit)
    {
        _revisits++;
        int count = revisit.Nodes.Count;
        foreach (int node in revisit.Nodes)
        {
            NoteRoutes(node);
        }

        long leftUs = revisit.LeftUs - (_scenario.Radio.IsPhysical ? AtBusyRadioUs : AtRadioUs);
        for (int i = 0; i < count; i++)
        {
            int node = revisit.Nodes[i];
            ushort target = revisit.Targets[i];
            int previous = (i + count - 1) % count;
            ushort before = revisit.Targets[previous];

            // Handed up to a gateway for want of a route: up once, down once (protocol.md 5.7).
            bool handedUp = before != target && before != MeshAddress.AnyGateway && !_mesh.Topology.IsGateway(before);
            bool isNews = before != target
                && (HasChanged(node, before, revisit.LeftUs - NewsUs) || HasChanged(revisit.Nodes[previous], before, revisit.LeftUs - NewsUs));
            if (handedUp || isNews || HasChanged(node, target, leftUs))
            {
                return;
            }
        }

        if (revisit.Targets[0] == revisit.Targets[count - 1] && HasComeNearer(revisit.Nodes[0], revisit.Targets[0], leftUs))
        {
            return;
        }

        string way = string.Join(", ", revisit.Nodes.Select((node, i) => $"{node} (headed for {Goal(revisit.Targets[i])})"));
        Violate($"a message of node {revisit.Origin} went in a circle though no node changed its route: {way}, and back to {revisit.Nodes[0]}");
    }

    private bool HasChanged(int node, ushort destination, long sinceUs)
    {
        return !_routes.TryGetValue((node, destination), out KnownRoute route) || route.ChangedUs >= sinceUs;
    }

    private bool HasComeNearer(int node, ushort destination, long sinceUs)
    {
        return !_routes.TryGetValue((node, destination), out KnownRoute route) || route.NearerUs >= sinceUs;
    }

    private static string Goal(ushort target) => target == MeshAddress.AnyGateway ? "any gateway" : $"{target}";

    /// <summary>A node's way to a goal as neighbors may know it. Of a lost one the distance stays: so does the feasibility distance.</summary>
    private struct KnownRoute
    {
        internal ushort Destination;
        internal ushort NextHop;
        internal ushort SeqNo;
        internal ushort Metric;
        internal long ChangedUs;
        internal long NearerUs;
    }
}
