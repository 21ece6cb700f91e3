namespace IoTMesh.Core;

/// <summary>
/// Messages waiting for a next hop, for an ack, or for delivery. Parallel arrays by slot, bodies in one block of memory.
/// Full: the caller refuses the newcomer, so that whoever holds it keeps it.
/// </summary>
internal sealed partial class MessageQueue
{
    internal const int None = -1;

    /// <summary>In From: this node's own message, or from a neighbor that was lost since.</summary>
    internal const byte NoNeighbor = 0xFF;

    /// <summary>No list of waypoints, as most messages.</summary>
    internal const byte NoWaypoints = 0xFF;

    internal const byte StateFree = 0;

    /// <summary>Waits until DueMs for a next hop.</summary>
    internal const byte StateReady = 1;

    /// <summary>A Transmit effect for its next hop is queued.</summary>
    internal const byte StateScheduled = 2;

    /// <summary>On air; the ack is due at DueMs.</summary>
    internal const byte StateInFlight = 3;

    /// <summary>Plaintext waiting to be delivered to this node.</summary>
    internal const byte StateDeliver = 4;

    /// <summary>A broadcast between its repetitions.</summary>
    internal const byte StateFlood = 5;

    /// <summary>A narrow message for this gateway that waits for its origin's boot number, until DueMs.</summary>
    internal const byte StateHeld = 6;

    /// <summary>Waits for the next poll of the child that is its next hop; given up at DueMs.</summary>
    internal const byte StateMailbox = 7;

    internal readonly int Capacity;
    internal readonly int BodyCapacity;
    internal readonly byte[] State;
    internal readonly byte[] Class;
    internal readonly byte[] Kind;
    internal readonly byte[] HopLimit;
    internal readonly ushort[] Origin;
    internal readonly ushort[] Destination;
    internal readonly ushort[] Via;

    /// <summary>Number of waypoints at the end of the body, or NoWaypoints.</summary>
    internal readonly byte[] Waypoints;
    internal readonly bool[] IsWide;
    internal readonly uint[] Counter;
    internal readonly ushort[] Boot;
    internal readonly byte[] Body;
    internal readonly ushort[] BodyLength;

    internal readonly int[] NextHop;
    internal readonly int[] Avoid;

    /// <summary>The neighbor slot that handed the message over, or NoNeighbor: what fails elsewhere is not diverted back to it.</summary>
    internal readonly byte[] From;
    internal readonly uint[] FrameCounter;
    internal readonly uint[] FrameCounterBefore;
    internal readonly byte[] Tries;
    internal readonly byte[] TriesHere;

    // Bits 3..0 place in its frame; 6..4 busy answers in a row; 7 a second copy.
    private readonly byte[] _marks;

    /// <summary>When it was sent, the low 16 bits of ms: an ack comes within seconds.</summary>
    internal readonly ushort[] SentMs;

    /// <summary>Low 16 bits of the token of its Transmit while the link has not told that it is sent; 0 for none.</summary>
    internal readonly ushort[] SendToken;

    internal readonly long[] DueMs;
    internal readonly long[] GiveUpMs;

    /// <summary>It waits because nobody leads to its destination; first to go where room is needed.</summary>
    internal readonly bool[] HasNoRoute;

    /// <summary>Token of an own unconfirmed message, 0 for none.</summary>
    internal readonly int[] Token;

    /// <summary>Sequence number of an own reading in custody, 0 for none.</summary>
    internal readonly uint[] ReadingSeq;

    // Of a message to deliver.
    internal readonly sbyte[] RssiDbm;
    internal readonly bool[] IsFromGateway;

    // Of a reading to deliver; empty but at a gateway.
    internal readonly long[] MeasuredMs;
    internal readonly long[] UptimeMs;

    /// <summary>A reading of an earlier boot of its origin.</summary>
    internal readonly bool[] IsKept;

    /// <param name="takesReadings">At a gateway: readings are delivered here.</param>
    internal MessageQueue(int capacity, int bodyCapacity, bool takesReadings)
    {
        int readings = takesReadings ? capacity : 0;
        Capacity = capacity;
        BodyCapacity = bodyCapacity;
        State = new byte[capacity];
        Class = new byte[capacity];
        Kind = new byte[capacity];
        HopLimit = new byte[capacity];
        Origin = new ushort[capacity];
        Destination = new ushort[capacity];
        Via = new ushort[capacity];
        Waypoints = new byte[capacity];
        IsWide = new bool[capacity];
        Counter = new uint[capacity];
        Boot = new ushort[capacity];
        Body = new byte[capacity * bodyCapacity];
        BodyLength = new ushort[capacity];
        NextHop = new int[capacity];
        Avoid = new int[capacity];
        From = new byte[capacity];
        FrameCounter = new uint[capacity];
        FrameCounterBefore = new uint[capacity];
        Tries = new byte[capacity];
        TriesHere = new byte[capacity];
        _marks = new byte[capacity];
        SentMs = new ushort[capacity];
        SendToken = new ushort[capacity];
        DueMs = new long[capacity];
        GiveUpMs = new long[capacity];
        HasNoRoute = new bool[capacity];
        Token = new int[capacity];
        ReadingSeq = new uint[capacity];
        RssiDbm = new sbyte[capacity];
        IsFromGateway = new bool[capacity];
        MeasuredMs = new long[readings];
        UptimeMs = new long[readings];
        IsKept = new bool[readings];
    }

