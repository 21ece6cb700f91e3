namespace IoTMesh.Core;

/// <summary>
/// Bounds and timings of one node. Every table of the core takes its size from here at construction and never grows.
/// The defaults suit an ESP32 in a mesh of up to 100 nodes. Fixed once the node is constructed.
/// </summary>
public sealed class MeshConfig
{
    /// <summary>Metric of an unreachable destination. A perfect hop costs 64.</summary>
    public const ushort InfiniteMetric = 0x7FFF;

    /// <summary>This node's 16-bit address, given by the owner's registry.</summary>
    public ushort Address;

    /// <summary>True for a gateway: a sink of messages to <see cref="MeshAddress.AnyGateway"/>.</summary>
    public bool IsGateway;

    /// <summary>Longest link frame, bytes (ESP-NOW carries 250).</summary>
    public int MaxFrameLength = 250;

    /// <summary>Longest payload of one message, bytes.</summary>
    public int MaxPayloadLength = 180;

    /// <summary>
    /// Longest payload that is cut into fragments, bytes, at most 65,534; longer ones are refused. Not above
    /// <see cref="MaxPayloadLength"/>: no fragments at all.
    /// </summary>
    public int MaxTransferLength = 1_024;

    /// <summary>Messages in fragments that come in at the same time, each with a buffer. Full: their origins are told to come again.</summary>
    public int MaxTransfers = 1;

    /// <summary>Neighbor table. Full: those that others lead to give way first, the rest take turns; protocol.md 5.3.</summary>
    public int MaxNeighbors = 16;

    /// <summary>Route table (destinations). Evicted: what was unreachable for minutes, for a gateway also the dearest host.</summary>
    public int MaxRoutes = 106;

    /// <summary>Peers with end-to-end replay state; a gateway needs one for each node. Never evicted: a full table refuses new peers.</summary>
    public int MaxPeers = 32;

    /// <summary>Messages queued here, own and forwarded together. Full: refused with no hop ack, so that the sender keeps it.</summary>
    public int MaxQueued = 24;

    /// <summary>Bytes for own readings that no gateway has committed; each takes 5 more than its objects. Full: the oldest is given up.</summary>
    public int MaxCustodyBytes = 9_216;

    /// <summary>Stores readings in custody, so that they survive a power cut: for nodes with flash.</summary>
    public bool StoreCustody;

    /// <summary>A reading that no gateway has committed so long after it was measured is stored, ms, with all that wait by then.</summary>
    public int CustodyStoreMs = 30_000;

    /// <summary>Longest reading kept in custody, bytes.</summary>
    public int MaxReadingLength = 64;

    /// <summary>Messages remembered against duplicates. Evicted: the oldest.</summary>
    public int MaxDuplicates = 128;

    /// <summary>Broadcasts remembered against duplicates, apart from the others. Evicted: the oldest.</summary>
    public int MaxBroadcasts = 32;

    /// <summary>Own messages kept until they are confirmed or their destination's boot number is known. Full: Send says QueueFull.</summary>
    public int MaxPending = 8;

    /// <summary>Effects waiting for Poll.</summary>
    public int MaxOutputs = 64;

    /// <summary>Trickle: shortest beacon interval, ms (RFC 6206 Imin).</summary>
    public int BeaconMinMs = 500;

    /// <summary>Trickle: longest beacon interval, ms (RFC 6206 Imax).</summary>
    public int BeaconMaxMs = 64_000;

    /// <summary>Trickle: redundancy constant k.</summary>
    public int BeaconRedundancy = 3;

    /// <summary>Least wait for a hop ack, ms (RFC 6298 with a lower floor).</summary>
    public int AckTimeoutMinMs = 20;

    /// <summary>Wait for a hop ack before anything is measured, ms.</summary>
    public int AckTimeoutInitialMs = 60;

    /// <summary>A hop ack may wait this long for others to batch with or a frame to ride on, ms.</summary>
    public int AckDelayMs = 4;

    /// <summary>Where a link loses frames, its acks are repeated after this long, ms.</summary>
    public int AckRepeatMs = 10;

    /// <summary>A bulk message to any gateway may wait so long at its origin and at relays for others to join it, ms; 0: never.</summary>
    public int AggregateMs = 1_000;

    /// <summary>
    /// Share of the link's time that this node may take for bulk messages, percent, 1 to 100; waiting for a channel that others use counts.
    /// </summary>
    public int BulkPercent = 20;

    /// <summary>A real-time message older than this is of no use and dropped, ms, at most 1,000; the same in all nodes of a mesh.</summary>
    public int RealTimeDeadlineMs = 500;

    /// <summary>Own real-time datagrams go twice, the second copy by other neighbors wherever there are some.</summary>
    public bool RealTimeTwice;

    /// <summary>Tries to hand a message to next hops.</summary>
    public int MaxTries = 8;

    /// <summary>Hop limit of messages that originate here.</summary>
    public byte HopLimit = 63;

    /// <summary>End-to-end retries of a confirmed message.</summary>
    public int ConfirmedRetries = 5;

    /// <summary>First wait for the end-to-end confirmation, ms; doubled at each retry.</summary>
    public int ConfirmTimeoutMs = 1_500;

    /// <summary>A silent neighbor is given up after this long, ms.</summary>
    public int NeighborTimeoutMs = 330_000;

    /// <summary>A gateway tells an origin its watermark at most this often, ms.</summary>
    public int WatermarkIntervalMs = 15_000;

    /// <summary>A forwarded reading whose gateway is out of reach waits here so long, ms; at most 900,000, see protocol.md 4.2.</summary>
    public int ReadingHoldMs = 480_000;

    /// <summary>A reading that no watermark has passed is sent again after this long, ms.</summary>
    public int CustodyRetryMs = 40_000;

    /// <summary>True for a node whose radio sleeps: it relays nothing, sends no beacons, and polls a parent for what is sent to it.</summary>
    public bool IsSleepyLeaf;

    /// <summary>Sleepy leaf: time between polls, ms, 256 to 16,000,000.</summary>
    public int PollIntervalMs = 10_000;

    /// <summary>Sleepy leaf: its parent gives it up after so many polls stayed away, 1 to 15.</summary>
    public int ChildTimeoutPolls = 4;

    /// <summary>Sleepy leaf: leaves of one group wake together where mesh time is known; 0 spreads them by address.</summary>
    public ushort WakeGroup;

    /// <summary>Sleepy leaves that this node is a parent to. Full: another is refused and looks for another parent.</summary>
    public int MaxChildren = 8;

    /// <summary>
    /// Messages held for a leaf that sleeps; all leaves together at most half of MaxQueued. Full: the one held longest is given up.
    /// </summary>
    public int MaxMailbox = 8;

    /// <summary>Rate of the link, bits per second: mesh time is corrected by the airtime of frames.</summary>
    public int LinkBitsPerSecond = 1_000_000;

    /// <summary>What the link adds to each frame on air, us; the default is that of ESP-NOW at 1 Mbit/s.</summary>
    public int LinkPreambleUs = 536;

    /// <summary>From the end of a frame on air until HandleFrame, us.</summary>
    public int LinkLatencyUs = 200;

    /// <summary>A gateway renews its own sequence number this often, ms; another node six times less often.</summary>
    public int SeqNoRefreshMs = 300_000;

    /// <summary>After a change of the network key frames under the one before are taken for this long, ms.</summary>
    public int EpochOverlapMs = 60_000;

    /// <summary>A member passes on what joining devices say at most this often, ms, after <see cref="JoinBurst"/> at once.</summary>
    public int JoinIntervalMs = 100;

    public int JoinBurst = 16;
}
