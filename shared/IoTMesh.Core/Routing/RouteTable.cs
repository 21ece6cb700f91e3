namespace IoTMesh.Core;

/// <summary>
/// Distance-vector routes to nodes and gateways: for each destination up to three next hops with what they advertised, the
/// feasibility distance, and what this node itself advertises. Parallel arrays by route slot. Full: a route unreachable for
/// minutes is replaced, else, for a gateway, the dearest host route; other newcomers are refused. protocol.md 5.2.
/// </summary>
internal sealed partial class RouteTable
{
    internal const int None = -1;
    internal const int Candidates = 3;

    /// <summary>Bits of what Update and Reselect report.</summary>
    internal const int ChangedNextHop = 1;
    internal const int ChangedMetric = 2;
    internal const int Urgent = 4;
    internal const int Starving = 8;

    // 1.5 transmissions: less gain is not worth a change of next hop.
    private const int Hysteresis = 96;

    /// <summary>A leaf that changes its parent raises its seqno by so much at once.</summary>
    internal const int SeqNoJump = 4;
    private const int AnnounceStep = 96;

    // An eighth of a transmission: no difference that measuring links can tell.
    private const int EqualWorth = 8;
    private const byte NoNeighbor = 0xFF;

    private const int GatewayReserveMax = 8;

    // 260 s of housekeeping: by then no neighbor believes in what this node once advertised, so that its feasibility distance may
    // go too (RFC 8966 section 3.2.5 keeps it for minutes as well).
    private const byte ForgottenTicks = 52;

    // Older than any change that a beacon with changes only can name.
    private const int LongAgo = 0x4000;
    private readonly NeighborTable _neighbors;
    private readonly bool _advertises;
    private readonly byte[] _candidate;
    private readonly ushort[] _candidateMetric;
    private readonly ushort[] _evidenceSeqNo;
    private readonly ushort[] _evidenceMetric;
    private readonly ushort[] _gatewaySeqNo;

    // Bit k: what candidate k said first after routes were evicted may rest on this node's own earlier advertisements.
    private readonly byte[] _unproven;

    // The next hop's neighbor slot, and its place among the candidates (also NoNeighbor for none).
    private readonly byte[] _via;
    private readonly byte[] _chosen;
    private readonly ushort[] _changedVersion;

    // Places that only gateways take, so that a table full of hosts need not throw one out for them.
    private readonly int _gatewayReserve;

    // For how many rounds of housekeeping a route has been unreachable, up to ForgottenTicks.
    private readonly byte[] _unreachableTicks;

    internal readonly int Capacity;
    internal readonly ushort[] Destination;
    internal readonly bool[] IsGateway;
    internal readonly ushort[] Metric;
    internal readonly ushort[] SeqNoAdvertised;
    internal readonly ushort[] DistanceSeqNo;
    internal readonly ushort[] DistanceMetric;

    /// <summary>When a request for a newer seqno is due; a <see cref="Stamp"/>.</summary>
    internal readonly uint[] RequestDue;
    internal readonly byte[] RequestTries;
    internal readonly bool[] RequestNow;

    // A request of others that this node passes on, and repeats until the newer seqno comes by.
    internal readonly bool[] IsForwarding;
    internal readonly ushort[] WantedSeqNo;
    internal readonly byte[] WantedHopLimit;

    /// <param name="advertises">False at a leaf: what is never advertised has no feasibility distance.</param>
    internal RouteTable(int capacity, NeighborTable neighbors, bool advertises = true)
    {
        _advertises = advertises;
        _neighbors = neighbors;
        Capacity = capacity;
        _gatewayReserve = capacity / 16 < GatewayReserveMax ? capacity / 16 : GatewayReserveMax;
        Destination = new ushort[capacity];
        IsGateway = new bool[capacity];
        _unreachableTicks = new byte[capacity];
        _chosen = new byte[capacity];
        _via = new byte[capacity];
        Metric = new ushort[capacity];
        SeqNoAdvertised = new ushort[capacity];
        _changedVersion = new ushort[capacity];
        DistanceSeqNo = new ushort[capacity];
        DistanceMetric = new ushort[capacity];
        RequestDue = new uint[capacity];
        RequestTries = new byte[capacity];
        RequestNow = new bool[capacity];
        IsForwarding = new bool[capacity];
        WantedSeqNo = new ushort[capacity];
        WantedHopLimit = new byte[capacity];
        _candidate = new byte[capacity * Candidates];
        _candidateMetric = new ushort[capacity * Candidates];
        _evidenceSeqNo = new ushort[capacity * Candidates];
        _evidenceMetric = new ushort[capacity * Candidates];
        _gatewaySeqNo = new ushort[capacity];
        _unproven = new byte[capacity];
    }

