namespace IoTMesh.Core;

/// <content>The next hop of a second copy. protocol.md 6.7.</content>
internal sealed partial class RouteTable
{
    /// <summary>The best eligible candidate other than the first hop and the neighbor that handed the message over; None without.</summary>
    internal int OtherHop(int route, int first, int from)
    {
        int best = None;
        int bestCost = MeshConfig.InfiniteMetric;
        for (int at = route * Candidates; at < (route + 1) * Candidates; at++)
        {
            int neighbor = _candidate[at];
            if (neighbor == first || neighbor == from || !IsEligible(route, at))
            {
                continue;
            }

            int cost = _candidateMetric[at] + _neighbors.LinkCost(neighbor);
            if (cost < bestCost)
            {
                bestCost = cost;
                best = neighbor;
            }
        }

        return best;
    }
}
