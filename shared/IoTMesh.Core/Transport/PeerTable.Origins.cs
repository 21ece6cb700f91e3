namespace IoTMesh.Core;

/// <content>
/// At a gateway: what is known of the readings of an origin's boots. The present boot has the peer's own number as its slot, so
/// that slot and peer are the same for it; a few boots before it have slots of their own, so that late readings of theirs are
/// still told from copies. protocol.md 6.4.
/// </content>
internal sealed partial class PeerTable
{
    /// <summary>Boots before the present one; an origin holds readings of no more of them.</summary>
    internal const int OlderBoots = Custody.RunsMax - 1;

    // Of the older boots only, by slot less Capacity.
    private readonly ushort[] _olderBoot;
    private readonly uint[] _olderCounter;

    /// <summary>No older slot has a watermark due before this, ms.</summary>
    private long _olderDueMs = long.MaxValue;

    internal int SlotCount => _olderBoot.Length + (_keepsReadings ? Capacity : 0);

    internal int PeerOf(int slot)
    {
        return slot % Capacity;
    }

    internal ushort BootOf(int slot)
    {
        return slot < Capacity ? Boot[slot] : _olderBoot[slot - Capacity];
    }

    /// <summary>The highest message counter heard of that boot.</summary>
    internal uint CounterOf(int slot)
    {
        return slot < Capacity ? CounterHigh[slot] : _olderCounter[slot - Capacity];
    }

    /// <summary>The slot of that boot, or None.</summary>
    internal int FindBoot(int peer, ushort boot)
    {
        for (int slot = peer; slot < SlotCount && boot != 0; slot += Capacity)
        {
            if (BootOf(slot) == boot)
            {
                return slot;
            }
        }

        return None;
    }

    /// <summary>The slot of a boot before the present one; taken where there is none yet, in the end from the oldest boot.</summary>
    internal int FindOrAddOlder(int peer, ushort boot)
    {
        int slot = FindBoot(peer, boot);
        if (slot != None)
        {
            return slot;
        }

        slot = Capacity + peer;
        for (int other = slot + Capacity; other < SlotCount && BootOf(slot) != 0; other += Capacity)
        {
            bool isOlder = BootOf(other) == 0 || SeqNo.IsNewer(BootOf(slot), BootOf(other));
            slot = isOlder ? other : slot;
        }

        ForgetReadings(slot);
        _olderBoot[slot - Capacity] = boot;
        return slot;
    }

    /// <summary>The watermark of that slot is due then, if not before.</summary>
    internal void SetWatermarkDue(int slot, long dueMs)
    {
        WatermarkDueMs[slot] = dueMs;
        if (slot >= Capacity && dueMs < _olderDueMs)
        {
            _olderDueMs = dueMs;
        }
    }

    /// <summary>The next slot from <paramref name="slot"/> on whose watermark is due, or None.</summary>
    internal int NextWatermarkDue(int slot, long nowMs)
    {
        for (int at = slot; at < Count; at++)
        {
            if (WatermarkDueMs[at] <= nowMs)
            {
                return at;
            }
        }

        if (_olderDueMs > nowMs)
        {
            return None;
        }

        for (int at = slot > Capacity ? slot : Capacity; at < SlotCount; at++)
        {
            if (WatermarkDueMs[at] <= nowMs)
            {
                return at;
            }
        }

        return None;
    }

    internal long EarliestWatermarkMs()
    {
        long earliest = _olderDueMs;
        for (int i = 0; i < Count; i++)
        {
            if (WatermarkDueMs[i] < earliest)
            {
                earliest = WatermarkDueMs[i];
            }
        }

        return earliest;
    }

    /// <summary>All older slots were looked at: how long there is time until the next.</summary>
    internal void RefreshOlderDue()
    {
        _olderDueMs = long.MaxValue;
        for (int slot = Capacity; slot < SlotCount; slot++)
        {
            if (WatermarkDueMs[slot] < _olderDueMs)
            {
                _olderDueMs = WatermarkDueMs[slot];
            }
        }
    }

    /// <summary>The present boot has ended: what is known of its readings moves to a slot for older boots.</summary>
    private void KeepOlder(int peer)
    {
        int slot = FindOrAddOlder(peer, 0);
        _olderBoot[slot - Capacity] = Boot[peer];
        _olderCounter[slot - Capacity] = CounterHigh[peer];
        Watermark[slot] = Watermark[peer];
        WatermarkSent[slot] = WatermarkSent[peer];
        WatermarkSentMs[slot] = WatermarkSentMs[peer];
        SetWatermarkDue(slot, WatermarkDueMs[peer]);
        Received[slot] = Received[peer];
        Committed[slot] = Committed[peer];
        NewestSeq[slot] = NewestSeq[peer];
        UptimeMs[slot] = UptimeMs[peer];
        UptimeAtMs[slot] = UptimeAtMs[peer];
        UptimeKnown[slot] = UptimeKnown[peer];
        LastDeliveredMs[slot] = LastDeliveredMs[peer];
    }

    private void ForgetReadings(int slot)
    {
        if (slot >= Capacity)
        {
            _olderBoot[slot - Capacity] = 0;
            _olderCounter[slot - Capacity] = 0;
        }

        Watermark[slot] = 0;
        WatermarkSent[slot] = 0;
        WatermarkDueMs[slot] = long.MaxValue;
        WatermarkSentMs[slot] = long.MinValue / 2;
        LastDeliveredMs[slot] = long.MinValue / 2;
        Received[slot] = 0;
        Committed[slot] = 0;
        NewestSeq[slot] = 0;
        UptimeKnown[slot] = false;
    }
}
