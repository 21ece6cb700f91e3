namespace IoTMesh.Core;

/// <content>What the routes tell about links between this node's neighbors.</content>
internal sealed partial class RouteTable
{
    // Two hops cost at least 128, so less is one hop, and one that carries more frames than not.
    private const int NearMetricMax = 112;

    /// <summary>
    /// Sets bit b of <c>adjacent[a]</c> where the neighbors in slots a and b hear each other well: one of them has advertised the
    /// other at the cost of one hop. Slots from 64 on are left out. Up to three are known for each neighbor, and those that chose it.
    /// </summary>
    /// <param name="adjacent">One word for each neighbor slot; overwritten.</param>
    internal void GetAdjacent(ulong[] adjacent)
    {
        System.Array.Clear(adjacent, 0, adjacent.Length);
        for (int route = 0; route < Count; route++)
        {
            int a = _neighbors.Find(Destination[route]);
            if (a == NeighborTable.None || a >= 64)
            {
                continue;
            }

            for (int at = route * Candidates; at < (route + 1) * Candidates; at++)
            {
                int b = _candidate[at];
                if (b < 64 && b != a && _candidateMetric[at] < NearMetricMax)
                {
                    adjacent[a] |= 1UL << b;
                    adjacent[b] |= 1UL << a;
                }
            }
        }
    }
}
