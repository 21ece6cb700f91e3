namespace IoTMesh.Core;

/// <summary>
/// Walks through the objects of a reading. Never throws for what the bytes say: <see cref="Next"/> ends with false and
/// <see cref="Error"/> tells why. No allocation but in <see cref="GetText"/>. protocol.md 10.
/// </summary>
public sealed class ReadingReader
{
    private static readonly double[] _powers = { 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000 };

    private byte[] _buffer;
    private int _at;
    private int _limit;

    /// <summary>None at the regular end; BadType for an unknown object id, TooShort for a cut-off value, Malformed for the rest.</summary>
    public ParseError Error { get; private set; }

    /// <summary>Id of the current object, see <see cref="BthomeTable"/>.</summary>
    public byte ObjectId { get; private set; }

    /// <summary>Channel of a generic object, else 0.</summary>
    public byte Channel { get; private set; }

    /// <summary>The number as it was sent, in steps of its factor; 0 for text and raw bytes.</summary>
    public long RawValue { get; private set; }

    /// <summary>Decimal places of the number.</summary>
    public int Decimals { get; private set; }

    public bool IsGeneric => ObjectId == BthomeTable.Generic;

    public bool IsText => ObjectId == BthomeTable.Text;

    public bool IsRaw => ObjectId == BthomeTable.Raw;

    /// <summary>Text and raw bytes: where the content begins in the buffer.</summary>
    public int DataOffset { get; private set; }

    /// <summary>Text and raw bytes: length of the content.</summary>
    public int DataLength { get; private set; }

    /// <summary>The number in its unit. Correctly rounded, so that it prints as it was measured.</summary>
    public double Value => RawValue * BthomeTable.MultiplierOf(ObjectId) / _powers[Decimals];

    public void Reset(byte[] buffer, int offset, int count)
    {
        _buffer = buffer;
        _at = offset;
        _limit = offset + count;
        ObjectId = 0;
        Clear();
        Error = ParseError.None;
    }

    /// <summary>Moves to the next object; false at the end or at an error.</summary>
    public bool Next()
    {
        if (_at >= _limit || Error != ParseError.None)
        {
            return false;
        }

        Clear();
        ObjectId = _buffer[_at];
        int length = BthomeTable.LengthOf(ObjectId);
        if (ObjectId == BthomeTable.Generic)
        {
            return NextGeneric();
        }

        if (length == 0)
        {
            return Fail(ParseError.BadType);
        }

        if (length == BthomeTable.VariableLength)
        {
            return NextVariable();
        }

        if (_at + 1 + length > _limit)
        {
            return Fail(ParseError.TooShort);
        }

        RawValue = TelemetryBytes.GetInteger(_buffer, _at + 1, length, BthomeTable.IsSigned(ObjectId));
        Decimals = BthomeTable.DecimalsOf(ObjectId);
        _at += 1 + length;
        return true;
    }

    /// <summary>The text of a text object. Allocates.</summary>
    public string GetText()
    {
        return IsText && DataLength > 0 ? TelemetryBytes.GetText(_buffer, DataOffset - 1) : "";
    }

    private bool NextGeneric()
    {
        if (_at + ReadingWriter.GenericHeaderLength > _limit)
        {
            return Fail(ParseError.TooShort);
        }

        byte type = _buffer[_at + 2];
        if ((type & ReadingWriter.GenericReserved) != 0)
        {
            return Fail(ParseError.Malformed);
        }

        int length = 1 << (type & 3);
        int end = _at + ReadingWriter.GenericHeaderLength + length;
        if (end > _limit)
        {
            return Fail(ParseError.TooShort);
        }

        long value = TelemetryBytes.GetInteger(_buffer, end - length, length, (type & ReadingWriter.GenericSigned) != 0);
        if (value < 0 && (type & ReadingWriter.GenericSigned) == 0)
        {
            return Fail(ParseError.Malformed);
        }

        Channel = _buffer[_at + 1];
        RawValue = value;
        Decimals = type >> ReadingWriter.GenericDecimalsShift;
        _at = end;
        return true;
    }

    private bool NextVariable()
    {
        if (_at + 2 > _limit || _at + 2 + _buffer[_at + 1] > _limit)
        {
            return Fail(ParseError.TooShort);
        }

        int length = _buffer[_at + 1];
        if (ObjectId == BthomeTable.Text && !TelemetryBytes.IsUtf8(_buffer, _at + 2, length))
        {
            return Fail(ParseError.Malformed);
        }

        DataOffset = _at + 2;
        DataLength = length;
        _at += 2 + length;
        return true;
    }

    private bool Fail(ParseError error)
    {
        Error = error;
        return false;
    }

    private void Clear()
    {
        Channel = 0;
        RawValue = 0;
        Decimals = 0;
        DataOffset = 0;
        DataLength = 0;
    }
}
