namespace IoTMesh.Core;

/// <content>Choice of the next hop and of what is advertised. protocol.md 5.5.</content>
internal sealed partial class RouteTable
{
    /// <summary>
    /// The next hop for messages of that origin: of all eligible candidates that are as good as the chosen one always the same, and
    /// another for other origins, so that parents of equal worth share the load and no origin's messages overtake each other.
    /// Rendezvous hashing: a candidate that comes or goes moves only its own origins. One that just failed is avoided, and so is the
    /// one that handed the message over, unless it is the chosen next hop.
    /// </summary>
    internal int NextHopFor(int route, ushort origin, int avoid, int from)
    {
        int chosen = _chosen[route];
        if (chosen == NoNeighbor)
        {
            return None;
        }

        // One that failed last is tried until it is known to be dead or alive: others may be as good, and it would stay chosen for ever.
        int failing = _via[route];
        if (_neighbors.Failures[failing] != 0 && failing != avoid && failing != from)
        {
            return failing;
        }

        int first = route * Candidates;
        int limit = _candidateMetric[first + chosen] + _neighbors.LinkCost(_candidate[first + chosen]) + EqualWorth;
        int best = None;
        uint bestWeight = 0;
        for (int at = first; at < first + Candidates; at++)
        {
            int neighbor = _candidate[at];
            if (neighbor == NoNeighbor || neighbor == avoid || neighbor == from
                || _candidateMetric[at] + _neighbors.LinkCost(neighbor) > limit || !IsEligible(route, at))
            {
                continue;
            }

            uint weight = ((uint)origin * 0x9E3779B1) ^ ((uint)_neighbors.Address[neighbor] * 0x85EBCA77);
            weight = (weight ^ (weight >> 15)) * 0xC2B2AE3D;
            weight ^= weight >> 13;
            if (best == None || weight > bestWeight)
            {
                bestWeight = weight;
                best = neighbor;
            }
        }

        return best == None ? NextHopAvoiding(route, avoid, from) : best;
    }

    /// <summary>The best feasible next hop other than a neighbor that just failed; that neighbor where there is no other.</summary>
    internal int NextHopAvoiding(int route, int avoid)
    {
        return NextHopAvoiding(route, avoid, None);
    }

    /// <summary>
    /// The same for a message that <paramref name="from"/> handed over. That neighbor may have become feasible since, by a newer seqno,
    /// and still lead back here: it gets the message back only as the chosen next hop, never as a detour.
    /// </summary>
    private int NextHopAvoiding(int route, int avoid, int from)
    {
        int next = NextHop(route);
        if (next != avoid || next == None)
        {
            return next;
        }

        int best = None;
        int bestCost = MeshConfig.InfiniteMetric;
        for (int k = 0; k < Candidates; k++)
        {
            int at = (route * Candidates) + k;
            if (_candidate[at] != avoid && _candidate[at] != from && IsEligible(route, at))
            {
                int cost = _candidateMetric[at] + _neighbors.LinkCost(_candidate[at]);
                if (cost < bestCost)
                {
                    bestCost = cost;
                    best = _candidate[at];
                }
            }
        }

        return best == None ? next : best;
    }

    /// <summary>The reachable gateway with the lowest metric, or None.</summary>
    internal int NearestGateway()
    {
        int best = None;
        int bestMetric = MeshConfig.InfiniteMetric;
        for (int i = 0; i < Count; i++)
        {
            if (IsGateway[i] && Metric[i] < bestMetric)
            {
                bestMetric = Metric[i];
                best = i;
            }
        }

        return best;
    }

