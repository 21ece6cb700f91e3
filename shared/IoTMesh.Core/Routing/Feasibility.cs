namespace IoTMesh.Core;

/// <summary>
/// The feasibility condition (RFC 8966 section 3.5.1): a neighbor may become next hop only if the distance it advertised is
/// strictly better than the best this node ever advertised at that or a newer seqno. Distances that a chain of next hops
/// advertised therefore strictly improve along it, and no chain can close.
/// </summary>
public static class Feasibility
{
    /// <summary>Feasibility distance of a destination that this node never advertised: anything is feasible.</summary>
    public const ushort NoDistance = 0xFFFF;

    public static bool IsFeasible(ushort seqNo, ushort metric, ushort distanceSeqNo, ushort distanceMetric)
    {
        if (distanceMetric == NoDistance)
        {
            return true;
        }

        return SeqNo.IsNewer(seqNo, distanceSeqNo) || (seqNo == distanceSeqNo && metric < distanceMetric);
    }
}
