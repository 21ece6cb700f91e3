namespace IoTMesh.Core;

/// <summary>Body of a beacon, behind the wide header. protocol.md 5.1.</summary>
public static class BeaconFormat
{
    public const int OffsetBoot = 0;
    public const int OffsetVersion = 2;
    public const int OffsetSince = 4;
    public const int OffsetPart = 5;
    public const int OffsetSeqNo = 6;
    public const int OffsetFlags = 8;
    public const int OffsetBeaconNumber = 9;
    public const int FixedLength = 10;

    /// <summary>Since value of a full dump.</summary>
    public const int SinceFull = 0xFF;

    public const int FlagGateway = 1;

    /// <summary>The mesh has more nodes than somebody's route table has places. protocol.md 5.7.</summary>
    public const int FlagShortTable = 4;

    /// <summary>A <see cref="TimeFormat"/> field stands between the fixed part and the entries.</summary>
    public const int FlagTime = 2;

    /// <summary>One route: destination, seqno, metric with the gateway flag on top.</summary>
    public const int EntryLength = 6;
    public const int EntryOffsetSeqNo = 2;
    public const int EntryOffsetMetric = 4;
    public const int EntryGatewayBit = 0x8000;

    /// <summary>Most parts a table is cut into; more routes than fit wait for the next change.</summary>
    public const int MaxParts = 15;

    /// <summary>Bytes of a beacon's body before its entries; more than there are where the body is too short.</summary>
    public static int LengthBeforeEntries(byte[] buffer, int at, int end)
    {
        return FixedLength + (end - at >= FixedLength && (buffer[at + OffsetFlags] & FlagTime) != 0 ? TimeFormat.Length : 0);
    }
}

/// <summary>
/// Body of a probe (boot number) and of its reply (the probe's frame counter, which never repeats and so is the challenge, and
/// the boot number). protocol.md 5.3.
/// </summary>
public static class ProbeFormat
{
    public const int Length = 2;

    /// <summary>A sleepy leaf adds a byte of flags: it is no next hop, so it need not be challenged in return.</summary>
    public const int OffsetFlags = 2;
    public const int FlagLeaf = 1;
    public const int LeafLength = 3;

    /// <summary>No probe: the sender has no place for the receiver, who may ask again after so many seconds.</summary>
    public const int FlagRefused = 2;
    public const int OffsetWaitSeconds = 3;
    public const int RefusalLength = 4;
    public const int ReplyOffsetChallenge = 0;
    public const int ReplyOffsetBoot = 4;
    public const int ReplyLength = 6;
}

/// <summary>Body of a request: rows of destination, wanted seqno, hop limit; destination 0 asks for the whole table. protocol.md 5.4.</summary>
public static class RequestFormat
{
    public const int EntryLength = 5;
    public const int OffsetSeqNo = 2;
    public const int OffsetHopLimit = 4;
}
