namespace IoTMesh.Core;

/// <content>Real-time messages: their age, their deadline, their second copy. protocol.md 3.5, 6.7.</content>
public sealed partial class MeshNode
{
    /// <summary>Messages whose ages differ by more than this share no frame, as a frame tells one age.</summary>
    private const int OneAgeMs = 2 * FrameFormat.AgeUnitMs;

    // Of the data frame at hand.
    private int _ageMs;
    private bool _isCopy;

    private bool IsRealTime(int slot)
    {
        return _queue.Class[slot] == (byte)MeshClass.RealTime;
    }

    private int ReadAge(byte messageClass, byte[] buffer, int at, int end)
    {
        bool hasAge = messageClass == (byte)MeshClass.RealTime && at < end;
        _ageMs = hasAge ? (buffer[at] & FrameFormat.AgeMask) * FrameFormat.AgeUnitMs : 0;
        _isCopy = hasAge && (buffer[at] & FrameFormat.AgeFlagCopy) != 0;
        return hasAge ? at + 1 : at;
    }

    private bool IsTooOld(byte messageClass)
    {
        bool isTooOld = messageClass == (byte)MeshClass.RealTime && _ageMs >= Config.RealTimeDeadlineMs;
        Counters.DroppedLate += isTooOld ? 1 : 0;
        return isTooOld;
    }

    /// <summary>The message in that slot came with the frame at hand: its deadline is when it is given up, which its age is told by.</summary>
    private void SetDeadline(int slot)
    {
        if (!IsRealTime(slot))
        {
            return;
        }

        _queue.GiveUpMs[slot] = _nowMs + Config.RealTimeDeadlineMs - _ageMs;
        if (_isCopy)
        {
            _queue.SetCopy(slot);
        }
    }

    private bool IsLate(int slot)
    {
        return IsRealTime(slot) && _nowMs >= _queue.GiveUpMs[slot];
    }

    private bool IsOfOneAge(int a, int b)
    {
        long apartMs = _queue.GiveUpMs[a] - _queue.GiveUpMs[b];
        return !IsRealTime(a) || (_queue.IsCopy(a) == _queue.IsCopy(b) && apartMs <= OneAgeMs && apartMs >= -OneAgeMs);
    }

    /// <summary>Writes the age of the oldest message of the batch, rounded up: what the frame takes on air is not measured.</summary>
    private int EmitAge(int count, byte[] frame, int at)
    {
        if (!IsRealTime(_batch[0]))
        {
            return at;
        }

        long giveUpMs = _queue.GiveUpMs[_batch[0]];
        for (int i = 1; i < count; i++)
        {
            giveUpMs = _queue.GiveUpMs[_batch[i]] < giveUpMs ? _queue.GiveUpMs[_batch[i]] : giveUpMs;
        }

        long age = (Config.RealTimeDeadlineMs - (giveUpMs - _nowMs) + FrameFormat.AgeUnitMs) / FrameFormat.AgeUnitMs;
        age = age > FrameFormat.AgeMask ? FrameFormat.AgeMask : age;
        frame[at] = (byte)(age | (_queue.IsCopy(_batch[0]) ? (uint)FrameFormat.AgeFlagCopy : 0));
        return at + 1;
    }

    /// <summary>Queues the second copy of an own message, where there is room for it.</summary>
    private void AddCopy(int slot)
    {
        bool isWanted = Config.RealTimeTwice && IsRealTime(slot) && _leaf == null && _queue.State[slot] == MessageQueue.StateReady;
        if (!isWanted || _queue.Used == _queue.Capacity)
        {
            return;
        }

        _queue.GetHeader(slot, _composed);
        int copy = _queue.Take(_composed, (byte)MeshClass.RealTime, MessageQueue.StateReady, _nowMs);
        System.Array.Copy(_queue.Body, _queue.BodyOffset(slot), _queue.Body, _queue.BodyOffset(copy), _queue.BodyLength[slot]);
        _queue.GiveUpMs[copy] = _queue.GiveUpMs[slot];
        _queue.SetCopy(copy);
    }

    /// <summary>
    /// The next hop of a second copy: one that the first does not take. Where there is no other, it goes the same way from a node that
    /// the first did not come by, and ends at one that the first did.
    /// </summary>
    private int HopOfCopy(int slot, int route)
    {
        ushort origin = _queue.Origin[slot];
        int first = _routes.NextHopFor(route, origin, NeighborTable.None, _queue.From[slot]);
        int other = _routes.OtherHop(route, first, _queue.From[slot]);
        if (other != NeighborTable.None)
        {
            return other;
        }

        if (origin == Address || _duplicates.Find(origin, _queue.Counter[slot], DuplicateCache.WayPlain) != DuplicateCache.None)
        {
            _queue.Free(slot);
            return NeighborTable.None;
        }

        return first;
    }
}
