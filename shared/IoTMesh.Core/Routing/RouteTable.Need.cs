namespace IoTMesh.Core;

/// <content>What the routes tell about how much a neighbor is needed. protocol.md 5.3.</content>
internal sealed partial class RouteTable
{
    private const int OneHop = 64;

    /// <summary>
    /// Sets for each neighbor slot one of the Need constants of <see cref="NeighborRank"/>: how much hangs on that neighbor alone.
    /// </summary>
    /// <param name="need">A byte for each neighbor slot; overwritten.</param>
    internal void GetNeeds(byte[] need)
    {
        System.Array.Clear(need, 0, need.Length);
        for (int route = 0; route < Count; route++)
        {
            int via = _via[route];
            if (IsGateway[route])
            {
                int itself = _neighbors.Find(Destination[route]);
                if (itself != NeighborTable.None)
                {
                    need[itself] = NeighborRank.NeedGateway;
                }
            }

            if (via == NoNeighbor)
            {
                continue;
            }

            byte level = IsGateway[route] ? NeighborRank.NeedGateway
                : _neighbors.Address[via] == Destination[route] ? NeighborRank.NeedItself : NeighborRank.NeedOthers;
            if (level > need[via] && (IsGateway[route] || !HasOtherWay(route)))
            {
                need[via] = level;
            }
        }
    }

    /// <summary>True where a verified neighbor leads to that destination, as far as a table that is short of places can tell.</summary>
    internal bool IsReached(ushort destination)
    {
        int route = Find(destination);
        return route == None ? IsShort : _via[route] != NoNeighbor;
    }

    /// <summary>True where a verified neighbor claims a way to that destination, feasible or not.</summary>
    internal bool IsClaimed(ushort destination)
    {
        int route = Find(destination);
        return route != None && (_via[route] != NoNeighbor || AnyCandidate(route, None) != None);
    }

    /// <summary>True where that neighbor claims a way to somewhere that this node has no way to, or to a gateway that it is itself.</summary>
    internal bool LacksWayBut(int neighbor)
    {
        for (int route = 0; route < Count; route++)
        {
            bool isWanted = _via[route] == NoNeighbor || (IsGateway[route] && Destination[route] == _neighbors.Address[neighbor]);
            if (isWanted && FindCandidate(route, neighbor) != None)
            {
                return true;
            }
        }

        return false;
    }

    // Another neighbor's way that is not longer than this node's own cannot lead over this node. It need not be feasible: a newer
    // seqno, for which this node would ask, makes it so.
    private bool HasOtherWay(int route)
    {
        for (int at = route * Candidates; at < (route + 1) * Candidates; at++)
        {
            int neighbor = _candidate[at];
            if (neighbor != NoNeighbor && neighbor != _via[route] && _neighbors.IsUsable(neighbor)
                && _candidateMetric[at] < Metric[route] + OneHop)
            {
                return true;
            }
        }

        return false;
    }
}
