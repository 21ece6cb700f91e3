using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Routing.Model;

/// <summary>What the checker must find out: each breaks the protocol in one place.</summary>
[Flags]
internal enum Weakness
{
    None = 0,

    /// <summary>A distance as good as the own one counts as feasible.</summary>
    EqualIsFeasible = 1,

    /// <summary>An old seqno counts like the present one.</summary>
    SeqNoIgnored = 2,

    /// <summary>A node takes messages of neighbors that have answered no challenge of its present life.</summary>
    NoRefusal = 4,

    /// <summary>What was learned from a neighbor outlives its restart.</summary>
    RoutesOutliveBoot = 8,

    /// <summary>After a restart a neighbor's first word counts only once a newer seqno follows it, as earlier versions had it.</summary>
    FirstWordGuard = 16,
}

/// <summary>
/// One node's real tables, with what MeshNode does around them. Neighbor slot i is node i; node 0 is the destination and has no
/// tables to go wrong.
/// </summary>
internal sealed class ModelNode
{
    private const int DestinationSlot = 0;

    // Boot, next hop plus 1, a bit for each neighbor whose messages are taken.
    private const int HeadLength = 3;
    private readonly NeighborTable _neighbors;
    private readonly RouteTable _routes;
    private readonly TableImage _neighborImage;
    private readonly TableImage _routeImage;
    private readonly byte[] _fresh;
    private readonly Weakness _weakness;
    private readonly byte[] _candidate;
    private readonly ushort[] _candidateMetric;
    private readonly ushort[] _evidenceSeqNo;
    private readonly ushort[] _evidenceMetric;

    internal ModelNode(int count, Weakness weakness)
    {
        _weakness = weakness;
        _neighbors = new NeighborTable(count, 60);
        _routes = new RouteTable(1, _neighbors);
        for (int i = 0; i < count; i++)
        {
            _neighbors.Occupy(i, AddressOf(i), -50, 0);
        }

        // Acks owed, probes, beacons in parts, windows and times: the model has events for them instead, and nothing here changes them.
        _neighborImage = new TableImage(
            _neighbors, "Address", "CounterKnown", "CounterHigh", "CounterSeen", "LastHeardMs", "LastUnicastMs", "RttMs8", "RttVarMs4",
            "SyncVersion", "PartsVersion", "PartsSeen", "PartsShape", "DumpDueMs", "DumpTries", "ProbeNonce", "ProbeDueMs", "ProbeTries",
            "ReplyNonce", "AckHigh", "AckBits", "AckOwed", "AckLong", "_beaconNumber", "_beaconKnown", "_initialRttMs", "Count");
        _routeImage = new TableImage(
            _routes, "Version", "_changedVersion", "RequestDue", "RequestTries", "RequestNow", "WantedSeqNo", "WantedHopLimit");
        _candidate = Column<byte[]>("_candidate");
        _candidateMetric = Column<ushort[]>("_candidateMetric");
        _evidenceSeqNo = Column<ushort[]>("_evidenceSeqNo");
        _evidenceMetric = Column<ushort[]>("_evidenceMetric");
        _fresh = new byte[Length];
        Boot = 1;
        Save(_fresh, 0);
    }

    internal static ushort Destination => AddressOf(DestinationSlot);

    internal byte Boot { get; private set; }

    internal int Length => HeadLength + _neighborImage.Length + _routeImage.Length;

    /// <summary>The node's next hop to the destination; -1 for none.</summary>
    internal int NextHop
    {
        get
        {
            int route = _routes.Find(Destination);
            return route == RouteTable.None ? -1 : _routes.NextHop(route);
        }
    }

    internal bool HasRoute => _routes.Find(Destination) != RouteTable.None;

    internal ushort SeqNoAdvertised => _routes.SeqNoAdvertised[0];

    internal ushort Metric => _routes.Metric[0];

    internal void Save(byte[] image, int at)
    {
        ClearUnusedPlaces();
        image[at] = Boot;
        image[at + 1] = (byte)(NextHop + 1);
        image[at + 2] = 0;
        for (int i = 0; i < _neighbors.Capacity; i++)
        {
            bool isTaken = _neighbors.IsUsable(i) || (_weakness & Weakness.NoRefusal) != 0;
            image[at + 2] |= (byte)(isTaken ? 1 << i : 0);
        }

        _neighborImage.Save(image, at + HeadLength);
        _routeImage.Save(image, at + HeadLength + _neighborImage.Length);
    }

    internal void Load(byte[] image, int at)
    {
        Boot = image[at];
        _neighborImage.Load(image, at + HeadLength);
        _routeImage.Load(image, at + HeadLength + _neighborImage.Length);
    }