    /// <summary>
    /// A host's route was evicted early and its feasibility distance with it, so hosts that come new are guarded from now on. Gateways
    /// are not: none was ever evicted before it was forgotten.
    /// </summary>
    internal bool HasEvicted { get; set; }

    /// <summary>The mesh has more destinations than places here, or at some other node: a missing route says nothing about a node.</summary>
    internal bool IsShort { get; set; }

    /// <summary>Grows with each change of what this node advertises.</summary>
    internal int Version { get; private set; }

    /// <summary>Slots 0 to Count - 1 are in use.</summary>
    internal int Count { get; private set; }

    internal int Find(ushort destination)
    {
        return Scan.IndexOf(Destination, Count, destination);
    }

    /// <summary>The neighbor slot of the chosen next hop, or None.</summary>
    internal int NextHop(int route)
    {
        return _via[route] == NoNeighbor ? None : _via[route];
    }

    /// <summary>Whether the route changed after that version of the table; true of a few that changed 65,536 versions ago.</summary>
    internal bool ChangedAfter(int route, int since)
    {
        return (ushort)(Version - _changedVersion[route]) < Version - since;
    }

    /// <summary>
    /// Takes in what a neighbor advertised and chooses again. Where routes were evicted this node may have advertised better before, so
    /// that a neighbor's first word counts only once a newer seqno follows it (protocol.md 5.5).
    /// </summary>
    internal int Update(int neighbor, ushort destination, ushort seqNo, ushort metric, bool isGateway)
    {
        int route = Find(destination);
        if (route == None)
        {
            if (metric >= MeshConfig.InfiniteMetric || (route = Add(destination, seqNo, isGateway)) == None)
            {
                return 0;
            }
        }

        int flag = NoteGateway(route, seqNo, metric, isGateway);
        return flag | UpdateCandidate(route, neighbor, seqNo, metric, HasEvicted && !isGateway);
    }

    // Whether a destination is a gateway is its own word, so the newest seqno that says so counts.
    private int NoteGateway(int route, ushort seqNo, ushort metric, bool isGateway)
    {
        if (metric >= MeshConfig.InfiniteMetric || !SeqNo.IsNewer(seqNo, _gatewaySeqNo[route]))
        {
            return 0;
        }

        _gatewaySeqNo[route] = seqNo;
        if (IsGateway[route] == isGateway)
        {
            return 0;
        }

        IsGateway[route] = isGateway;
        CountGateways();
        Touch(route);
        return ChangedMetric | Urgent;
    }

    private int UpdateCandidate(int route, int neighbor, ushort seqNo, ushort metric, bool guarded)
    {
        int at = FindCandidate(route, neighbor);
        if (metric >= MeshConfig.InfiniteMetric)
        {
            if (at == None)
            {
                return 0;
            }

            _candidate[at] = NoNeighbor;
            return Reselect(route);
        }

        if (at == None)
        {
            at = PlaceFor(route, neighbor, seqNo, metric, guarded && IsNewerThanDistance(route, seqNo));
            if (at == None)
            {
                return 0;
            }

            _candidate[at] = (byte)neighbor;
            _evidenceSeqNo[at] = seqNo;
            _evidenceMetric[at] = metric;
            SetUnproven(route, at, guarded && IsNewerThanDistance(route, seqNo));
        }
        else if (SeqNo.IsNewer(seqNo, _evidenceSeqNo[at]))
        {
            SetUnproven(route, at, false);
            _evidenceSeqNo[at] = seqNo;
            _evidenceMetric[at] = metric;
        }
        else if (seqNo != _evidenceSeqNo[at])
        {
            return 0;
        }
        else if (metric == _candidateMetric[at] && _via[route] != NoNeighbor)
        {
            // No news, as most rows of most beacons.
            return 0;
        }
        else if (metric < _evidenceMetric[at])
        {
            _evidenceMetric[at] = metric;
        }

        _candidateMetric[at] = metric;
        return Reselect(route);
    }

    private void SetUnproven(int route, int at, bool unproven)
    {
        int bit = 1 << (at - (route * Candidates));
        _unproven[route] = (byte)(unproven ? _unproven[route] | bit : _unproven[route] & ~bit);
    }

