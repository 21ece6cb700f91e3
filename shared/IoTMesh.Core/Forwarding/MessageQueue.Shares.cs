namespace IoTMesh.Core;

/// <content>What the shares of origins, neighbors and the link are told by: all of it is counted over the slots.</content>
internal sealed partial class MessageQueue
{
    /// <summary>Messages of a frame that a busy answer can name.</summary>
    internal const int PlacesInBusy = 8;

    /// <summary>Busy answers in a row are counted up to this.</summary>
    internal const int BusyMax = 7;
    private const int PlaceMask = 0x0F;
    private const int BusyShift = 4;
    private const int CopyMark = 0x80;

    /// <summary>It stands at that place of its frame; all places from 15 on are one.</summary>
    internal void SetPlace(int slot, int place)
    {
        _marks[slot] = (byte)((_marks[slot] & ~PlaceMask) | (place > PlaceMask ? PlaceMask : place));
    }

    internal bool IsFirstOfFrame(int slot)
    {
        return (_marks[slot] & PlaceMask) == 0;
    }

    /// <summary>True where a busy answer says that this message of its frame was taken over.</summary>
    internal bool IsNamed(int slot, byte taken)
    {
        int place = _marks[slot] & PlaceMask;
        return place < PlacesInBusy && ((taken >> place) & 1) != 0;
    }

    /// <summary>Counts one more busy answer; returns how many in a row, up to BusyMax.</summary>
    internal int CountBusy(int slot)
    {
        int answers = BusyAnswers(slot);
        _marks[slot] += answers < BusyMax ? (byte)(1 << BusyShift) : (byte)0;
        return answers < BusyMax ? answers + 1 : BusyMax;
    }

    internal void EndBusy(int slot)
    {
        _marks[slot] &= PlaceMask | CopyMark;
    }

    /// <summary>The second copy of a real-time message.</summary>
    internal bool IsCopy(int slot)
    {
        return (_marks[slot] & CopyMark) != 0;
    }

    internal void SetCopy(int slot)
    {
        _marks[slot] |= CopyMark;
    }

    private int BusyAnswers(int slot)
    {
        return (_marks[slot] >> BusyShift) & BusyMax;
    }

    /// <summary>True where that neighbor answered a message of that class, or a higher one, that it is busy, and the pause is not over.</summary>
    internal bool IsPaused(int neighbor, int messageClass, long nowMs)
    {
        for (int i = 0; i < Capacity; i++)
        {
            if (State[i] == StateReady && NextHop[i] == neighbor && BusyAnswers(i) != 0 && Class[i] <= messageClass && DueMs[i] > nowMs)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Frames with messages to that neighbor that wait for an ack.</summary>
    internal int CountFramesTo(int neighbor)
    {
        int count = 0;
        for (int i = 0; i < Capacity; i++)
        {
            count += State[i] == StateInFlight && NextHop[i] == neighbor && IsFirstOfFrame(i) ? 1 : 0;
        }

        return count;
    }

    /// <summary>Frames that the link has been holding unsent for less than that time.</summary>
    internal int CountFramesAtLink(ushort nowMs, int maxMs)
    {
        int count = 0;
        for (int i = 0; i < Capacity; i++)
        {
            bool waits = State[i] == StateInFlight && SendToken[i] != 0 && IsFirstOfFrame(i);
            count += waits && (ushort)(nowMs - SentMs[i]) < maxMs ? 1 : 0;
        }

        return count;
    }

    internal bool HasScheduled()
    {
        for (int i = 0; i < Capacity; i++)
        {
            if (State[i] == StateScheduled)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What is scheduled and has not gone is looked at again, as its next hop may be another by now.</summary>
    internal void Unschedule(long nowMs)
    {
        for (int i = 0; i < Capacity; i++)
        {
            if (State[i] == StateScheduled)
            {
                State[i] = StateReady;
                DueMs[i] = nowMs;
            }
        }
    }

    /// <summary>
    /// Counts what has a route and is of that class or a higher one: returns the messages, and
    /// tells how many are of that origin and how many other origins there are.
    /// </summary>
    internal int CountShares(ushort origin, int messageClass, out int own, out int others)
    {
        own = 0;
        others = 0;
        int used = 0;
        for (int i = 0; i < Capacity; i++)
        {
            if (!IsShare(i, messageClass))
            {
                continue;
            }

            used++;
            if (Origin[i] == origin)
            {
                own++;
                continue;
            }

            int first = 0;
            while (!IsShare(first, messageClass) || Origin[first] != Origin[i])
            {
                first++;
            }

            others += first == i ? 1 : 0;
        }

        return used;
    }

    private bool IsShare(int slot, int messageClass)
    {
        return State[slot] != StateFree && Class[slot] <= messageClass && !IsWithoutRoute(slot);
    }

    /// <summary>True where slot a has its turn before b: the next origin after the one served last, and of one origin the older message.</summary>
    internal bool IsServedBefore(int a, int b, ushort servedOrigin)
    {
        int turnA = (ushort)(Origin[a] - servedOrigin - 1);
        int turnB = (ushort)(Origin[b] - servedOrigin - 1);
        return turnA != turnB ? turnA < turnB : (short)((ushort)Counter[a] - (ushort)Counter[b]) < 0;
    }
}
