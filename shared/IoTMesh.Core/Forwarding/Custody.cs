namespace IoTMesh.Core;

/// <summary>
/// Own readings kept until a gateway has committed them: a ring by sequence number. Full: the oldest is given up and counted.
/// protocol.md 6.4.
/// </summary>
internal sealed class Custody
{
    internal const byte StateUnsent = 0;
    internal const byte StateQueued = 1;
    internal const byte StateSent = 2;
    internal const byte StateCommitted = 3;
    private readonly int _capacity;
    private readonly int _maxLength;
    private readonly byte[] _data;
    private readonly byte[] _length;
    private readonly byte[] _state;
    private readonly long[] _measuredMs;
    private readonly long[] _sentMs;

    internal Custody(int capacity, int maxLength)
    {
        _capacity = capacity;
        _maxLength = maxLength;
        _data = new byte[capacity * maxLength];
        _length = new byte[capacity];
        _state = new byte[capacity];
        _measuredMs = new long[capacity];
        _sentMs = new long[capacity];
        FirstSeq = 1;
        NextSeq = 1;
    }

    /// <summary>The oldest reading held; equal to NextSeq where none is.</summary>
    internal uint FirstSeq { get; private set; }

    internal uint NextSeq { get; private set; }

    internal int Count => (int)(NextSeq - FirstSeq);

    internal bool IsFull => Count == _capacity;

    internal void DropOldest()
    {
        FirstSeq++;
    }

    internal uint Add(byte[] payload, int offset, int count, long measuredMs)
    {
        uint seq = NextSeq;
        int slot = SlotOf(seq);
        System.Array.Copy(payload, offset, _data, slot * _maxLength, count);
        _length[slot] = (byte)count;
        _state[slot] = StateUnsent;
        _measuredMs[slot] = measuredMs;
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

    internal long SentMsOf(uint seq)
    {
        return _sentMs[SlotOf(seq)];
    }

    internal long MeasuredMsOf(uint seq)
    {
        return _measuredMs[SlotOf(seq)];
    }

    internal void SetState(uint seq, byte state, long nowMs)
    {
        if (Holds(seq))
        {
            int slot = SlotOf(seq);
            if (_state[slot] != StateCommitted)
            {
                _state[slot] = state;
                _sentMs[slot] = nowMs;
            }
        }
    }

    /// <summary>Copies the reading; returns its length.</summary>
    internal int CopyTo(uint seq, byte[] buffer, int offset)
    {
        int slot = SlotOf(seq);
        System.Array.Copy(_data, slot * _maxLength, buffer, offset, _length[slot]);
        return _length[slot];
    }

    /// <summary>A gateway committed everything up to the watermark and, above it, what the bitmap names (bit 0 is watermark + 2).</summary>
    internal void Release(uint watermark, ulong committedAbove)
    {
        while (FirstSeq != NextSeq && FirstSeq <= watermark)
        {
            FirstSeq++;
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
            FirstSeq++;
        }
    }

    private int SlotOf(uint seq)
    {
        return (int)(seq % (uint)_capacity);
    }
}
