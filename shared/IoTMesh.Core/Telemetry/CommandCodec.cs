namespace IoTMesh.Core;

/// <summary>What a request asks of a node.</summary>
public enum CommandOp : byte
{
    None = 0,

    /// <summary>Change the setting <c>Key</c> to the value.</summary>
    Set = 1,

    /// <summary>Tell the value of <c>Key</c>.</summary>
    Get = 2,

    /// <summary>Answer with the value that came.</summary>
    Ping = 3,

    /// <summary>Make the board noticeable to a person beside it for some seconds.</summary>
    Identify = 4,

    /// <summary>Answer, then restart.</summary>
    Reboot = 5,

    /// <summary>Answer, then send the node info and a link report.</summary>
    Describe = 6,
}

/// <summary>How a request ended.</summary>
public enum CommandStatus : byte
{
    Ok = 0,
    UnknownKey = 1,
    BadValue = 2,
    ReadOnly = 3,
    Unsupported = 4,
    Failed = 5,

    /// <summary>The node takes commands from gateways only.</summary>
    Denied = 6,
}

/// <summary>Type of the value in a request or response.</summary>
public enum CommandValueType : byte
{
    None = 0,
    Bool = 1,

    /// <summary>64 bits, signed.</summary>
    Integer = 2,
    Text = 3,
}

/// <summary>A request (port 1) or its response (port 2) as plain fields. Reuse it: encoding allocates nothing.</summary>
public sealed class CommandMessage
{
    /// <summary>Chosen by who asks; the response repeats it.</summary>
    public ushort Id;

    /// <summary>Requests only.</summary>
    public CommandOp Op;

    /// <summary>Responses only.</summary>
    public CommandStatus Status;

    /// <summary>At most <see cref="CommandCodec.MaxKeyLength"/> bytes of UTF-8; empty where the operation needs none.</summary>
    public string Key = "";

    public CommandValueType ValueType;

    /// <summary>Bool (0 or 1) and Integer.</summary>
    public long Integer;

    /// <summary>Text: at most <see cref="CommandCodec.MaxTextLength"/> bytes of UTF-8.</summary>
    public string Text = "";

    public bool Bool => Integer != 0;

    public void SetNone()
    {
        ValueType = CommandValueType.None;
        Integer = 0;
        Text = "";
    }

    public void SetBool(bool value)
    {
        SetNone();
        ValueType = CommandValueType.Bool;
        Integer = value ? 1 : 0;
    }

    public void SetInteger(long value)
    {
        SetNone();
        ValueType = CommandValueType.Integer;
        Integer = value;
    }

    public void SetText(string value)
    {
        SetNone();
        ValueType = CommandValueType.Text;
        Text = value;
    }
}

/// <summary>
/// Requests and responses on air: id u16, op or status u8, value type u8, key (length u8 + UTF-8), value (bool u8, integer 8 bytes
/// little-endian, text length u8 + UTF-8). protocol.md 10.
/// </summary>
public static class CommandCodec
{
    /// <summary>Longest key, bytes.</summary>
    public const int MaxKeyLength = 32;

    /// <summary>Longest text value, bytes.</summary>
    public const int MaxTextLength = 64;

    /// <summary>Longest request or response, bytes.</summary>
    public const int MaxLength = KeyOffset + 1 + MaxKeyLength + 1 + MaxTextLength;

    private const int IdOffset = 0;
    private const int CodeOffset = 2;
    private const int TypeOffset = 3;
    private const int KeyOffset = 4;
    private const int IntegerLength = 8;

    /// <summary>Writes a request; its length, or 0 where key or text is too long or the buffer too short.</summary>
    public static int EncodeRequest(CommandMessage message, byte[] buffer, int offset, int capacity)
    {
        return Encode(message, (byte)message.Op, buffer, offset, capacity);
    }

    /// <summary>Writes a response; its length, or 0 where key or text is too long or the buffer too short.</summary>
    public static int EncodeResponse(CommandMessage message, byte[] buffer, int offset, int capacity)
    {
        return Encode(message, (byte)message.Status, buffer, offset, capacity);
    }

