namespace IoTMesh.Core;

/// <summary>
/// One effect taken out of a <see cref="MeshNode"/> by <see cref="MeshNode.Poll"/>. The caller owns the object and reuses it;
/// <see cref="Buffer"/> belongs to the object, is at least as long as <see cref="MeshConfig.MaxFrameLength"/> and
/// <see cref="MeshConfig.MaxTransferLength"/>, and its content is valid until the next Poll.
/// </summary>
public sealed class MeshOutput
{
    public MeshOutput(int capacity)
    {
        Buffer = new byte[capacity];
    }

    /// <summary>One that holds whatever a node of that configuration gives out.</summary>
    public MeshOutput(MeshConfig config)
        : this(config.MaxFrameLength > config.MaxTransferLength ? config.MaxFrameLength : config.MaxTransferLength)
    {
    }

    public OutputKind Kind;

    /// <summary>Transmit, Deliver, Store: the bytes, from index 0.</summary>
    public byte[] Buffer;

    /// <summary>Number of valid bytes in <see cref="Buffer"/>.</summary>
    public int Length;

    /// <summary>Identifies a Transmit, Store or SendCompleted to the calls that answer it.</summary>
    public int Token;

    /// <summary>Transmit: the neighbor's address, or <see cref="MeshAddress.All"/> for a link broadcast.</summary>
    public ushort LinkDestination;

    /// <summary>Deliver: who sent it.</summary>
    public ushort Origin;

    /// <summary>Deliver: true where the sender has proven with this device's own key that it is a gateway.</summary>
    public bool IsFromGateway;

    /// <summary>Deliver: to whom it was sent. RouteChanged, NeighborChanged: whom it is about.</summary>
    public ushort Destination;

    /// <summary>RouteChanged: the new next hop, or <see cref="MeshAddress.None"/>.</summary>
    public ushort NextHop;

    /// <summary>RouteChanged: the new metric, 64 a perfect hop; <see cref="MeshConfig.InfiniteMetric"/> for none.</summary>
    public ushort Metric;

    /// <summary>Deliver: the application port, see <see cref="MeshPort"/>.</summary>
    public byte Port;

    /// <summary>Deliver: number of links the message crossed, 1 for a neighbor's.</summary>
    public byte Hops;

    /// <summary>Deliver: strength of the last hop, dBm.</summary>
    public sbyte RssiDbm;

    /// <summary>Deliver: true for a reading, which the gateway must release with <see cref="MeshNode.ReleaseCustody"/>.</summary>
    public bool IsReading;

    /// <summary>Deliver, reading: the origin's boot number. With Origin and ReadingSeq it is the duplicate key.</summary>
    public ushort Boot;

    /// <summary>Deliver, reading: sequence number within the boot, from 1.</summary>
    public uint ReadingSeq;

    /// <summary>Deliver, reading: the origin's uptime when measured, ms; subtract from <see cref="OriginUptimeMs"/> for the age.</summary>
    public long MeasuredUptimeMs;

    /// <summary>Deliver, reading: the origin's uptime when this copy left it, ms (the age is exact, the path's delay is not in it).</summary>
    public long OriginUptimeMs;

    /// <summary>
    /// Deliver, reading: true where it was measured in an earlier boot than the one its origin is in. Then OriginUptimeMs is the
    /// least uptime that boot would have by now, since nobody knows how long the origin was without power.
    /// </summary>
    public bool IsKept;

    /// <summary>Deliver: the frame counter of the message at its origin, for <see cref="MeshNode.RestorePeer"/> after a restart.</summary>
    public uint Counter;

    /// <summary>SendCompleted: confirmed by the destination (confirmed sends) or by the next hop (others). NeighborChanged: appeared.</summary>
    public bool Success;

    /// <summary>Diagnosis: from the question to the answer, ms.</summary>
    public int RoundTripMs;

    /// <summary>KeyTaken, Joined: of the network key.</summary>
    public uint Epoch;

    /// <summary>Joined: what the gateway said to it.</summary>
    public JoinVerdict Verdict;

    /// <summary>Store: which record, see <see cref="StoreRecord"/>.</summary>
    public byte Record;

    /// <summary>Store of a log (<see cref="StoreRecord.Custody"/> on): add the bytes to it; false: they are all that it holds.</summary>
    public bool IsAppend;
}

/// <summary>Records of the storage effect. protocol.md 9.</summary>
public static class StoreRecord
{
    /// <summary>Boot number and the reserved blocks of frame counters and sequence numbers.</summary>
    public const byte Counters = 1;

    /// <summary>The network keys, protocol.md 9.3.</summary>
    public const byte Keys = 2;

    /// <summary>First of the <see cref="CustodyLog.Count"/> logs of readings in custody: they are added to, not replaced.</summary>
    public const byte Custody = 8;
}
