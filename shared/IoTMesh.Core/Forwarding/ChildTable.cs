namespace IoTMesh.Core;

/// <summary>
/// The sleepy leaves that have chosen this node as their parent, by neighbor slot. Bounded; full: a newcomer is refused and
/// looks for another parent. protocol.md 5.9.
/// </summary>
internal sealed class ChildTable
{
    private readonly int _limit;
    private readonly uint[] _giveUp;
    private readonly uint[] _awakeUntil;
    private readonly ushort[] _seqNo;

    internal ChildTable(int neighbors, int limit)
    {
        _limit = limit;
        _giveUp = new uint[neighbors];
        _awakeUntil = new uint[neighbors];
        _seqNo = new ushort[neighbors];
    }

    internal int Count { get; private set; }

    internal bool IsChild(int neighbor)
    {
        return _giveUp[neighbor] != Stamp.Never;
    }

    internal ushort SeqNo(int neighbor)
    {
        return _seqNo[neighbor];
    }

    /// <summary>Takes in what a poll says; false where there is no room.</summary>
    internal bool Poll(int neighbor, byte[] buffer, int at, long nowMs)
    {
        if (!IsChild(neighbor))
        {
            if (Count == _limit)
            {
                return false;
            }

            Count++;
        }

        long intervalMs = Bytes.GetU16(buffer, at + PollFormat.OffsetInterval) * (long)PollFormat.UnitMs;
        long nextMs = Bytes.GetU16(buffer, at + PollFormat.OffsetNext) * (long)PollFormat.UnitMs;
        int polls = buffer[at + PollFormat.OffsetFlags] & PollFormat.PollsMask;
        _giveUp[neighbor] = Stamp.Of(nowMs + nextMs + (intervalMs * (polls < 1 ? 1 : polls)) + PollFormat.UnitMs);
        _seqNo[neighbor] = Bytes.GetU16(buffer, at + PollFormat.OffsetSeqNo);
        return true;
    }

    internal void Remove(int neighbor)
    {
        if (IsChild(neighbor))
        {
            _giveUp[neighbor] = Stamp.Never;
            Count--;
        }
    }

    internal bool IsGone(int neighbor, long nowMs)
    {
        return Stamp.IsDue(_giveUp[neighbor], nowMs);
    }

    internal long GiveUpMs(int neighbor, long nowMs)
    {
        return Stamp.ToMs(_giveUp[neighbor], nowMs);
    }

    /// <summary>A frame came from it: it listens for a while now.</summary>
    internal void Heard(int neighbor, long nowMs)
    {
        _awakeUntil[neighbor] = Stamp.Of(nowMs + PollFormat.ListenMs);
    }

    /// <summary>It was told that nothing waits for it: it sleeps.</summary>
    internal void Dismiss(int neighbor)
    {
        _awakeUntil[neighbor] = Stamp.Never;
    }

    /// <summary>True for a child whose radio is off.</summary>
    internal bool IsAsleep(int neighbor, long nowMs)
    {
        return IsChild(neighbor) && (_awakeUntil[neighbor] == Stamp.Never || Stamp.IsDue(_awakeUntil[neighbor], nowMs));
    }
}