    internal int Used { get; private set; }

    internal int BodyOffset(int slot)
    {
        return slot * BodyCapacity;
    }

    /// <summary>Takes a free slot for a message with that header; None when full. The body is copied by the caller.</summary>
    internal int Take(MessageHeader header, byte messageClass, byte state, long nowMs)
    {
        if (Used == Capacity || header.BodyLength > BodyCapacity)
        {
            return None;
        }

        int slot = 0;
        while (State[slot] != StateFree)
        {
            slot++;
        }

        Used++;
        State[slot] = state;
        Class[slot] = messageClass;
        Kind[slot] = header.Kind;
        HopLimit[slot] = header.HopLimit;
        Origin[slot] = header.Origin;
        Destination[slot] = header.Destination;
        Via[slot] = header.Via;
        Waypoints[slot] = NoWaypoints;
        IsWide[slot] = header.IsWide;
        Counter[slot] = header.Counter;
        Boot[slot] = header.Boot;
        BodyLength[slot] = (ushort)header.BodyLength;
        NextHop[slot] = None;
        Avoid[slot] = None;
        From[slot] = NoNeighbor;
        FrameCounter[slot] = 0;
        FrameCounterBefore[slot] = 0;
        Tries[slot] = 0;
        TriesHere[slot] = 0;
        _marks[slot] = 0;
        HasNoRoute[slot] = false;
        SendToken[slot] = 0;
        DueMs[slot] = nowMs;
        Token[slot] = 0;
        ReadingSeq[slot] = 0;
        return slot;
    }

    /// <summary>True for a message between being taken over and its ack: ready, scheduled or in flight.</summary>
    internal bool IsUnderWay(int slot)
    {
        return State[slot] >= StateReady && State[slot] <= StateInFlight;
    }

    private bool IsWithoutRoute(int slot)
    {
        return State[slot] == StateReady && HasNoRoute[slot];
    }

    /// <summary>True where a message of that origin and counter waits here to be passed on.</summary>
    internal bool Holds(ushort origin, uint counter)
    {
        for (int i = 0; i < Capacity; i++)
        {
            if (IsUnderWay(i) && Origin[i] == origin && (ushort)Counter[i] == (ushort)counter)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The message without a route that has waited longest; None where every message has one.</summary>
    internal int OldestWithoutRoute()
    {
        int oldest = None;
        for (int i = 0; i < Capacity; i++)
        {
            if (IsWithoutRoute(i) && (oldest == None || GiveUpMs[i] < GiveUpMs[oldest]))
            {
                oldest = i;
            }
        }

        return oldest;
    }

    internal int CountWithoutRoute()
    {
        int count = 0;
        for (int i = 0; i < Capacity; i++)
        {
            count += IsWithoutRoute(i) ? 1 : 0;
        }

        return count;
    }

    /// <summary>True where a message of that kind from that origin waits here for a route to that destination.</summary>
    internal bool HoldsKind(byte kind, ushort origin, ushort destination)
    {
        for (int i = 0; i < Capacity; i++)
        {
            if (IsWithoutRoute(i) && Kind[i] == kind && Origin[i] == origin && Destination[i] == destination)
            {
                return true;
            }
        }

        return false;
    }

    internal void Free(int slot)
    {
        State[slot] = StateFree;
        Used--;
    }

    /// <summary>Fills a header with what the slot holds, for Emit.</summary>
    internal void GetHeader(int slot, MessageHeader header)
    {
        header.Kind = Kind[slot];
        header.HopLimit = HopLimit[slot];
        header.Origin = Origin[slot];
        header.Destination = Destination[slot];
        header.Via = Via[slot];
        header.IsWide = IsWide[slot];
        header.Counter = Counter[slot];
        header.Boot = Boot[slot];
        header.BodyLength = BodyLength[slot];
    }

    internal long EarliestDueMs()
    {
        long earliest = long.MaxValue;
        for (int i = 0; i < Capacity; i++)
        {
            byte state = State[i];
            bool isTimed = state == StateReady || state == StateInFlight || state == StateFlood || state == StateHeld || state == StateMailbox;
            if (isTimed && DueMs[i] < earliest)
            {
                earliest = DueMs[i];
            }
        }

        return earliest;
    }
}
