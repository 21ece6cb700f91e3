namespace IoTMesh.Mqtt.Session;

internal enum InFlightState : byte
{
    Done,
    AwaitsPubAck,
    AwaitsPubRec,
    AwaitsPubComp,
    AwaitsRequestAck,
}

internal struct InFlight
{
    public InFlightState State;
    public ushort PacketId;
    public Outgoing Item;
    public object? Token;
}

/// <summary>
/// Packets that wait for the peer, in the order in which they were sent. Packet ids are handed out in sequence, so that an
/// id is found by its distance from the oldest: no table, no allocation. Grows by doubling up to all 65,535 ids.
/// </summary>
internal sealed class InFlightRing
{
    private const int PacketIds = 65_535;
    private const int FirstSize = 8;
    private InFlight[] _entries = new InFlight[FirstSize];

    /// <summary>Sequence number of the oldest entry that is not done.</summary>
    public long Head { get; private set; }

    public long Tail { get; private set; }

    /// <summary>Ids between oldest and newest, the done ones among them included.</summary>
    public int Count => (int)(Tail - Head);

    public ref InFlight this[long seq] => ref _entries[seq & (_entries.Length - 1)];

    public ushort Add(InFlight entry)
    {
        if (Count == _entries.Length)
        {
            Grow();
        }

        entry.PacketId = IdOf(Tail);
        this[Tail] = entry;
        Tail++;
        return entry.PacketId;
    }

    /// <summary>Sequence number of a packet id, or -1.</summary>
    public long Find(ushort packetId)
    {
        int distance = (packetId - IdOf(Head) + PacketIds) % PacketIds;
        return packetId == 0 || distance >= Count ? -1 : Head + distance;
    }

    public void Remove(long seq)
    {
        this[seq] = default;
        while (Head < Tail && this[Head].State == InFlightState.Done)
        {
            Head++;
        }
    }

    public void Clear()
    {
        Array.Clear(_entries);
        Head = Tail;
    }

    private static ushort IdOf(long seq) => (ushort)((seq % PacketIds) + 1);

    private void Grow()
    {
        var bigger = new InFlight[_entries.Length * 2];
        for (long seq = Head; seq < Tail; seq++)
        {
            bigger[seq & (bigger.Length - 1)] = this[seq];
        }

        _entries = bigger;
    }
}
