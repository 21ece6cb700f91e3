namespace IoTMesh.Core;

/// <summary>What happened to a node's frames and messages, by reason. Plain fields: read them from the thread that drives the node.</summary>
public sealed class MeshCounters
{
    public long FramesSent;
    public long BytesSent;
    public long FramesReceived;
    public long BytesReceived;
    public long BeaconsSent;
    public long AcksSent;
    public long BusySent;
    public long BusyReceived;
    public long DataFramesSent;
    public long Retries;
    public long Originated;
    public long Forwarded;
    public long Delivered;
    public long Duplicates;
    public long LoopsDetected;
    public long ParentChanges;
    public long NeighborsLost;
    public long SeqNoRequestsSent;
    public long CustodyEvicted;
    public long CustodyReplayed;

    /// <summary>Writes to storage for readings in custody.</summary>
    public long CustodyWrites;
    public long TransmitFailures;

    /// <summary>What joining devices said and was not passed on, since they say too much.</summary>
    public long JoinsRefused;
    public long RankInversions;

    /// <summary>Messages given up, by reason.</summary>
    public long DroppedNoRoute;
    public long DroppedTries;
    public long DroppedHopLimit;
    public long DroppedQueueFull;
    public long DroppedMailbox;
    public long DroppedBusy;
    public long DroppedLate;

    /// <summary>End-to-end checks that failed at this destination.</summary>
    public long EndToEndBadTag;
    public long EndToEndReplayed;
    public long EndToEndNoKey;
    public long EndToEndMalformed;

    /// <summary>Frames refused, indexed by <see cref="ParseError"/>.</summary>
    public readonly long[] Refused = new long[16];
}
