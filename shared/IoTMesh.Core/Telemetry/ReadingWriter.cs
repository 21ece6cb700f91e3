namespace IoTMesh.Core;

/// <summary>
/// Writes a reading, a list of (object id, little-endian scaled value), into a caller's buffer. No allocation. Each Add writes
/// its object whole or not at all. protocol.md 10.
/// </summary>
public sealed class ReadingWriter
{
    internal const int GenericHeaderLength = 3;
    internal const byte GenericSigned = 0x04;
    internal const int GenericDecimalsShift = 3;
    internal const byte GenericReserved = 0xC0;

    private byte[] _buffer;
    private int _start;
    private int _at;
    private int _limit;

    /// <summary>Bytes written since <see cref="Reset"/>.</summary>
    public int Length => _at - _start;

    /// <summary>Starts a reading in <c>buffer[offset..offset+capacity)</c>.</summary>
    public void Reset(byte[] buffer, int offset, int capacity)
    {
        _buffer = buffer;
        _start = offset;
        _at = offset;
        _limit = offset + capacity;
    }

    /// <summary>Adds an object of fixed length.</summary>
    /// <param name="objectId">An id of <see cref="BthomeTable"/>.</param>
    /// <param name="scaledValue">The value in steps of the id's factor: 21.53 degrees as 2153 for temperature (0.01).</param>
    /// <returns>False, and nothing written, when it does not fit, the id is not known or the value is outside the id's range.</returns>
    public bool Add(byte objectId, long scaledValue)
    {
        int length = BthomeTable.LengthOf(objectId);
        if (length == 0 || length == BthomeTable.VariableLength || _at + 1 + length > _limit)
        {
            return false;
        }

        if (!TelemetryBytes.Fits(scaledValue, length, BthomeTable.IsSigned(objectId)))
        {
            return false;
        }

        _buffer[_at] = objectId;
        TelemetryBytes.PutInteger(_buffer, _at + 1, length, scaledValue);
        _at += 1 + length;
        return true;
    }

    /// <summary>Adds a number that BTHome has no id for, in as few bytes as it needs.</summary>
    /// <param name="channel">A <see cref="ReadingChannel"/>, or 128 to 255.</param>
    /// <param name="decimals">Decimal places of the value, 0 to 7: 1.25 is 125 with 2.</param>
    public bool AddGeneric(byte channel, int decimals, long value)
    {
        bool isSigned = value < 0;
        int code = 0;
        while (code < 3 && !TelemetryBytes.Fits(value, 1 << code, isSigned))
        {
            code++;
        }

        int length = 1 << code;
        if (decimals < 0 || decimals > 7 || _at + GenericHeaderLength + length > _limit)
        {
            return false;
        }

        _buffer[_at] = BthomeTable.Generic;
        _buffer[_at + 1] = channel;
        _buffer[_at + 2] = (byte)(code | (isSigned ? GenericSigned : 0) | (decimals << GenericDecimalsShift));
        TelemetryBytes.PutInteger(_buffer, _at + GenericHeaderLength, length, value);
        _at += GenericHeaderLength + length;
        return true;
    }

    /// <summary>Adds a text of at most 255 bytes in UTF-8.</summary>
    public bool AddText(string text)
    {
        int end = TelemetryBytes.PutText(_buffer, _at + 1, _limit, text, byte.MaxValue);
        if (end < 0)
        {
            return false;
        }

        _buffer[_at] = BthomeTable.Text;
        _at = end;
        return true;
    }

    /// <summary>Adds raw bytes, at most 255.</summary>
    public bool AddRaw(byte[] data, int offset, int count)
    {
        if (count < 0 || count > byte.MaxValue || _at + 2 + count > _limit)
        {
            return false;
        }

        _buffer[_at] = BthomeTable.Raw;
        _buffer[_at + 1] = (byte)count;
        System.Array.Copy(data, offset, _buffer, _at + 2, count);
        _at += 2 + count;
        return true;
    }
}
