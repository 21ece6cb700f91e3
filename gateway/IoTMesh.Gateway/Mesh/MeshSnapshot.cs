using IoTMesh.Core;

namespace IoTMesh.Gateway.Mesh;

/// <summary>A neighbor of the gateway as its mesh node sees it.</summary>
/// <param name="Etx">Expected transmissions per delivered frame, 1.0 the best.</param>
public sealed record GatewayNeighbor(ushort Address, double Etx, int RssiDbm);

/// <summary>A copy of the gateway's mesh node, taken on the mesh thread once a second.</summary>
/// <param name="Refused">Frames refused, by reason.</param>
public sealed record MeshSnapshot(
    ushort Boot,
    IReadOnlyList<GatewayNeighbor> Neighbors,
    int RouteCount,
    long FramesSent,
    long FramesReceived,
    long BytesSent,
    long BytesReceived,
    long Duplicates,
    long ParentChanges,
    long Delivered,
    long Dropped,
    long EndToEndRefused,
    IReadOnlyList<(ParseError Reason, long Count)> Refused)
{
    public static MeshSnapshot Empty { get; } = new(0, [], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, []);

    /// <summary>Only from the mesh thread.</summary>
    internal static MeshSnapshot Take(MeshNode node)
    {
        var neighbors = new List<GatewayNeighbor>();
        var info = new NeighborInfo();
        for (int i = 0; i < node.NeighborCount; i++)
        {
            node.GetNeighbor(i, info);
            if (info.IsVerified)
            {
                neighbors.Add(new GatewayNeighbor(info.Address, info.LinkCost / 64.0, info.RssiDbm));
            }
        }

        MeshCounters c = node.Counters;
        var refused = new List<(ParseError, long)>();
        for (int i = 1; i < c.Refused.Length; i++)
        {
            if (c.Refused[i] > 0)
            {
                refused.Add(((ParseError)i, c.Refused[i]));
            }
        }

        return new MeshSnapshot(
            node.Boot, neighbors, node.RouteCount, c.FramesSent, c.FramesReceived, c.BytesSent, c.BytesReceived, c.Duplicates, c.ParentChanges,
            c.Delivered, c.DroppedNoRoute + c.DroppedTries + c.DroppedHopLimit + c.DroppedQueueFull,
            c.EndToEndBadTag + c.EndToEndReplayed + c.EndToEndNoKey, refused);
    }
}
