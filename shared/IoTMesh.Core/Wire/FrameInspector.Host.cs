using System.Collections.Generic;
using System.Globalization;

namespace IoTMesh.Core;

/// <summary>One field of a decoded frame.</summary>
public sealed class FrameField
{
    public FrameField(string name, int offset, int length, string value)
    {
        Name = name;
        Offset = offset;
        Length = length;
        Value = value;
    }

    public string Name { get; }

    /// <summary>Offset and length in the frame, bytes.</summary>
    public int Offset { get; }

    public int Length { get; }

    public string Value { get; }
}

/// <summary>Explains a frame field by field, for people. Host only: it allocates.</summary>
public sealed partial class FrameInspector
{
    private static readonly string[] _types =
    [
        "data", "beacon", "ack", "probe", "probe reply", "request", "flood", "ack, mail waits", "poll", "busy", "join",
    ];
    private static readonly string[] _kinds =
    [
        "reading", "datagram", "confirmed datagram", "confirmation", "watermark", "hello", "batch of readings", "service",
    ];
    private static readonly string[] _classes = ["control", "real-time", "normal", "bulk"];
    private const int WantedMax = 8; // protocol.md 6.5
    private readonly List<FrameField> _fields = [];
    private readonly byte[] _frame;

    private FrameInspector(byte[] frame)
    {
        _frame = frame;
    }

    /// <summary>Why decoding stopped; null where the frame is well formed.</summary>
    public string Problem { get; private set; }

    public IReadOnlyList<FrameField> Fields => _fields;

    /// <summary>Decodes a whole link frame. Never throws for what the frame holds.</summary>
    /// <param name="networkKey">16 bytes to check the hop tag with, or null.</param>
    /// <param name="epoch">The key's epoch.</param>
    /// <param name="counterHigh">High half of the frame counter, which data frames leave out.</param>
    public static FrameInspector Decode(byte[] frame, byte[] networkKey = null, uint epoch = 0, ushort counterHigh = 0)
    {
        var inspector = new FrameInspector(frame);
        inspector.Walk(networkKey, epoch, counterHigh);
        return inspector;
    }

    private void Walk(byte[] networkKey, uint epoch, ushort counterHigh)
    {
        if (_frame.Length < FrameFormat.AckShortLength)
        {
            Problem = $"{_frame.Length} bytes are too few: the shortest frame has {FrameFormat.AckShortLength}";
            return;
        }

        byte kind = _frame[0];
        int type = FrameFormat.GetType(kind);
        Add("version", 0, 1, Text(FrameFormat.GetVersion(kind)));
        Add("type", 0, 1, type < _types.Length ? _types[type] : $"{type} (unknown)");
        if (FrameFormat.GetVersion(kind) != FrameFormat.Version || type > FrameFormat.TypeMax)
        {
            Problem = "unknown version or type: not an IoTMesh frame of this version";
            return;
        }

        if (FrameFormat.IsAck(type))
        {
            WalkAck(type);
            return;
        }

        if (type == FrameFormat.TypeJoin)
        {
            WalkJoin();
            return;
        }

        if (_frame.Length < FrameFormat.HeaderLength(type) + FrameFormat.TagLength)
        {
            Problem = $"{_frame.Length} bytes are too few for a frame of type {_types[type]}";
            return;
        }

        int at = WalkHeader(type);
        int end = _frame.Length - FrameFormat.TagLength;
        if (Problem == null)
        {
            WalkBody(type, at, end);
        }

        AddTag(end, networkKey, epoch, type == FrameFormat.TypeData ? counterHigh : Bytes.GetU16(_frame, FrameFormat.OffsetCounterHigh));
    }

    private void WalkAck(int type)
    {
        Add("epoch", 0, 1, Text(_frame[0] & 3));
        Add("acknowledged counter", FrameFormat.AckOffsetCounter, 1, $"{_frame[FrameFormat.AckOffsetCounter]} (low byte)");
        if (_frame.Length == FrameFormat.AckLongLength)
        {
            Add(type == FrameFormat.TypeBusy ? "taken over" : "bitmap of the 8 before", FrameFormat.AckOffsetBitmap, 1,
                "0b" + _frame[FrameFormat.AckOffsetBitmap].ToString("b8", CultureInfo.InvariantCulture));
        }
        else if (_frame.Length != FrameFormat.AckShortLength)
        {
            Problem = "an ack has 6 or 7 bytes";
        }

        AddTag(_frame.Length - FrameFormat.TagLength, null, 0, 0);
    }