    internal void Reboot()
    {
        byte boot = (byte)(Boot + 1);
        Load(_fresh, 0);
        Boot = boot;
        _routes.HasEvicted = (_weakness & Weakness.FirstWordGuard) != 0;
    }

    /// <summary>A beacon: the sender's boot and, unless it has no route to say of, its entry for the destination.</summary>
    internal void HearBeacon(int from, byte boot, ushort seqNo, ushort metric, bool hasEntry)
    {
        if (!IsFresh(from, boot))
        {
            return;
        }

        NoteBoot(from, boot);
        if (!hasEntry)
        {
            return;
        }

        ushort told = seqNo;
        if ((_weakness & Weakness.SeqNoIgnored) != 0 && HasRoute && SeqNo.IsNewer(_routes.DistanceSeqNo[0], seqNo))
        {
            told = _routes.DistanceSeqNo[0];
        }

        Choose(() => _routes.Update(from, Destination, told, metric, false));
    }

    /// <summary>Node <paramref name="from"/> challenges this one.</summary>
    internal void HearProbe(int from, byte boot) => NoteBoot(from, boot);

    /// <summary>The answer to a challenge of this boot.</summary>
    internal void HearProbeReply(int from, byte boot)
    {
        if (!IsFresh(from, boot))
        {
            return;
        }

        NoteBoot(from, boot);
        _neighbors.State[from] = NeighborTable.StateVerified;
        _neighbors.Failures[from] = 0;
        Reselect();
    }

    /// <summary>The neighbor is given up, rightly or not.</summary>
    internal void Lose(int neighbor)
    {
        _neighbors.State[neighbor] = NeighborTable.StateHeard;
        Forget(neighbor);
        _neighbors.Boot[neighbor] = 0;
    }

    /// <summary>A streak of bad luck makes a link three times as dear.</summary>
    internal void Worsen(int neighbor)
    {
        for (int i = 0; i < 8; i++)
        {
            _neighbors.HandleTry(neighbor, false);
        }

        Reselect();
    }

    /// <summary>The next hop of the node whose image lies there; -1 for none.</summary>
    internal static int NextHopIn(byte[] image, int at) => image[at + 1] - 1;

    /// <summary>Whether the node whose image lies there takes messages of a neighbor.</summary>
    internal static bool TakesIn(byte[] image, int at, int neighbor) => (image[at + 2] >> neighbor & 1) != 0;

    private static ushort AddressOf(int node) => (ushort)(node + 1);

    // What an empty place held before means nothing; left there, it would make states differ that do not.
    private void ClearUnusedPlaces()
    {
        for (int k = 0; k < RouteTable.Candidates; k++)
        {
            if (_candidate[k] == 0xFF)
            {
                _candidateMetric[k] = 0;
                _evidenceSeqNo[k] = 0;
                _evidenceMetric[k] = 0;
            }
        }
    }

    private T Column<T>(string name)
    {
        return (T)typeof(RouteTable).GetField(name, System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!
            .GetValue(_routes)!;
    }

    // Counters are reserved in blocks, so frames of an earlier boot are outside of the replay window (protocol.md 8.6).
    private bool IsFresh(int from, byte boot) => boot >= _neighbors.Boot[from];

    private void NoteBoot(int neighbor, byte boot)
    {
        ushort before = _neighbors.Boot[neighbor];
        _neighbors.Boot[neighbor] = boot;
        if (before != 0 && before != boot && (_weakness & Weakness.RoutesOutliveBoot) == 0)
        {
            Forget(neighbor);
        }
    }

    private void Forget(int neighbor)
    {
        if (HasRoute && _routes.RemoveCandidate(0, neighbor))
        {
            Reselect();
        }
    }

    private void Reselect()
    {
        if (HasRoute)
        {
            Choose(() => _routes.Reselect(0));
        }
    }

    // "Less or equal" is "less" against a distance that is one more.
    private void Choose(Func<int> choice)
    {
        bool weak = (_weakness & Weakness.EqualIsFeasible) != 0 && HasRoute && _routes.DistanceMetric[0] != Feasibility.NoDistance;
        ushort seqNo = _routes.DistanceSeqNo[0];
        if (weak)
        {
            _routes.DistanceMetric[0]++;
        }

        ushort raised = _routes.DistanceMetric[0];
        choice();
        if (weak && _routes.DistanceMetric[0] == raised && _routes.DistanceSeqNo[0] == seqNo)
        {
            _routes.DistanceMetric[0]--;
        }
    }
}
