namespace IoTMesh.Core;

/// <summary>A copy of one neighbor's entry, for diagnostics. Filled by <see cref="MeshNode.GetNeighbor"/>; reuse it.</summary>
public sealed class NeighborInfo
{
    public ushort Address;

    /// <summary>Expected transmissions per delivered frame, 64 = one.</summary>
    public ushort LinkCost;
    public sbyte RssiDbm;
    public long LastHeardMs;

    /// <summary>True once a challenge proved it alive and both directions work.</summary>
    public bool IsVerified;
}

/// <summary>A copy of one route, for diagnostics. Filled by <see cref="MeshNode.GetRoute"/>; reuse it.</summary>
public sealed class RouteInfo
{
    public ushort Destination;
    public ushort NextHop;
    public ushort Metric;
    public ushort SeqNo;
    public bool IsGateway;

    /// <summary>Number of feasible next hops, the chosen one included.</summary>
    public byte Feasible;
}