    private int WalkHeader(int type)
    {
        if (type == FrameFormat.TypeData)
        {
            Add("class", 0, 1, _classes[_frame[0] & 3]);
        }

        byte network = _frame[FrameFormat.OffsetNetwork];
        Add("network hint", 1, 1, Text(network >> 5));
        Add("key epoch", 1, 1, Text((network >> 3) & 3));
        Add("flags", 1, 1, Flags(network));
        Add("link source", FrameFormat.OffsetSource, 2, Address(Bytes.GetU16(_frame, FrameFormat.OffsetSource)));
        Add("link destination", FrameFormat.OffsetDestination, 2, Address(Bytes.GetU16(_frame, FrameFormat.OffsetDestination)));
        bool wide = type != FrameFormat.TypeData;
        string counter = wide
            ? Bytes.GetU32(_frame, FrameFormat.OffsetCounter).ToString(CultureInfo.InvariantCulture)
            : $"{Bytes.GetU16(_frame, FrameFormat.OffsetCounter)} (low half)";
        Add("frame counter", FrameFormat.OffsetCounter, wide ? 4 : 2, counter);
        int at = WalkExtensions(FrameFormat.HeaderLength(type), network);
        if (Problem == null && (network & FrameFormat.FlagAck) != 0)
        {
            if (at + FrameFormat.RidingAckLength > _frame.Length - FrameFormat.TagLength)
            {
                Problem = "no room for the riding ack";
                return at;
            }

            Add("riding ack: counter", at, 2, Text(Bytes.GetU16(_frame, at)));
            Add("riding ack: bitmap", at + 2, 1, "0b" + _frame[at + 2].ToString("b8", CultureInfo.InvariantCulture));
            at += FrameFormat.RidingAckLength;
        }

        return at;
    }

    // protocol.md 3.4
    private int WalkExtensions(int at, byte network)
    {
        int end = _frame.Length - FrameFormat.TagLength;
        if ((network & FrameFormat.FlagExtension) == 0)
        {
            return at;
        }

        while (at < end && _frame[at] != 0)
        {
            if (at + 2 > end || at + 2 + _frame[at + 1] > end)
            {
                break;
            }

            int length = _frame[at + 1];
            bool waypoints = _frame[at] == FrameFormat.ExtensionWaypoints && (length & 1) == 0;
            Add(waypoints ? "waypoints" : "extension", at, 2 + length,
                waypoints ? Waypoints(at + 2, length) : $"type {_frame[at]}, {length} bytes");
            at += 2 + length;
        }

        if (at >= end || _frame[at] != 0)
        {
            Problem = "the extensions run into the hop tag";
        }

        return at + 1;
    }

    private string Waypoints(int at, int length)
    {
        var addresses = new string[length / 2];
        for (int i = 0; i < addresses.Length; i++)
        {
            addresses[i] = Address(Bytes.GetU16(_frame, at + (2 * i)));
        }

        return addresses.Length == 0 ? "none left" : string.Join(", ", addresses);
    }

    private static string Flags(byte network)
    {
        string flags = ((network & FrameFormat.FlagExtension) != 0 ? "extensions " : "")
            + ((network & FrameFormat.FlagAck) != 0 ? "ack rides " : "")
            + ((network & FrameFormat.FlagAckTwice) != 0 ? "acknowledge twice" : "");
        return flags.Length == 0 ? "none" : flags.TrimEnd();
    }

    private void WalkBody(int type, int at, int end)
    {
        switch (type)
        {
            case FrameFormat.TypeData when at < end:
                Add("sender's cost", at, 1, $"{_frame[at]} (x {1 << FrameFormat.CostShift} / 64 transmissions)");
                WalkMessages(WalkAge(at + 1, end), end);
                break;
            case FrameFormat.TypeFlood:
                at = WalkWanted(at, end);
                if (Problem == null)
                {
                    WalkMessages(at, end);
                }

                break;
            case FrameFormat.TypeBeacon:
                WalkBeacon(at, end);
                break;
            case FrameFormat.TypeProbe when end - at >= ProbeFormat.Length:
                WalkProbe(at, end);
                break;
            case FrameFormat.TypeProbeReply when end - at >= ProbeFormat.ReplyLength:
                Add("challenge", at, 4, Bytes.GetU32(_frame, at).ToString(CultureInfo.InvariantCulture));
                Add("boot number", at + ProbeFormat.ReplyOffsetBoot, 2, Text(Bytes.GetU16(_frame, at + ProbeFormat.ReplyOffsetBoot)));
                break;
            case FrameFormat.TypePoll when end - at >= PollFormat.Length:
                WalkPoll(at);
                break;
            case FrameFormat.TypeRequest when (end - at) % RequestFormat.EntryLength == 0:
                WalkRequests(at, end);
                break;
            default:
                Problem = "the body is too short for its type";
                break;
        }
    }

