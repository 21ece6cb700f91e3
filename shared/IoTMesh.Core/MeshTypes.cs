namespace IoTMesh.Core;

/// <summary>Well-known 16-bit addresses. protocol.md 2.</summary>
public static class MeshAddress
{
    /// <summary>No node.</summary>
    public const ushort None = 0;

    /// <summary>Whichever gateway is nearest (anycast).</summary>
    public const ushort AnyGateway = 0xFFFE;

    /// <summary>Every node; as a link destination, every node in range.</summary>
    public const ushort All = 0xFFFF;

    /// <summary>True for an address that one node may own.</summary>
    public static bool IsUnicast(ushort address)
    {
        return address != None && address < 0xFFF0;
    }
}

/// <summary>Application ports of a mesh message. protocol.md 7.</summary>
public static class MeshPort
{
    /// <summary>Readings (BTHome object list); used by <c>MeshNode.SendReading</c> only.</summary>
    public const byte Reading = 0;

    /// <summary>A request to a node: set, get, ping ... (<c>CommandCodec</c>).</summary>
    public const byte Command = 1;

    /// <summary>The answer to a request, with the request's id.</summary>
    public const byte CommandResponse = 2;

    /// <summary>A node's neighbors and parent, for the map (<c>LinkReportCodec</c>).</summary>
    public const byte LinkReport = 3;

    /// <summary>A node's name, model, firmware version and sensors (<c>NodeInfoCodec</c>).</summary>
    public const byte NodeInfo = 4;

    /// <summary>Several datagrams in one; the core packs and unpacks them. protocol.md 4.4.</summary>
    public const byte Batch = 31;

    /// <summary>First port that is free for applications.</summary>
    public const byte FirstUser = 32;
}

/// <summary>Forwarding class of a message, highest priority first. protocol.md 6.</summary>
public enum MeshClass : byte
{
    Control = 0,
    RealTime = 1,
    Normal = 2,
    Bulk = 3,
}

/// <summary>What became of a call to send.</summary>
public enum SendResult : byte
{
    Accepted = 0,

    /// <summary>Every queue slot is taken; try again after a SendCompleted.</summary>
    QueueFull = 1,

    /// <summary>
    /// The payload exceeds <see cref="MeshConfig.MaxTransferLength"/> or the room of <see cref="MeshConfig.MaxPending"/>; to all,
    /// <see cref="MeshConfig.MaxPayloadLength"/>.
    /// </summary>
    TooLong = 2,

    /// <summary>The destination is 0, reserved or the node itself.</summary>
    InvalidDestination = 3,

    /// <summary>No key is known for that destination.</summary>
    NoKey = 4,

    /// <summary>The first counter block is not stored yet, or Start was not called.</summary>
    NotReady = 5,
}

/// <summary>Why a frame or message was not accepted; each value has a counter in <see cref="MeshCounters"/>.</summary>
public enum ParseError : byte
{
    None = 0,
    TooShort = 1,
    TooLong = 2,
    BadVersion = 3,
    BadType = 4,
    OtherNetwork = 5,
    BadLength = 6,
    NotForMe = 7,
    UnknownNeighbor = 8,
    BadTag = 9,
    Replayed = 10,
    BadAddress = 11,
    TableFull = 12,
    Malformed = 13,
}

/// <summary>What an entry of the output queue asks for or tells.</summary>
public enum OutputKind : byte
{
    None = 0,

    /// <summary>Send <c>Buffer[0..Length)</c> to <c>LinkDestination</c>; answer with HandleTransmitResult(Token).</summary>
    Transmit = 1,

    /// <summary>A message for this node (or for the gateway's service).</summary>
    Deliver = 2,

    /// <summary>Make <c>Buffer[0..Length)</c> durable as record <c>Record</c>; answer with HandleStored(Token).</summary>
    Store = 3,

    /// <summary>The message <c>Token</c> is done; <c>Success</c> says how.</summary>
    SendCompleted = 4,

    /// <summary>The next hop or metric to <c>Destination</c> changed.</summary>
    RouteChanged = 5,

    /// <summary>The neighbor <c>Destination</c> appeared (<c>Success</c>) or was given up.</summary>
    NeighborChanged = 6,

    /// <summary>An answer to the diagnosis <c>Token</c>: <c>Origin</c>, <c>Hops</c>, <c>RoundTripMs</c>, and in <c>Buffer</c> what it says.</summary>
    Diagnosis = 7,

    /// <summary>
    /// Device: it has joined. Gateway: the device <c>Destination</c> has joined over the member <c>Origin</c> (<c>Success</c>), or was
    /// refused for the reason <c>Verdict</c>.
    /// </summary>
    Joined = 8,

    /// <summary>Gateway: the device <c>Destination</c> has stored the key of <c>Epoch</c>.</summary>
    KeyTaken = 9,
}
