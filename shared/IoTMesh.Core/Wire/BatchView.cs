namespace IoTMesh.Core;

/// <summary>
/// Walks the items of a batch: readings of one origin with consecutive numbers, or datagrams to one destination. protocol.md 4.4.
/// <code>
/// readings:  form u8 [length u8] first: [length u8] objects; others: step u8 or u15 [length u8] objects
/// datagrams: form u8 [length u8] [port u8] each: [length u8] [port u8] payload
/// </code>
/// </summary>
internal sealed class BatchView
{
    /// <summary>Bit of the form: all items have the length that follows once.</summary>
    internal const int FormOneLength = 0x80;

    /// <summary>Bit of the form: all datagrams go to the port that follows once.</summary>
    internal const int FormOnePort = 0x40;

    /// <summary>Bits of the form: number of items.</summary>
    internal const int FormCount = 0x1F;
    internal const int CountMax = 31;

    /// <summary>Longest step between two readings, 16 ms each.</summary>
    internal const int StepMax = 0x7FFF;
    private const int StepLong = 0x80;
    private byte[] _buffer;
    private bool _readings;
    private int _at;
    private int _end;
    private int _form;
    private int _length;
    private int _index;

    internal int Count { get; private set; }

    /// <summary>Of the present item.</summary>
    internal int ItemOffset { get; private set; }

    internal int ItemLength { get; private set; }

    internal byte ItemPort { get; private set; }

    /// <summary>Time from the first reading to the present one, in 16 ms.</summary>
    internal uint ItemTicks { get; private set; }

    /// <summary>Starts before the first item of <c>buffer[offset..end)</c>; false where the whole does not hold together.</summary>
    internal bool Begin(byte[] buffer, int offset, int end, bool readings)
    {
        Rewind(buffer, offset, end, readings);
        if (Count == 0)
        {
            return false;
        }

        while (_index < Count)
        {
            if (!Next())
            {
                return false;
            }
        }

        bool whole = _at == _end;
        Rewind(buffer, offset, end, readings);
        return whole;
    }

    /// <summary>Goes on to the next item; false where there is none, or it is cut.</summary>
    internal bool Next()
    {
        int head = (_readings && _index > 0 ? 1 : 0) + (Has(FormOneLength) ? 0 : 1) + (_readings || Has(FormOnePort) ? 0 : 1);
        if (_index >= Count || _end - _at < head || (_readings && _index > 0 && !ReadStep()))
        {
            return false;
        }

        if (!Has(FormOneLength))
        {
            _length = _at < _end ? _buffer[_at] : 0;
            _at++;
        }

        if (!_readings && !Has(FormOnePort))
        {
            ItemPort = _buffer[_at];
            _at++;
        }

        ItemOffset = _at;
        ItemLength = _length;
        _at += _length;
        _index++;
        return _at <= _end;
    }

    private void Rewind(byte[] buffer, int offset, int end, bool readings)
    {
        _buffer = buffer;
        _readings = readings;
        _end = end;
        _at = offset + 1;
        _index = 0;
        ItemTicks = 0;
        _form = offset < end ? buffer[offset] : 0;
        Count = _form & FormCount;
        int head = (Has(FormOneLength) ? 1 : 0) + (!readings && Has(FormOnePort) ? 1 : 0);
        if (end - _at < head)
        {
            Count = 0;
            return;
        }

        if (Has(FormOneLength))
        {
            _length = buffer[_at];
            _at++;
        }

        if (!readings && Has(FormOnePort))
        {
            ItemPort = buffer[_at];
            _at++;
        }
    }

    private bool ReadStep()
    {
        int step = _buffer[_at];
        _at++;
        if ((step & StepLong) != 0)
        {
            if (_at >= _end)
            {
                return false;
            }

            step = (step & (StepLong - 1)) | (_buffer[_at] << 7);
            _at++;
        }

        ItemTicks += (uint)step;
        return true;
    }

    /// <summary>Writes a step of at most <see cref="StepMax"/>; returns the offset behind it.</summary>
    internal static int PutStep(byte[] buffer, int at, int step)
    {
        if (step < StepLong)
        {
            buffer[at] = (byte)step;
            return at + 1;
        }

        buffer[at] = (byte)(StepLong | (step & (StepLong - 1)));
        buffer[at + 1] = (byte)(step >> 7);
        return at + 2;
    }

    private bool Has(int bit)
    {
        return (_form & bit) != 0;
    }
}