    /// <summary>Reads a request. An operation that is not known is no error: the node answers Unsupported.</summary>
    public static ParseError DecodeRequest(byte[] buffer, int offset, int count, CommandMessage message)
    {
        ParseError error = Decode(buffer, offset, count, message);
        if (error == ParseError.None)
        {
            message.Op = (CommandOp)buffer[offset + CodeOffset];
            message.Status = CommandStatus.Ok;
        }

        return error;
    }

    public static ParseError DecodeResponse(byte[] buffer, int offset, int count, CommandMessage message)
    {
        ParseError error = Decode(buffer, offset, count, message);
        if (error == ParseError.None)
        {
            message.Op = CommandOp.None;
            message.Status = (CommandStatus)buffer[offset + CodeOffset];
        }

        return error;
    }

    private static int Encode(CommandMessage message, byte code, byte[] buffer, int offset, int capacity)
    {
        int limit = offset + capacity;
        if (capacity < KeyOffset + 1)
        {
            return 0;
        }

        Bytes.PutU16(buffer, offset + IdOffset, message.Id);
        buffer[offset + CodeOffset] = code;
        buffer[offset + TypeOffset] = (byte)message.ValueType;
        int at = TelemetryBytes.PutText(buffer, offset + KeyOffset, limit, message.Key, MaxKeyLength);
        if (at < 0)
        {
            return 0;
        }

        switch (message.ValueType)
        {
            case CommandValueType.None:
                break;
            case CommandValueType.Bool:
                at = PutInteger(buffer, at, limit, 1, message.Integer);
                break;
            case CommandValueType.Integer:
                at = PutInteger(buffer, at, limit, IntegerLength, message.Integer);
                break;
            case CommandValueType.Text:
                at = TelemetryBytes.PutText(buffer, at, limit, message.Text, MaxTextLength);
                break;
            default:
                return 0;
        }

        return at < 0 ? 0 : at - offset;
    }

    private static int PutInteger(byte[] buffer, int at, int limit, int length, long value)
    {
        if (at + length > limit)
        {
            return -1;
        }

        TelemetryBytes.PutInteger(buffer, at, length, value);
        return at + length;
    }

    private static ParseError Decode(byte[] buffer, int offset, int count, CommandMessage message)
    {
        int limit = offset + count;
        if (count < KeyOffset + 1)
        {
            return ParseError.TooShort;
        }

        int valueAt = TelemetryBytes.CheckText(buffer, offset + KeyOffset, limit, MaxKeyLength);
        if (valueAt < 0)
        {
            return ParseError.Malformed;
        }

        CommandValueType type = (CommandValueType)buffer[offset + TypeOffset];
        int end = EndOfValue(buffer, valueAt, limit, type);
        if (end < 0)
        {
            return ParseError.Malformed;
        }

        if (end != limit)
        {
            return ParseError.BadLength;
        }

        message.Id = Bytes.GetU16(buffer, offset + IdOffset);
        message.Key = TelemetryBytes.GetText(buffer, offset + KeyOffset);
        message.SetNone();
        message.ValueType = type;
        if (type == CommandValueType.Text)
        {
            message.Text = TelemetryBytes.GetText(buffer, valueAt);
        }
        else
        {
            message.Integer = TelemetryBytes.GetInteger(buffer, valueAt, end - valueAt, true);
        }

        return ParseError.None;
    }

    private static int EndOfValue(byte[] buffer, int at, int limit, CommandValueType type)
    {
        switch (type)
        {
            case CommandValueType.None:
                return at;
            case CommandValueType.Bool:
                return at < limit && buffer[at] <= 1 ? at + 1 : -1;
            case CommandValueType.Integer:
                return at + IntegerLength <= limit ? at + IntegerLength : -1;
            case CommandValueType.Text:
                return TelemetryBytes.CheckText(buffer, at, limit, MaxTextLength);
            default:
                return -1;
        }
    }
}