    // protocol.md 3.5
    private int WalkAge(int at, int end)
    {
        if ((_frame[0] & 3) != (int)MeshClass.RealTime || at >= end)
        {
            return at;
        }

        string copy = (_frame[at] & FrameFormat.AgeFlagCopy) != 0 ? ", second copy" : "";
        Add("age", at, 1, $"{(_frame[at] & FrameFormat.AgeMask) * FrameFormat.AgeUnitMs} ms{copy}");
        return at + 1;
    }

    private int WalkWanted(int at, int end)
    {
        if ((_frame[0] & FrameFormat.FloodWantsAck) == 0)
        {
            return at;
        }

        if (at >= end || _frame[at] > WantedMax || at + 1 + (_frame[at] * 2) > end)
        {
            Problem = "the list of wanted acks is longer than can be";
            return at;
        }

        for (int left = _frame[at++]; left > 0; left--, at += 2)
        {
            Add("wants an ack of", at, 2, Address(Bytes.GetU16(_frame, at)));
        }

        return at;
    }

    private void WalkRequests(int at, int end)
    {
        for (; at < end; at += RequestFormat.EntryLength)
        {
            ushort destination = Bytes.GetU16(_frame, at);
            ushort seqNo = Bytes.GetU16(_frame, at + RequestFormat.OffsetSeqNo);
            byte hopLimit = _frame[at + RequestFormat.OffsetHopLimit];
            string what = destination == MeshAddress.None
                ? "the whole table"
                : $"seqno {seqNo} of {destination}, hop limit {hopLimit}";
            Add("asks for", at, RequestFormat.EntryLength, what);
        }
    }

    private void WalkMessages(int at, int end)
    {
        var header = new MessageHeader();
        ushort source = Bytes.GetU16(_frame, FrameFormat.OffsetSource);
        while (at < end)
        {
            ParseError error = header.Parse(_frame, at, end, source);
            if (error != ParseError.None)
            {
                Problem = $"message at offset {at}: {error}";
                return;
            }

            int length = header.BodyOffset - at;
            Add("message", at, length, _kinds[header.Kind]);
            Add("  hop limit", at + 1, 1, Text(header.HopLimit));
            Add("  origin", at, length, Address(header.Origin));
            Add("  destination", at, length, Address(header.Destination));
            if (header.Via != MeshAddress.None)
            {
                Add("  via gateway", at, length, Address(header.Via));
            }

            string counter = header.Counter.ToString(CultureInfo.InvariantCulture);
            Add("  message counter", at, length, header.IsWide ? $"{counter}, boot {header.Boot}" : $"{counter} (low half)");
            Add("  ciphertext", header.BodyOffset, header.BodyLength - MessageHeader.TagLength,
                Hex(header.BodyOffset, header.BodyLength - MessageHeader.TagLength));
            int tag = header.BodyOffset + header.BodyLength - MessageHeader.TagLength;
            Add("  end-to-end tag", tag, MessageHeader.TagLength, Hex(tag, MessageHeader.TagLength));
            at = header.BodyOffset + header.BodyLength;
        }
    }

    private void AddTag(int offset, byte[] networkKey, uint epoch, ushort counterHigh)
    {
        string verdict = "";
        if (networkKey != null)
        {
            var hop = new HopAuthenticator(new PlatformCrypto(), networkKey, epoch, _frame.Length);
            verdict = hop.Check(_frame, 0, offset, (uint)counterHigh << 16) ? " (right)" : WrongTag(counterHigh);
        }

        Add("hop tag", offset, FrameFormat.TagLength, Hex(offset, FrameFormat.TagLength) + verdict);
    }

    private string WrongTag(ushort counterHigh)
    {
        bool narrow = FrameFormat.GetType(_frame[0]) == FrameFormat.TypeData;
        return narrow ? $" (WRONG for that key and counter high half {counterHigh})" : " (WRONG for that key)";
    }

    private void Add(string name, int offset, int length, string value)
    {
        _fields.Add(new FrameField(name, offset, length, value));
    }

    private string Hex(int offset, int length)
    {
        return System.Convert.ToHexString(_frame, offset, length).ToLowerInvariant();
    }

    private static string Text(int value)
    {
        return value.ToString(CultureInfo.InvariantCulture);
    }

    private static string Address(ushort address)
    {
        return address switch
        {
            MeshAddress.All => "all",
            MeshAddress.AnyGateway => "any gateway",
            MeshAddress.None => "none",
            _ => Text(address),
        };
    }
}
