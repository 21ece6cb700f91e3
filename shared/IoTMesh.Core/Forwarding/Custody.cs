namespace IoTMesh.Core;

/// <summary>
/// Own readings kept until a gateway has committed them: a ring of bytes, oldest first, of this boot and, restored from storage, of
/// boots before it. Readings in a row of one boot are a run; what is said of states and numbers is about the oldest run, the only
/// one that is being sent. Full: the oldest reading is given up and counted by the caller. protocol.md 6.4.
/// </summary>
internal sealed class Custody
{
    internal const byte StateUnsent = 0;
    internal const byte StateQueued = 1;
    internal const byte StateSent = 2;
    internal const byte StateCommitted = 3;

    /// <summary>Readings from the oldest on that may be in another state than unsent: what a watermark message can name.</summary>
    internal const int Window = 64;

    /// <summary>In front of each reading: its length u8, when it was measured u32 (uptime in 16 ms).</summary>
    internal const int EntryHeaderLength = 5;

    /// <summary>Runs kept: this boot's and those before it.</summary>
    internal const int RunsMax = 8;

    private readonly byte[] _data;
    private readonly byte[] _state = new byte[Window];
    private readonly uint[] _sent = new uint[Window];
    private readonly ushort[] _runBoot = new ushort[RunsMax];
    private readonly uint[] _runFirst = new uint[RunsMax];
    private readonly int[] _runCount = new int[RunsMax];
    private readonly uint[] _runEnd = new uint[RunsMax];
    private readonly ushort _boot;
    private int _runs;
    private int _head;
    private int _used;
    private uint _next = 1;

    /// <param name="capacity">Bytes of the ring.</param>
    /// <param name="boot">Number of this boot.</param>
    internal Custody(int capacity, ushort boot)
    {
        _data = new byte[capacity];
        _boot = boot;
    }

    /// <summary>Boot of the oldest run.</summary>
    internal ushort Boot => _runs == 0 ? _boot : _runBoot[0];

    /// <summary>The oldest reading held; equal to NextSeq where none is.</summary>
    internal uint FirstSeq => _runs == 0 ? _next : _runFirst[0];

    /// <summary>One above the last reading of the oldest run.</summary>
    internal uint NextSeq => _runs == 0 ? _next : _runFirst[0] + (uint)_runCount[0];

    /// <summary>The number that this boot's next reading will have.</summary>
    internal uint NextOwnSeq => _next;

    /// <summary>The oldest reading of this boot that is held; NextOwnSeq where none is.</summary>
    internal uint FirstOwnSeq => _runs == 0 || _runBoot[_runs - 1] != _boot ? _next : _runFirst[_runs - 1];

    /// <summary>Readings held, of all boots.</summary>
    internal int Count { get; private set; }

    /// <summary>Bytes taken in the ring.</summary>
    internal int UsedBytes => _used;

    internal bool IsEmpty => Count == 0;

    /// <summary>Changes whenever the oldest run is another one, so that numbers mean other readings.</summary>
    internal int Generation { get; private set; }

    internal bool HasRoom(int length)
    {
        return _used + EntryHeaderLength + length <= _data.Length;
    }

    /// <summary>Gives up the oldest reading.</summary>
    internal void DropOldest()
    {
        int length = EntryHeaderLength + _data[_head];
        _head = Wrap(_head + length);
        _used -= length;
        Count--;
        _state[(int)(_runFirst[0] % Window)] = StateUnsent;
        _runFirst[0]++;
        _runCount[0]--;
        if (_runCount[0] == 0)
        {
            DropRun();
        }
    }

    /// <summary>Adds a reading of this boot; the caller has made room. Returns its number.</summary>
    /// <param name="ticks">When it was measured: uptime in 16 ms.</param>
    internal uint Add(byte[] payload, int offset, int count, uint ticks)
    {
        Append(_boot, _next, payload, offset, count, ticks);
        return _next++;
    }

