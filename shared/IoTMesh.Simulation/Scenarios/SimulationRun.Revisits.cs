using IoTMesh.Core;

namespace IoTMesh.Simulation;

public sealed partial class SimulationRun
{
    // A frame may have been at the radio when its sender changed its mind; where it waits for the channel, for long.
    private const long AtRadioUs = 50_000;
    private const long AtBusyRadioUs = 2 * Second;

    // What a node that has lost its way to a gateway needs to let its neighbors know, with some beacons lost.
    private const long NewsUs = 10 * Second;
    private readonly Dictionary<(int Node, ushort Destination), (ushort NextHop, long ChangedUs)> _routes = [];
    private long _revisits;

    /// <summary>Remembers when a node last changed its next hop to a destination, and to its nearest gateway.</summary>
    private void NoteRoute(int node, MeshNode core, ushort destination)
    {
        if (_mesh.Topology.IsGateway(destination))
        {
            Note(MeshAddress.AnyGateway);
        }

        Note(destination);

        void Note(ushort goal)
        {
            ushort nextHop = core.GetNextHop(goal);
            if (!_routes.TryGetValue((node, goal), out (ushort NextHop, long ChangedUs) known) || known.NextHop != nextHop)
            {
                _routes[(node, goal)] = (nextHop, _mesh.NowUs);
            }
        }
    }

    /// <summary>
    /// Next hops without a cycle at any moment do not keep a message from coming back: between two of its hops a node may learn that its
    /// way is broken and take one that leads back. So a revisit is legal after a real reroute and wrong without. The rule: a node of the
    /// way round changed its next hop to what the message was headed for (its gateway where it keeps to one, any gateway, or its
    /// destination) after the message left on that round, or a node there gave it another gateway since its own way to the gateway
    /// before had changed so lately that its neighbors need not know.
    /// </summary>
    void IVirtualMeshObserver.Revisited(Revisit revisit)
    {
        _revisits++;
        int count = revisit.Nodes.Count;
        long leftUs = revisit.LeftUs - (_scenario.Radio.IsPhysical ? AtBusyRadioUs : AtRadioUs);
        for (int i = 0; i < count; i++)
        {
            int node = revisit.Nodes[i];
            ushort target = revisit.Targets[i];
            ushort before = revisit.Targets[(i + count - 1) % count];

            // Handed up to a gateway for want of a route: up once, down once (protocol.md 5.7).
            bool handedUp = before != target && before != MeshAddress.AnyGateway && !_mesh.Topology.IsGateway(before);
            if (handedUp || HasChanged(node, target, leftUs) || (before != target && HasChanged(node, before, revisit.LeftUs - NewsUs)))
            {
                return;
            }
        }

        string way = string.Join(", ", revisit.Nodes.Select((node, i) => $"{node} (headed for {Goal(revisit.Targets[i])})"));
        Violate($"a message of node {revisit.Origin} went in a circle though no node changed its route: {way}, and back to {revisit.Nodes[0]}");
    }

    private bool HasChanged(int node, ushort destination, long sinceUs)
    {
        return !_routes.TryGetValue((node, destination), out (ushort NextHop, long ChangedUs) route) || route.ChangedUs >= sinceUs;
    }

    private static string Goal(ushort target) => target == MeshAddress.AnyGateway ? "any gateway" : $"{target}";
}
