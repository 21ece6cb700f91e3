namespace IoTMesh.Core;

/// <summary>
/// Own readings kept until a gateway has committed them: a ring by sequence number, and a ring of bytes for what they say. Either
/// one full: the oldest is given up and counted. protocol.md 6.4.
/// </summary>
internal sealed class Custody
{
    internal const byte StateUnsent = 0;
    internal const byte StateQueued = 1;
    internal const byte StateSent = 2;
    internal const byte StateCommitted = 3;
    private const int MeasuredShift = 4;
    private readonly int _capacity;
    private readonly byte[] _data;
    private readonly ushort[] _start;
    private readonly byte[] _length;
    private readonly byte[] _state;

    // Of the caller's clock: a reading may be older than Stamp reaches.
    private readonly uint[] _measured16Ms;
    private readonly uint[] _sent;
    private int _end;
    private int _used;

    /// <param name="capacity">Readings.</param>
    /// <param name="byteCapacity">Bytes of all of them together, at most 65,536.</param>
    internal Custody(int capacity, int byteCapacity)
    {
        _capacity = capacity;
        _data = new byte[byteCapacity];
        _start = new ushort[capacity];
        _length = new byte[capacity];
        _state = new byte[capacity];
        _measured16Ms = new uint[capacity];
        _sent = new uint[capacity];
        FirstSeq = 1;
        NextSeq = 1;
    }

    /// <summary>The oldest reading held; equal to NextSeq where none is.</summary>
    internal uint FirstSeq { get; private set; }

    internal uint NextSeq { get; private set; }

    internal int Count => (int)(NextSeq - FirstSeq);

    /// <summary>True where a reading of that length fits in without another being given up.</summary>
    internal bool HasRoom(int length)
    {
        return Count < _capacity && _used + length <= _data.Length;
    }

    internal void DropOldest()
    {
        _used -= _length[SlotOf(FirstSeq)];
        FirstSeq++;
    }

    internal uint Add(byte[] payload, int offset, int count, long measuredMs)
    {
        uint seq = NextSeq;
        int slot = SlotOf(seq);
        int first = count <= _data.Length - _end ? count : _data.Length - _end;
        System.Array.Copy(payload, offset, _data, _end, first);
        System.Array.Copy(payload, offset + first, _data, 0, count - first);
        _start[slot] = (ushort)_end;
        _end = first < count || _end + count == _data.Length ? count - first : _end + count;
        _used += count;
        _length[slot] = (byte)count;
        _state[slot] = StateUnsent;
        _measured16Ms[slot] = (uint)(measuredMs >> MeasuredShift);
        NextSeq = seq + 1;
        return seq;
    }

    internal bool Holds(uint seq)
    {
        return seq >= FirstSeq && seq < NextSeq;
    }

    internal byte StateOf(uint seq)
    {
        return _state[SlotOf(seq)];
    }

    internal long SentMsOf(uint seq, long nowMs)
    {
        return Stamp.ToMs(_sent[SlotOf(seq)], nowMs);
    }

    /// <summary>How long ago it was measured, in steps of 16 ms.</summary>
    internal long AgeMsOf(uint seq, long nowMs)
    {
        return (long)((uint)(nowMs >> MeasuredShift) - _measured16Ms[SlotOf(seq)]) << MeasuredShift;
    }

    internal void SetState(uint seq, byte state, long nowMs)
    {
        if (Holds(seq))
        {
            int slot = SlotOf(seq);
            if (_state[slot] != StateCommitted)
            {
                _state[slot] = state;
                _sent[slot] = Stamp.Of(nowMs);
            }
        }
    }

    /// <summary>Copies the reading; returns its length.</summary>
    internal int CopyTo(uint seq, byte[] buffer, int offset)
    {
        int slot = SlotOf(seq);
        int start = _start[slot];
        int count = _length[slot];
        int first = count <= _data.Length - start ? count : _data.Length - start;
        System.Array.Copy(_data, start, buffer, offset, first);
        System.Array.Copy(_data, 0, buffer, offset + first, count - first);
        return count;
    }

    /// <summary>A gateway committed everything up to the watermark and, above it, what the bitmap names (bit 0 is watermark + 2).</summary>
    internal void Release(uint watermark, ulong committedAbove)
    {
        while (FirstSeq != NextSeq && FirstSeq <= watermark)
        {
            DropOldest();
        }

        for (int i = 0; i < 64; i++)
        {
            uint seq = watermark + 2 + (uint)i;
            if (((committedAbove >> i) & 1) != 0 && Holds(seq))
            {
                _state[SlotOf(seq)] = StateCommitted;
            }
        }

        while (FirstSeq != NextSeq && StateOf(FirstSeq) == StateCommitted)
        {
            DropOldest();
        }
    }

    private int SlotOf(uint seq)
    {
        return (int)(seq % (uint)_capacity);
    }
}
