namespace IoTMesh.Core;

/// <summary>What a message is. protocol.md 4.1.</summary>
public static class MessageKind
{
    public const byte Reading = 0;
    public const byte Datagram = 1;
    public const byte Confirmed = 2;
    public const byte Confirm = 3;
    public const byte Watermark = 4;
    public const byte Hello = 5;

    /// <summary>A batch of readings.</summary>
    public const byte Batch = 6;

    /// <summary>A service of the mesh itself; the first byte of the plaintext is a <see cref="ServiceKind"/>.</summary>
    public const byte Service = 7;
    public const byte Max = Service;
}

/// <summary>
/// Header of one message within a data frame, as a plain value with parse and emit. Fields that equal what the frame says
/// already are left out on air. protocol.md 4.1.
/// </summary>
public sealed class MessageHeader
{
    private const int BitLength = 1;
    private const int BitVia = 2;
    private const int BitDestination = 4;
    private const int BitOrigin = 8;
    private const int BitWide = 16;
    private const int KindShift = 5;

    /// <summary>Longest header: control, hop limit, three addresses, counter and boot, length.</summary>
    public const int MaxLength = 15;

    /// <summary>End-to-end tag behind the ciphertext.</summary>
    public const int TagLength = 8;

    public byte Kind;
    public byte HopLimit;
    public ushort Origin;
    public ushort Destination;

    /// <summary>Gateway chosen by the origin where it knows several; None otherwise.</summary>
    public ushort Via;

    /// <summary>True where the whole counter and the origin's boot number are on air.</summary>
    public bool IsWide;

    /// <summary>The whole counter, or its low half.</summary>
    public uint Counter;
    public ushort Boot;

    /// <summary>Offset of the ciphertext in the parsed buffer.</summary>
    public int BodyOffset;

    /// <summary>Length of ciphertext and tag.</summary>
    public int BodyLength;

    /// <summary>Parses the message at <paramref name="offset"/>; it must end at or before <paramref name="end"/>.</summary>
    /// <param name="linkSource">Origin where the header leaves it out.</param>
    public ParseError Parse(byte[] buffer, int offset, int end, ushort linkSource)
    {
        if (end - offset < 2)
        {
            return ParseError.TooShort;
        }

        int control = buffer[offset];
        int at = offset + 2;
        int need = (IsSet(control, BitOrigin) ? 2 : 0) + (IsSet(control, BitDestination) ? 2 : 0)
            + (IsSet(control, BitVia) ? 2 : 0) + (IsSet(control, BitWide) ? 6 : 2) + (IsSet(control, BitLength) ? 1 : 0);
        if (end - at < need)
        {
            return ParseError.TooShort;
        }

        Kind = (byte)(control >> KindShift);
        HopLimit = buffer[offset + 1];
        Origin = linkSource;
        Destination = MeshAddress.AnyGateway;
        Via = MeshAddress.None;
        at = ParseAddresses(buffer, at, control);
        at = ParseCounter(buffer, at, control);
        int length = end - at;
        if (IsSet(control, BitLength))
        {
            length = buffer[at];
            at++;
        }

        if (length < TagLength || length > end - at)
        {
            return ParseError.BadLength;
        }

        BodyOffset = at;
        BodyLength = length;
        bool valid = Kind <= MessageKind.Max && HopLimit != 0 && MeshAddress.IsUnicast(Origin)
            && (MeshAddress.IsUnicast(Destination) || Destination >= MeshAddress.AnyGateway);
        return valid ? ParseError.None : ParseError.BadAddress;
    }

    private int ParseAddresses(byte[] buffer, int at, int control)
    {
        if (IsSet(control, BitOrigin))
        {
            Origin = Bytes.GetU16(buffer, at);
            at += 2;
        }

        if (IsSet(control, BitDestination))
        {
            Destination = Bytes.GetU16(buffer, at);
            at += 2;
        }

        if (IsSet(control, BitVia))
        {
            Via = Bytes.GetU16(buffer, at);
            at += 2;
        }

        return at;
    }

    private int ParseCounter(byte[] buffer, int at, int control)
    {
        IsWide = IsSet(control, BitWide);
        if (IsWide)
        {
            Counter = Bytes.GetU32(buffer, at);
            Boot = Bytes.GetU16(buffer, at + 4);
            return at + 6;
        }

        Counter = Bytes.GetU16(buffer, at);
        Boot = 0;
        return at + 2;
    }

    /// <summary>Writes the header; the body follows at the returned offset.</summary>
    /// <param name="linkSource">Left out as origin where it is the same.</param>
    /// <param name="withLength">False only for a frame's last message.</param>
    public int Emit(byte[] buffer, int offset, ushort linkSource, bool withLength)
    {
        int control = (Kind << KindShift) | (withLength ? BitLength : 0) | (IsWide ? BitWide : 0);
        int at = offset + 2;
        if (Origin != linkSource)
        {
            control |= BitOrigin;
            Bytes.PutU16(buffer, at, Origin);
            at += 2;
        }

        if (Destination != MeshAddress.AnyGateway)
        {
            control |= BitDestination;
            Bytes.PutU16(buffer, at, Destination);
            at += 2;
        }

        if (Via != MeshAddress.None)
        {
            control |= BitVia;
            Bytes.PutU16(buffer, at, Via);
            at += 2;
        }

        Bytes.PutU16(buffer, at, (ushort)Counter);
        at += 2;
        if (IsWide)
        {
            Bytes.PutU16(buffer, at, (ushort)(Counter >> 16));
            Bytes.PutU16(buffer, at + 2, Boot);
            at += 4;
        }

        if (withLength)
        {
            buffer[at] = (byte)BodyLength;
            at++;
        }

        buffer[offset] = (byte)control;
        buffer[offset + 1] = HopLimit;
        return at;
    }

    /// <summary>Bytes that Emit will write.</summary>
    public int EmitLength(ushort linkSource, bool withLength)
    {
        return 2 + (Origin != linkSource ? 2 : 0) + (Destination != MeshAddress.AnyGateway ? 2 : 0)
            + (Via != MeshAddress.None ? 2 : 0) + (IsWide ? 6 : 2) + (withLength ? 1 : 0);
    }

    private static bool IsSet(int control, int bit)
    {
        return (control & bit) != 0;
    }
}
