using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>Makes frames and acks under a hop key, after protocol.md 3 and 8.2: the stolen one, or, for an outsider, one that is made up.</summary>
internal sealed class HopForger
{
    private const int AckInputLength = 10;
    private readonly Cmac _cmac;
    private readonly byte[] _ackInput = new byte[AckInputLength];
    private readonly byte[] _ack = new byte[FrameFormat.AckShortLength];
    private readonly uint _epoch;

    internal HopForger(ICrypto crypto, byte[] networkKey, uint epoch, ushort networkId)
    {
        byte[] hopKey = KeySchedule.Derive(crypto, networkKey, KeySchedule.LabelHop, (int)epoch);
        _cmac = new Cmac(crypto.CreateAes(hopKey), new MeshConfig().MaxFrameLength + 2);
        _epoch = epoch;
        Hint = networkId & 7;
    }

    internal int Hint { get; }

    /// <summary>Writes header and tag around a body that stands at its place already; returns the frame's length.</summary>
    internal int Finish(byte[] frame, int type, int low, ushort from, ushort to, uint counter, int bodyLength)
    {
        int header = FrameFormat.HeaderLength(type);
        frame[FrameFormat.OffsetKind] = FrameFormat.MakeKind(type, low);
        frame[FrameFormat.OffsetNetwork] = FrameFormat.MakeNetwork(Hint, (int)_epoch, 0);
        Bytes.PutU16(frame, FrameFormat.OffsetSource, from);
        Bytes.PutU16(frame, FrameFormat.OffsetDestination, to);
        if (header == FrameFormat.NarrowLength)
        {
            Bytes.PutU16(frame, FrameFormat.OffsetCounter, (ushort)counter);
        }
        else
        {
            Bytes.PutU32(frame, FrameFormat.OffsetCounter, counter);
        }

        Sign(frame, header + bodyLength, counter);
        return header + bodyLength + FrameFormat.TagLength;
    }

    /// <summary>Appends the tag.</summary>
    internal void Sign(byte[] frame, int count, uint counter)
    {
        _cmac.Compute((ushort)(counter >> 16), frame, 0, count);
        Array.Copy(_cmac.Mac, 0, frame, count, FrameFormat.TagLength);
    }

    /// <summary>An ack frame of one address for a frame of another; valid until the next.</summary>
    internal byte[] Ack(ushort acker, ushort sender, uint counter)
    {
        _ackInput[0] = 0xA5;
        Bytes.PutU16(_ackInput, 1, acker);
        Bytes.PutU16(_ackInput, 3, sender);
        Bytes.PutU32(_ackInput, 5, counter);
        _ackInput[9] = 0;
        _cmac.Compute(_ackInput, 0, AckInputLength);
        _ack[0] = FrameFormat.MakeKind(FrameFormat.TypeAck, (int)_epoch);
        _ack[FrameFormat.AckOffsetCounter] = (byte)counter;
        Array.Copy(_cmac.Mac, 0, _ack, FrameFormat.AckShortLength - FrameFormat.TagLength, FrameFormat.TagLength);
        return _ack;
    }
}
