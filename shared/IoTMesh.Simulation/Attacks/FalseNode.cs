using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>
/// A node that is made up, or a stolen one without its own program: it answers challenges, announces what its maker wants, and acknowledges
/// whatever it is handed.
/// </summary>
internal sealed class FalseNode(AttackerPort port, ushort address, uint counter)
{
    private const int FrameLength = 250;
    private readonly byte[] _frame = new byte[FrameLength];
    private readonly Dictionary<ushort, uint> _counterOf = [];
    private uint _counter = counter;
    private ushort _version;
    private byte _beacon;

    internal ushort Address { get; } = address;

    /// <summary>Frames that it was handed and acknowledged.</summary>
    internal long Taken { get; private set; }

    /// <summary>Answers what a node must answer to be taken for one.</summary>
    internal void Hears(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < FrameFormat.NarrowLength + FrameFormat.TagLength)
        {
            return;
        }

        int type = FrameFormat.GetType(frame[0]);
        ushort from = U16(frame, FrameFormat.OffsetSource);
        bool isForMe = U16(frame, FrameFormat.OffsetDestination) == Address;
        if (type == FrameFormat.TypeData && isForMe)
        {
            uint high = _counterOf.GetValueOrDefault(from);
            uint counter = (uint)(high + (short)(U16(frame, FrameFormat.OffsetCounter) - (ushort)high));
            port.Send(port.Forger.Ack(Address, from, counter));
            Taken++;
        }
        else if (type is FrameFormat.TypeBeacon or FrameFormat.TypeProbe && frame.Length > FrameFormat.WideLength)
        {
            uint counter = U16(frame, FrameFormat.OffsetCounter) | ((uint)U16(frame, FrameFormat.OffsetCounterHigh) << 16);
            _counterOf[from] = counter;
            bool isRefusal = frame.Length == FrameFormat.WideLength + ProbeFormat.RefusalLength + FrameFormat.TagLength;
            if (type == FrameFormat.TypeProbe && isForMe && !isRefusal)
            {
                Bytes.PutU32(_frame, FrameFormat.WideLength, counter);
                Bytes.PutU16(_frame, FrameFormat.WideLength + ProbeFormat.ReplyOffsetBoot, 1);
                Send(FrameFormat.TypeProbeReply, 0, from, ProbeFormat.ReplyLength);
            }
        }
    }

    /// <summary>Announces a whole table of these destinations at metric 0.</summary>
    internal void Announce(IReadOnlyCollection<(ushort Destination, ushort SeqNo, bool IsGateway)> rows)
    {
        int body = FrameFormat.WideLength;
        Array.Clear(_frame, body, BeaconFormat.FixedLength);
        Bytes.PutU16(_frame, body + BeaconFormat.OffsetBoot, 1);
        Bytes.PutU16(_frame, body + BeaconFormat.OffsetVersion, ++_version);
        _frame[body + BeaconFormat.OffsetSince] = BeaconFormat.SinceFull;
        _frame[body + BeaconFormat.OffsetPart] = 1;
        Bytes.PutU16(_frame, body + BeaconFormat.OffsetSeqNo, 1);
        _frame[body + BeaconFormat.OffsetBeaconNumber] = ++_beacon;
        int at = body + BeaconFormat.FixedLength;
        foreach ((ushort destination, ushort seqNo, bool isGateway) in rows)
        {
            Bytes.PutU16(_frame, at, destination);
            Bytes.PutU16(_frame, at + BeaconFormat.EntryOffsetSeqNo, seqNo);
            Bytes.PutU16(_frame, at + BeaconFormat.EntryOffsetMetric, (ushort)(isGateway ? BeaconFormat.EntryGatewayBit : 0));
            at += BeaconFormat.EntryLength;
        }

        Send(FrameFormat.TypeBeacon, 0, MeshAddress.All, at - body);
    }

    /// <summary>Hands somebody a message of a made-up origin, or floods one.</summary>
    internal void SendMessage(ushort to, MessageHeader header, int bodyLength)
    {
        bool isFlood = to == MeshAddress.All;
        int start = isFlood ? FrameFormat.WideLength : FrameFormat.NarrowLength + 1;
        _frame[FrameFormat.NarrowLength] = 0xFF;
        header.BodyLength = bodyLength;
        int at = header.Emit(_frame, start, Address, withLength: false);
        port.Random.Fill(_frame.AsSpan(at, bodyLength));
        int header0 = isFlood ? FrameFormat.WideLength : FrameFormat.NarrowLength;
        Send(isFlood ? FrameFormat.TypeFlood : FrameFormat.TypeData, isFlood ? 0 : (int)MeshClass.Normal, to, at + bodyLength - header0);
    }

    private void Send(int type, int low, ushort to, int bodyLength)
    {
        int length = port.Forger.Finish(_frame, type, low, Address, to, _counter++, bodyLength);
        port.Send(_frame.AsSpan(0, length));
    }

    internal static ushort U16(ReadOnlySpan<byte> frame, int offset) => (ushort)(frame[offset] | (frame[offset + 1] << 8));
}

/// <summary>What is said on air about gateways, by whoever listens.</summary>
internal sealed class GatewayRumors
{
    private readonly Dictionary<ushort, ushort> _seqNo = [];

    internal IReadOnlyCollection<(ushort Destination, ushort SeqNo, bool IsGateway)> Rows
        => [.. _seqNo.OrderBy(row => row.Key).Take(8).Select(row => (row.Key, row.Value, true))];

    internal void Hears(ReadOnlySpan<byte> frame)
    {
        int body = FrameFormat.WideLength;
        int end = frame.Length - FrameFormat.TagLength;
        if (end < body + BeaconFormat.FixedLength || FrameFormat.GetType(frame[0]) != FrameFormat.TypeBeacon)
        {
            return;
        }

        byte flags = frame[body + BeaconFormat.OffsetFlags];
        if ((flags & BeaconFormat.FlagGateway) != 0)
        {
            _seqNo[FalseNode.U16(frame, FrameFormat.OffsetSource)] = FalseNode.U16(frame, body + BeaconFormat.OffsetSeqNo);
        }

        int at = body + BeaconFormat.FixedLength + ((flags & BeaconFormat.FlagTime) != 0 ? TimeFormat.Length : 0);
        for (; at + BeaconFormat.EntryLength <= end; at += BeaconFormat.EntryLength)
        {
            if ((FalseNode.U16(frame, at + BeaconFormat.EntryOffsetMetric) & BeaconFormat.EntryGatewayBit) != 0)
            {
                _seqNo[FalseNode.U16(frame, at)] = FalseNode.U16(frame, at + BeaconFormat.EntryOffsetSeqNo);
            }
        }
    }
}