    private bool IsUnproven(int route, int at)
    {
        return (_unproven[route] & (1 << (at - (route * Candidates)))) != 0;
    }

    /// <summary>Drops everything learned from a neighbor for one route; true where something was.</summary>
    internal bool RemoveCandidate(int route, int neighbor)
    {
        int at = FindCandidate(route, neighbor);
        if (at == None)
        {
            return false;
        }

        _candidate[at] = NoNeighbor;
        return true;
    }

    private int FindCandidate(int route, int neighbor)
    {
        for (int k = 0; k < Candidates; k++)
        {
            if (_candidate[(route * Candidates) + k] == neighbor)
            {
                return (route * Candidates) + k;
            }
        }

        return None;
    }

    // A free place, or that of the worst candidate where the newcomer is feasible and nearer, or the other is not feasible.
    // One whose first word does not count yet pushes out only a dearer one of its kind: each must stay to be proven.
    private int PlaceFor(int route, int neighbor, ushort seqNo, ushort metric, bool unproven)
    {
        bool feasible = !unproven && Feasibility.IsFeasible(seqNo, metric, DistanceSeqNo[route], DistanceMetric[route]);
        int newCost = metric + _neighbors.LinkCost(neighbor) + (feasible ? 0 : MeshConfig.InfiniteMetric);
        int worst = None;
        int worstCost = newCost;
        for (int k = 0; k < Candidates; k++)
        {
            int at = (route * Candidates) + k;
            if (_candidate[at] == NoNeighbor)
            {
                return at;
            }

            int cost = _candidateMetric[at] + _neighbors.LinkCost(_candidate[at])
                + (IsEligible(route, at) ? 0 : MeshConfig.InfiniteMetric);
            if (k != _chosen[route] && cost > worstCost)
            {
                worstCost = cost;
                worst = at;
            }
        }

        return worst;
    }

    private int Add(ushort destination, ushort seqNo, bool isGateway)
    {
        int limit = isGateway ? Capacity : Capacity - _gatewayReserve;
        int route = Count < limit ? Count : FindVictim(isGateway);
        if (route == None)
        {
            IsShort = true;
            return None;
        }

        if (route == Count)
        {
            Count++;
        }
        else
        {
            HasEvicted |= _unreachableTicks[route] < ForgottenTicks;
            IsShort = true;
        }

        _unreachableTicks[route] = 0;
        Destination[route] = destination;
        IsGateway[route] = isGateway;
        _gatewaySeqNo[route] = seqNo;
        _chosen[route] = NoNeighbor;
        _via[route] = NoNeighbor;
        _unproven[route] = 0;
        RequestNow[route] = false;
        Metric[route] = MeshConfig.InfiniteMetric;
        SeqNoAdvertised[route] = 0;
        _changedVersion[route] = (ushort)(Version - LongAgo);
        DistanceSeqNo[route] = 0;
        DistanceMetric[route] = Feasibility.NoDistance;
        RequestDue[route] = Stamp.Never;
        RequestTries[route] = 0;
        IsForwarding[route] = false;
        for (int k = 0; k < Candidates; k++)
        {
            _candidate[(route * Candidates) + k] = NoNeighbor;
        }

        CountGateways();
        return route;
    }

    /// <summary>Counts for how long routes are unreachable; called by housekeeping.</summary>
    internal void Age()
    {
        _severalTicks -= (byte)(_severalTicks > 0 ? 1 : 0);
        CountGateways();
        for (int i = 0; i < Count; i++)
        {
            byte ticks = _unreachableTicks[i];
            _unreachableTicks[i] = Metric[i] < MeshConfig.InfiniteMetric ? (byte)0 : ticks < ForgottenTicks ? (byte)(ticks + 1) : ticks;
        }
    }

    private int FindVictim(bool isGateway)
    {
        int forgotten = Scan.IndexOf(_unreachableTicks, Count, ForgottenTicks);
        if (forgotten != None || !isGateway)
        {
            // None is the lot of most newcomers in a mesh larger than the table. A host that was lost a moment ago does not give way:
            // each such change costs a guard and requests for seqnos, thousands while a large mesh forms.
            return forgotten;
        }

        int victim = None;
        int worst = -1;
        for (int i = 0; i < Count; i++)
        {
            if (!IsGateway[i] && Metric[i] > worst)
            {
                worst = Metric[i];
                victim = i;
            }
        }

        return victim;
    }
}