    /// <summary>Adds a reading of an earlier boot behind those that are held; false where it opens one run too many.</summary>
    internal bool Restore(ushort boot, uint seq, byte[] payload, int offset, int count, uint ticks)
    {
        bool isSameBoot = _runs > 0 && _runBoot[_runs - 1] == boot;
        uint next = isSameBoot ? _runFirst[_runs - 1] + (uint)_runCount[_runs - 1] : 0;
        if (isSameBoot && seq < next)
        {
            // Stored twice.
            return true;
        }

        bool goesOn = isSameBoot && seq == next;

        // One run stays free for the readings of this boot.
        if (!goesOn && _runs == RunsMax - 1)
        {
            return false;
        }

        Append(boot, seq, payload, offset, count, ticks);
        return true;
    }

    /// <summary>The boot ran at least so long (uptime in 16 ms).</summary>
    internal void NoteEnd(ushort boot, uint ticks)
    {
        for (int run = 0; run < _runs; run++)
        {
            if (_runBoot[run] == boot && ticks > _runEnd[run])
            {
                _runEnd[run] = ticks;
            }
        }
    }

    /// <summary>The least uptime that the oldest run's boot would have by now, given this boot's, in 16 ms.</summary>
    internal uint UptimeOfBoot(uint nowTicks)
    {
        if (Boot == _boot)
        {
            return nowTicks;
        }

        uint ticks = _runEnd[0] + nowTicks;
        for (int run = 1; run < _runs; run++)
        {
            ticks += _runBoot[run] != _runBoot[run - 1] && _runBoot[run] != _boot ? _runEnd[run] : 0;
        }

        return ticks;
    }

    internal bool Holds(uint seq)
    {
        return seq >= FirstSeq && seq < NextSeq;
    }

    internal byte StateOf(uint seq)
    {
        return seq - FirstSeq < Window ? _state[(int)(seq % Window)] : StateUnsent;
    }

    internal long SentMsOf(uint seq, long nowMs)
    {
        return Stamp.ToMs(_sent[(int)(seq % Window)], nowMs);
    }

    internal void SetState(uint seq, byte state, long nowMs)
    {
        if (Holds(seq) && seq - FirstSeq < Window)
        {
            int slot = (int)(seq % Window);
            if (_state[slot] != StateCommitted)
            {
                _state[slot] = state;
                _sent[slot] = Stamp.Of(nowMs);
            }
        }
    }

    /// <summary>When the reading was measured: uptime in its boot, in 16 ms.</summary>
    internal uint TicksOf(uint seq)
    {
        return GetTicks(EntryOf(seq));
    }

    /// <summary>The same of a reading of this boot, whichever run is the oldest.</summary>
    internal uint TicksOfOwn(uint seq)
    {
        return GetTicks(Skip(_head, Count - (int)(_next - seq)));
    }

    internal int LengthOf(uint seq)
    {
        return _data[EntryOf(seq)];
    }

    /// <summary>Copies the reading; returns its length.</summary>
    internal int CopyTo(uint seq, byte[] buffer, int offset)
    {
        int at = EntryOf(seq);
        int length = _data[at];
        CopyOut(Wrap(at + EntryHeaderLength), buffer, offset, length);
        return length;
    }

    /// <summary>Copies readings of this boot with their headers, from one on, as many as fit; returns how many.</summary>
    /// <param name="bytes">Bytes written.</param>
    internal int CopyEntries(uint fromSeq, byte[] buffer, int offset, int room, out int bytes)
    {
        bytes = 0;
        int count = 0;
        if (fromSeq < FirstOwnSeq || fromSeq >= _next)
        {
            return 0;
        }

        int at = Skip(_head, Count - (int)(_next - fromSeq));
        for (uint seq = fromSeq; seq != _next; seq++)
        {
            int length = EntryHeaderLength + _data[at];
            if (bytes + length > room)
            {
                break;
            }

            CopyOut(at, buffer, offset + bytes, length);
            at = Wrap(at + length);
            bytes += length;
            count++;
        }

        return count;
    }

