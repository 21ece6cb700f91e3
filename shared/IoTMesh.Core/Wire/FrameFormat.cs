namespace IoTMesh.Core;

/// <summary>Layout of a link frame. protocol.md 3.</summary>
public static class FrameFormat
{
    public const int Version = 1;

    public const int TypeData = 0;
    public const int TypeBeacon = 1;
    public const int TypeAck = 2;
    public const int TypeProbe = 3;
    public const int TypeProbeReply = 4;
    public const int TypeRequest = 5;
    public const int TypeFlood = 6;

    /// <summary>An ack that also says that something waits for the receiver, a sleepy leaf.</summary>
    public const int TypeAckMail = 7;
    public const int TypePoll = 8;

    /// <summary>An answer like an ack: the frame came, but not all of its messages found room. protocol.md 3.3.</summary>
    public const int TypeBusy = 9;

    /// <summary>Between a device that has no network key and a member: no counter, no hop tag. protocol.md 8.7.</summary>
    public const int TypeJoin = 10;
    public const int TypeMax = TypeJoin;

    public const int OffsetKind = 0;
    public const int OffsetNetwork = 1;
    public const int OffsetSource = 2;
    public const int OffsetDestination = 4;
    public const int OffsetCounter = 6;
    public const int OffsetCounterHigh = 8;

    /// <summary>Header of Data: the low half of the frame counter is enough.</summary>
    public const int NarrowLength = 8;

    /// <summary>Header of every type that a stranger must understand: the whole frame counter.</summary>
    public const int WideLength = 10;

    public const int TagLength = 4;

    /// <summary>Flag of the network byte: extension TLVs stand before the body. protocol.md 3.4.</summary>
    public const int FlagExtension = 4;

    /// <summary>Extension: the waypoints that the frame's message has still to visit, u16 each, nearest first. protocol.md 5.7.</summary>
    public const int ExtensionWaypoints = 1;

    /// <summary>Flag of the network byte: an ack rides in front of the body.</summary>
    public const int FlagAck = 2;

    /// <summary>Bit of a flood frame's kind byte: a list of neighbors that are asked for an ack stands before the message. protocol.md 6.5.</summary>
    public const int FloodWantsAck = 1;

    /// <summary>Flag of the network byte of a data frame: its ack is to be repeated, since this link loses some.</summary>
    public const int FlagAckTwice = 1;

    /// <summary>Bytes of a riding ack: counter and bitmap.</summary>
    public const int RidingAckLength = 3;

    /// <summary>The byte behind the cost of a real-time frame: age in units of AgeUnitMs, and whether it carries second copies.</summary>
    public const int AgeUnitMs = 8;
    public const int AgeMask = 0x7F;
    public const int AgeFlagCopy = 0x80;

    public const int AckOffsetCounter = 1;
    public const int AckOffsetBitmap = 2;

    /// <summary>An ack frame without and with its bitmap, tag included.</summary>
    public const int AckShortLength = 2 + TagLength;
    public const int AckLongLength = 3 + TagLength;

    /// <summary>The cost byte in front of a data frame's messages counts in 2^CostShift metric units.</summary>
    public const int CostShift = 5;

    public static int GetVersion(byte kind)
    {
        return kind >> 6;
    }

    public static int GetType(byte kind)
    {
        return (kind >> 2) & 0x0F;
    }

    public static byte MakeKind(int type, int low)
    {
        return (byte)((Version << 6) | (type << 2) | (low & 3));
    }

    public static byte MakeNetwork(int network, int epoch, int flags)
    {
        return (byte)(((network & 7) << 5) | ((epoch & 3) << 3) | (flags & 7));
    }

    /// <summary>True for the types that have the short form of an ack: no addresses, no counter but its low byte.</summary>
    public static bool IsAck(int type)
    {
        return type == TypeAck || type == TypeAckMail || type == TypeBusy;
    }

    public static int HeaderLength(int type)
    {
        return type == TypeData ? NarrowLength : type == TypeJoin ? JoinFormat.HeaderLength : WideLength;
    }
}
