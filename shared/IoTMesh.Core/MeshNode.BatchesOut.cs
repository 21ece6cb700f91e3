namespace IoTMesh.Core;

/// <content>Readings that are due together share a message. protocol.md 4.4.</content>
public sealed partial class MeshNode
{
    /// <summary>Class of the messages that carry own readings: that of the latest reading.</summary>
    private byte ReadingClass => (byte)(_readingsAreBulk ? MeshClass.Bulk : MeshClass.Normal);

    private bool IsNextReadingWide(uint measured)
    {
        return _wideLeft > 0 || _record.NextMessage % WideEvery == 0 || UptimeTicks - measured > FreshMs >> UptimeShift;
    }

    private int PutReadingHeader(uint seq, uint measured, bool wide)
    {
        if (!wide)
        {
            Bytes.PutU16(_plain, 0, (ushort)seq);
            Bytes.PutU16(_plain, 2, (ushort)measured);
            return ReadingNarrowLength;
        }

        Bytes.PutU32(_plain, 0, seq);
        Bytes.PutU16(_plain, 4, (ushort)(seq - _custody.FirstSeq));
        Bytes.PutU32(_plain, 6, measured);
        Bytes.PutU32(_plain, 10, UptimeTicks);
        return ReadingWideLength;
    }

    /// <summary>Sends the reading, and with it those behind it that are unsent, as far as a message holds; false where there is no room.</summary>
    private bool ComposeReadings(uint seq, uint end)
    {
        int count = CountTogether(seq, end, out bool oneLength);
        if (count < 2)
        {
            return ComposeReading(seq);
        }

        uint measured = _custody.TicksOf(seq);
        bool wide = IsNextReadingWide(measured);
        int at = PutReadingHeader(seq, measured, wide);
        _plain[at] = (byte)(count | (oneLength ? BatchView.FormOneLength : 0));
        at++;
        if (oneLength)
        {
            _plain[at] = (byte)_custody.LengthOf(seq);
            at++;
        }

        uint before = measured;
        for (uint i = 0; i < count; i++)
        {
            uint ticks = _custody.TicksOf(seq + i);
            at = i == 0 ? at : BatchView.PutStep(_plain, at, (int)(ticks - before));
            before = ticks;
            if (!oneLength)
            {
                _plain[at] = (byte)_custody.LengthOf(seq + i);
                at++;
            }

            at += _custody.CopyTo(seq + i, _plain, at);
        }

        int slot = Compose(MessageKind.Batch, MeshAddress.AnyGateway, ReadingClass, wide, at);
        if (slot == MessageQueue.None)
        {
            return false;
        }

        _wideLeft -= _wideLeft > 0 ? 1 : 0;
        _queue.ReadingSeq[slot] = seq;
        SetCarriedCount(slot, count);
        SetCarried(slot, Custody.StateQueued);
        return true;
    }

    /// <summary>How many unsent readings of this boot from that one on fit into one message.</summary>
    private int CountTogether(uint seq, uint end, out bool oneLength)
    {
        oneLength = true;
        if (_custody.Boot != _record.Boot)
        {
            return 1;
        }

        int first = _custody.LengthOf(seq);
        int used = ReadingWideLength + 2 + first;
        uint before = _custody.TicksOf(seq);
        int count = 1;
        for (uint next = seq + 1; next != end && count < BatchView.CountMax && _custody.StateOf(next) == Custody.StateUnsent; next++)
        {
            uint ticks = _custody.TicksOf(next);
            int length = _custody.LengthOf(next);
            used += length + 3;
            if (ticks < before || ticks - before > BatchView.StepMax || used > _plainCapacity)
            {
                break;
            }

            oneLength &= length == first;
            before = ticks;
            count++;
        }

        return count;
    }

    // An own message has no signal strength, so that column is free.
    private void SetCarriedCount(int slot, int count)
    {
        _queue.RssiDbm[slot] = (sbyte)count;
    }

    /// <summary>Sets the state of the readings in custody that an own message carries.</summary>
    private void SetCarried(int slot, byte state)
    {
        int count = _queue.Kind[slot] == MessageKind.Batch ? _queue.RssiDbm[slot] : 1;
        for (uint i = 0; i < count; i++)
        {
            _custody.SetState(_queue.ReadingSeq[slot] + i, state, _nowMs);
        }
    }
}
