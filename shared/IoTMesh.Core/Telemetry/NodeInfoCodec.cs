namespace IoTMesh.Core;

/// <summary>What a node tells about itself (port 4). Sized once, reused.</summary>
public sealed class NodeInfo
{
    /// <summary>64-bit id that names the device in topics and storage.</summary>
    public ulong DeviceId;

    /// <summary>Number of this boot.</summary>
    public ushort Boot;

    /// <summary>Given by the owner, at most <see cref="NodeInfoCodec.MaxNameLength"/> bytes of UTF-8.</summary>
    public string Name = "";

    /// <summary>Hardware or host, at most <see cref="NodeInfoCodec.MaxNameLength"/> bytes of UTF-8.</summary>
    public string Model = "";

    /// <summary>Firmware version, at most <see cref="NodeInfoCodec.MaxVersionLength"/> bytes of UTF-8.</summary>
    public string Version = "";

    /// <summary>Keys for set and get, from index 0 to <see cref="KeyCount"/>.</summary>
    public readonly string[] Keys = new string[NodeInfoCodec.MaxKeys];

    public readonly CommandValueType[] KeyTypes = new CommandValueType[NodeInfoCodec.MaxKeys];

    public readonly bool[] KeyWritable = new bool[NodeInfoCodec.MaxKeys];

    public int KeyCount;

    public void ClearKeys()
    {
        KeyCount = 0;
    }

    /// <summary>Adds a key; false when there are too many.</summary>
    public bool AddKey(string key, CommandValueType type, bool isWritable)
    {
        if (KeyCount >= NodeInfoCodec.MaxKeys)
        {
            return false;
        }

        Keys[KeyCount] = key;
        KeyTypes[KeyCount] = type;
        KeyWritable[KeyCount] = isWritable;
        KeyCount++;
        return true;
    }
}

/// <summary>
/// Node info on air: device id u64, boot u16, then name, model, version (length u8 + UTF-8 each), key count u8, and a key as
/// flags u8 (bits 0 to 2 value type, bit 3 writable) and name (length u8 + UTF-8). protocol.md 10.
/// </summary>
public static class NodeInfoCodec
{
    public const int MaxNameLength = 32;

    public const int MaxVersionLength = 16;

    /// <summary>Most keys a node announces.</summary>
    public const int MaxKeys = 12;

    private const int DeviceIdOffset = 0;
    private const int DeviceIdLength = 8;
    private const int BootOffset = 8;
    private const int NameOffset = 10;
    private const byte TypeMask = 0x07;
    private const byte Writable = 0x08;
    private const byte Reserved = 0xF0;

    /// <summary>Writes the info; its length, or 0 where a text is too long or it does not fit.</summary>
    public static int Encode(NodeInfo info, byte[] buffer, int offset, int capacity)
    {
        int limit = offset + capacity;
        if (capacity < NameOffset)
        {
            return 0;
        }

        TelemetryBytes.PutInteger(buffer, offset + DeviceIdOffset, DeviceIdLength, (long)info.DeviceId);
        Bytes.PutU16(buffer, offset + BootOffset, info.Boot);
        int at = TelemetryBytes.PutText(buffer, offset + NameOffset, limit, info.Name, MaxNameLength);
        at = TelemetryBytes.PutText(buffer, at, limit, info.Model, MaxNameLength);
        at = TelemetryBytes.PutText(buffer, at, limit, info.Version, MaxVersionLength);
        if (at < 0 || at >= limit)
        {
            return 0;
        }

        buffer[at++] = (byte)info.KeyCount;
        for (int i = 0; i < info.KeyCount; i++)
        {
            if (at >= limit)
            {
                return 0;
            }

            buffer[at] = (byte)((byte)info.KeyTypes[i] | (info.KeyWritable[i] ? Writable : 0));
            at = TelemetryBytes.PutText(buffer, at + 1, limit, info.Keys[i], CommandCodec.MaxKeyLength);
            if (at < 0)
            {
                return 0;
            }
        }

        return at - offset;
    }

    /// <summary>Reads the info; changes nothing where the bytes are not valid. Allocates the texts.</summary>
    public static ParseError Decode(byte[] buffer, int offset, int count, NodeInfo info)
    {
        int limit = offset + count;
        if (count < NameOffset)
        {
            return ParseError.TooShort;
        }

        int modelAt = TelemetryBytes.CheckText(buffer, offset + NameOffset, limit, MaxNameLength);
        int versionAt = TelemetryBytes.CheckText(buffer, modelAt, limit, MaxNameLength);
        int keysAt = TelemetryBytes.CheckText(buffer, versionAt, limit, MaxVersionLength);
        ParseError error = CheckKeys(buffer, keysAt, limit);
        if (error != ParseError.None)
        {
            return error;
        }

        info.DeviceId = (ulong)TelemetryBytes.GetInteger(buffer, offset + DeviceIdOffset, DeviceIdLength, false);
        info.Boot = Bytes.GetU16(buffer, offset + BootOffset);
        info.Name = TelemetryBytes.GetText(buffer, offset + NameOffset);
        info.Model = TelemetryBytes.GetText(buffer, modelAt);
        info.Version = TelemetryBytes.GetText(buffer, versionAt);
        info.ClearKeys();
        int at = keysAt + 1;
        for (int i = 0; i < buffer[keysAt]; i++)
        {
            CommandValueType type = (CommandValueType)(buffer[at] & TypeMask);
            info.AddKey(TelemetryBytes.GetText(buffer, at + 1), type, (buffer[at] & Writable) != 0);
            at += 2 + buffer[at + 1];
        }

        return ParseError.None;
    }

    private static ParseError CheckKeys(byte[] buffer, int at, int limit)
    {
        if (at < 0 || at >= limit)
        {
            return ParseError.Malformed;
        }

        int keys = buffer[at++];
        if (keys > MaxKeys)
        {
            return ParseError.TableFull;
        }

        for (int i = 0; i < keys; i++)
        {
            if (at >= limit || (buffer[at] & Reserved) != 0 || (buffer[at] & TypeMask) > (byte)CommandValueType.Text)
            {
                return ParseError.Malformed;
            }

            at = TelemetryBytes.CheckText(buffer, at + 1, limit, CommandCodec.MaxKeyLength);
            if (at < 0)
            {
                return ParseError.Malformed;
            }
        }

        return at == limit ? ParseError.None : ParseError.BadLength;
    }
}
