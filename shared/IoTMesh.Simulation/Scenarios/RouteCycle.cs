namespace IoTMesh.Simulation;

/// <summary>Looks for a forwarding loop.</summary>
internal static class RouteCycle
{
    /// <summary>Follows next hops from a node whose route changed; a cycle that this change closed leads back to it.</summary>
    /// <param name="nextHop">0, or anything that is no id, where the way ends.</param>
    /// <returns>The node before it in the cycle, or 0 where there is none.</returns>
    internal static int Find(int node, int nodes, Func<int, int> nextHop)
    {
        int at = node;
        for (int steps = 0; steps < nodes; steps++)
        {
            int next = nextHop(at);
            if (next == node)
            {
                return at;
            }

            if (next < 1 || next > nodes)
            {
                return 0;
            }

            at = next;
        }

        return 0;
    }
}