    internal int FeasibleCount(int route)
    {
        int count = 0;
        for (int k = 0; k < Candidates; k++)
        {
            if (IsEligible(route, (route * Candidates) + k))
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>The neighbor to ask for a newer seqno: the nearest that claims a route, feasible or not; None where nobody does.</summary>
    internal int AnyCandidate(int route, int except)
    {
        int best = None;
        int bestCost = MeshConfig.InfiniteMetric;
        for (int k = 0; k < Candidates; k++)
        {
            int at = (route * Candidates) + k;
            int neighbor = _candidate[at];
            if (neighbor != NoNeighbor && neighbor != except && _neighbors.IsUsable(neighbor) && _candidateMetric[at] < bestCost)
            {
                bestCost = _candidateMetric[at];
                best = neighbor;
            }
        }

        return best;
    }

    /// <summary>True where that neighbor is a gateway, or offers the way to one that this node has no way to.</summary>
    internal bool WantsGatewayOver(int neighbor)
    {
        for (int r = 0; r < Count; r++)
        {
            bool isWanted = IsGateway[r] && (_via[r] == NoNeighbor || Destination[r] == _neighbors.Address[neighbor]);
            if (isWanted && FindCandidate(r, neighbor) != None)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>True where the cost of a link that this route has to choose from changed since the last housekeeping.</summary>
    internal bool IsCostChanged(int route)
    {
        for (int at = route * Candidates; at < (route + 1) * Candidates; at++)
        {
            if (_candidate[at] != NoNeighbor && _neighbors.CostChanged[_candidate[at]])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Chooses the next hop of a route again and decides whether neighbors must hear of it.</summary>
    internal int Reselect(int route)
    {
        int current = _chosen[route];
        int best = None;
        int bestCost = MeshConfig.InfiniteMetric;
        int currentCost = MeshConfig.InfiniteMetric;
        ushort moved = 0;
        bool any = false;
        for (int k = 0; k < Candidates; k++)
        {
            int at = (route * Candidates) + k;
            if (!IsEligible(route, at))
            {
                continue;
            }

            // protocol.md 5.2: a jump of the seqno says that the destination is elsewhere now.
            int ahead = any ? (short)(_evidenceSeqNo[at] - moved) : 0;
            if (ahead <= -SeqNoJump)
            {
                continue;
            }

            if (ahead >= SeqNoJump)
            {
                best = None;
                bestCost = MeshConfig.InfiniteMetric;
                currentCost = MeshConfig.InfiniteMetric;
            }

            moved = !any || ahead > 0 ? _evidenceSeqNo[at] : moved;
            any = true;
            int cost = _candidateMetric[at] + _neighbors.LinkCost(_candidate[at]);
            if (k == current)
            {
                currentCost = cost;
            }

            if (cost < bestCost)
            {
                bestCost = cost;
                best = k;
            }
        }

        if (best != None && currentCost < MeshConfig.InfiniteMetric && currentCost <= bestCost + Hysteresis)
        {
            best = current;
            bestCost = currentCost;
        }

        return Adopt(route, best, bestCost);
    }

    private int Adopt(int route, int best, int cost)
    {
        int result = 0;
        int before = NextHop(route);
        int after = best == None ? None : _candidate[(route * Candidates) + best];
        int previousMetric = Metric[route];
        _chosen[route] = best == None ? NoNeighbor : (byte)best;
        _via[route] = after == None ? NoNeighbor : (byte)after;
        if (before != after)
        {
            result = ChangedNextHop;
        }

        if (best == None)
        {
            if (previousMetric < MeshConfig.InfiniteMetric)
            {
                Announce(route, MeshConfig.InfiniteMetric, SeqNoAdvertised[route]);
                result |= ChangedMetric | Urgent;
            }

            return result | Starving;
        }

        ushort seqNo = _evidenceSeqNo[(route * Candidates) + best];
        int difference = cost - previousMetric;
        bool isNewSeqNo = seqNo != SeqNoAdvertised[route];
        bool wasUnreachable = previousMetric >= MeshConfig.InfiniteMetric;
        int step = previousMetric / 4 > AnnounceStep ? previousMetric / 4 : AnnounceStep;
        if (wasUnreachable || isNewSeqNo || difference >= step || difference <= -step)
        {
            Announce(route, (ushort)cost, seqNo);
            result |= ChangedMetric;
            result |= wasUnreachable || (isNewSeqNo && IsGateway[route]) ? Urgent : 0;
        }

        if (!IsForwarding[route] || !SeqNo.IsNewer(WantedSeqNo[route], SeqNoAdvertised[route]))
        {
            EndRequest(route);
        }

        return result;
    }

    /// <summary>Nothing newer is wanted of this destination any more.</summary>
    internal void EndRequest(int route)
    {
        RequestDue[route] = Stamp.Never;
        RequestTries[route] = 0;
        IsForwarding[route] = false;
    }

    /// <summary>Sets what is advertised and, with it, the feasibility distance (RFC 8966 section 3.7.3).</summary>
    private void Announce(int route, ushort metric, ushort seqNo)
    {
        Metric[route] = metric;
        SeqNoAdvertised[route] = seqNo;
        Touch(route);
        if (metric >= MeshConfig.InfiniteMetric)
        {
            return;
        }

        if (!_advertises)
        {
            return;
        }

        if (DistanceMetric[route] == Feasibility.NoDistance || SeqNo.IsNewer(seqNo, DistanceSeqNo[route]))
        {
            DistanceSeqNo[route] = seqNo;
            DistanceMetric[route] = metric;
        }
        else if (seqNo == DistanceSeqNo[route] && metric < DistanceMetric[route])
        {
            DistanceMetric[route] = metric;
        }
    }

    /// <summary>Makes the next beacons carry the route.</summary>
    internal void Touch(int route)
    {
        Version++;
        _changedVersion[route] = (ushort)Version;
    }

    private bool IsEligible(int route, int at)
    {
        int neighbor = _candidate[at];
        if (neighbor == NoNeighbor || !_neighbors.IsUsable(neighbor))
        {
            return false;
        }

        // The destination itself never forwards what is for it, so it closes no loop.
        return _neighbors.Address[neighbor] == Destination[route]
            || (!IsUnproven(route, at)
                && Feasibility.IsFeasible(_evidenceSeqNo[at], _evidenceMetric[at], DistanceSeqNo[route], DistanceMetric[route]));
    }

    private bool IsNewerThanDistance(int route, ushort seqNo)
    {
        return DistanceMetric[route] == Feasibility.NoDistance || SeqNo.IsNewer(seqNo, DistanceSeqNo[route]);
    }

    /// <summary>The newest seqno of the destination that this node knows of, its own advertisements included.</summary>
    internal ushort NewestSeqNo(int route)
    {
        bool first = DistanceMetric[route] == Feasibility.NoDistance;
        ushort newest = DistanceSeqNo[route];
        for (int at = route * Candidates; at < (route + 1) * Candidates; at++)
        {
            bool isNewer = first || SeqNo.IsNewer(_evidenceSeqNo[at], newest);
            if (_candidate[at] != NoNeighbor && isNewer)
            {
                newest = _evidenceSeqNo[at];
                first = false;
            }
        }

        return newest;
    }
}
