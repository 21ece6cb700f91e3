namespace IoTMesh.Core;

/// <summary>
/// One node of the mesh: all protocol state, no I/O, no clock, no thread, and no allocation after construction. Bytes and time
/// come in as arguments, effects come out of <see cref="Poll"/> in causal order. Call it from one thread. After any Handle or
/// Send call, Poll until false, then wait until <see cref="NextDeadlineMs"/> or the next frame.
/// </summary>
public sealed partial class MeshNode
{
    /// <param name="config">Bounds and timings; not changed afterwards.</param>
    /// <param name="keys">Provisioned keys.</param>
    /// <param name="crypto">The platform's AES and HMAC.</param>
    /// <param name="seed">Seeds jitter; no secret depends on it.</param>
    /// <param name="countersRecord">The stored record <see cref="StoreRecord.Counters"/>, or null on a device that never ran.</param>
    public MeshNode(MeshConfig config, MeshKeys keys, ICrypto crypto, uint seed, byte[] countersRecord)
    {
        Config = config;
        Counters = new MeshCounters();
    }

    public MeshConfig Config { get; }

    public MeshCounters Counters { get; }

    public ushort Address => Config.Address;

    /// <summary>Number of this boot, from 1; valid after construction.</summary>
    public ushort Boot => 0;

    /// <summary>When HandleTimeout is due, ms on the caller's clock; long.MaxValue for never.</summary>
    public long NextDeadlineMs => long.MaxValue;

    /// <summary>Starts the protocol; the first effect is the Store that reserves counters.</summary>
    public void Start(long nowMs)
    {
    }

    /// <summary>A frame arrived: <c>buffer[offset..offset+count)</c>. The bytes are copied where needed.</summary>
    public ParseError HandleFrame(long nowMs, byte[] buffer, int offset, int count, sbyte rssiDbm)
    {
        return ParseError.None;
    }

    /// <summary>The link has sent (or failed to send) the frame of that Transmit. Hop acks are frames, not this.</summary>
    public void HandleTransmitResult(long nowMs, int token, bool sent)
    {
    }

    /// <summary>The record of that Store is durable (or could not be made so).</summary>
    public void HandleStored(long nowMs, int token, bool ok)
    {
    }

    /// <summary>Time has passed; early calls do nothing.</summary>
    public void HandleTimeout(long nowMs)
    {
    }

    /// <summary>
    /// Gateways: the outbox has committed that reading (and every copy of it may be dropped). Readings may be released in any
    /// order; the node keeps the cumulative watermark per origin and tells the origin from time to time.
    /// </summary>
    public void ReleaseCustody(long nowMs, ushort origin, ushort boot, uint readingSeq)
    {
    }

    /// <summary>Gateways, before Start: what was last accepted from an origin, so that a restart neither forgets its boot nor accepts a replay.</summary>
    public void RestorePeer(ushort origin, ushort boot, uint counter, uint watermark)
    {
    }

    /// <summary>
    /// Sends a message end to end, encrypted for the destination. A confirmed one is repeated until the destination's
    /// confirmation arrives or its retries end; SendCompleted tells with the token.
    /// </summary>
    public SendResult Send(long nowMs, ushort destination, byte port, MeshClass messageClass, bool confirmed, byte[] payload, int offset, int count, out int token)
    {
        token = 0;
        return SendResult.NotReady;
    }

    /// <summary>
    /// Takes a reading (object list of protocol.md 10) into custody and sends it to any gateway; it is kept and repeated
    /// until a gateway has committed it, whether or not a gateway is reachable now.
    /// </summary>
    /// <param name="readingSeq">Its number within this boot.</param>
    public SendResult SendReading(long nowMs, byte[] payload, int offset, int count, out uint readingSeq)
    {
        readingSeq = 0;
        return SendResult.NotReady;
    }

    /// <summary>Takes the next effect; false when there is none.</summary>
    public bool Poll(MeshOutput output)
    {
        return false;
    }

    /// <summary>Readings in custody here.</summary>
    public int CustodyCount => 0;

    public int NeighborCount => 0;

    /// <summary>Copies neighbor <paramref name="index"/> (0 to NeighborCount - 1).</summary>
    public void GetNeighbor(int index, NeighborInfo info)
    {
    }

    public int RouteCount => 0;

    /// <summary>Copies route <paramref name="index"/> (0 to RouteCount - 1).</summary>
    public void GetRoute(int index, RouteInfo info)
    {
    }

    /// <summary>The next hop to a destination (AnyGateway allowed), or None.</summary>
    public ushort GetNextHop(ushort destination)
    {
        return MeshAddress.None;
    }

    /// <summary>The nearest gateway, or None.</summary>
    public ushort NearestGateway => MeshAddress.None;
}