    /// <summary>
    /// A gateway committed everything of the oldest run's boot up to the watermark and, above it, what the bitmap names (bit 0 is
    /// watermark + 2). About another boot it says nothing.
    /// </summary>
    internal void Release(ushort boot, uint watermark, ulong committedAbove)
    {
        while (_runs > 0 && _runBoot[0] == boot && _runFirst[0] <= watermark)
        {
            DropOldest();
        }

        if (_runs == 0 || _runBoot[0] != boot)
        {
            return;
        }

        for (int i = 0; i < ReplayWindow.Length; i++)
        {
            if (((committedAbove >> i) & 1) != 0)
            {
                SetState(watermark + 2 + (uint)i, StateCommitted, 0);
            }
        }

        int generation = Generation;
        while (_runs > 0 && generation == Generation && StateOf(_runFirst[0]) == StateCommitted)
        {
            DropOldest();
        }
    }

    private void Append(ushort boot, uint seq, byte[] payload, int offset, int count, uint ticks)
    {
        bool goesOn = _runs > 0 && _runBoot[_runs - 1] == boot && _runFirst[_runs - 1] + (uint)_runCount[_runs - 1] == seq;
        if (!goesOn)
        {
            _runBoot[_runs] = boot;
            _runFirst[_runs] = seq;
            _runCount[_runs] = 0;
            _runEnd[_runs] = ticks;
            _runs++;
        }

        int run = _runs - 1;
        int at = Wrap(_head + _used);
        _data[at] = (byte)count;
        for (int i = 0; i < 4; i++)
        {
            _data[Wrap(at + 1 + i)] = (byte)(ticks >> (8 * i));
        }

        CopyIn(payload, offset, Wrap(at + EntryHeaderLength), count);
        _used += EntryHeaderLength + count;
        _runCount[run]++;
        _runEnd[run] = ticks > _runEnd[run] ? ticks : _runEnd[run];
        Count++;
    }

    private void DropRun()
    {
        bool isOwn = _runBoot[0] == _boot;
        _runs--;
        for (int run = 0; run < _runs; run++)
        {
            _runBoot[run] = _runBoot[run + 1];
            _runFirst[run] = _runFirst[run + 1];
            _runCount[run] = _runCount[run + 1];
            _runEnd[run] = _runEnd[run + 1];
        }

        if (_runs > 0 || !isOwn)
        {
            Generation++;
            System.Array.Clear(_state, 0, Window);
        }
    }

    private uint GetTicks(int at)
    {
        return (uint)(_data[Wrap(at + 1)] | (_data[Wrap(at + 2)] << 8) | (_data[Wrap(at + 3)] << 16) | (_data[Wrap(at + 4)] << 24));
    }

    private int EntryOf(uint seq)
    {
        return Skip(_head, (int)(seq - FirstSeq));
    }

    private int Skip(int at, int entries)
    {
        for (int i = 0; i < entries; i++)
        {
            at = Wrap(at + EntryHeaderLength + _data[at]);
        }

        return at;
    }

    private int Wrap(int at)
    {
        return at >= _data.Length ? at - _data.Length : at;
    }

    private void CopyIn(byte[] source, int offset, int at, int count)
    {
        int first = count < _data.Length - at ? count : _data.Length - at;
        System.Array.Copy(source, offset, _data, at, first);
        System.Array.Copy(source, offset + first, _data, 0, count - first);
    }

    private void CopyOut(int at, byte[] buffer, int offset, int count)
    {
        int first = count < _data.Length - at ? count : _data.Length - at;
        System.Array.Copy(_data, at, buffer, offset, first);
        System.Array.Copy(_data, 0, buffer, offset + first, count - first);
    }
}
