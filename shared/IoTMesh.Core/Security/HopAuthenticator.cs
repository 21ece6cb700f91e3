namespace IoTMesh.Core;

/// <summary>
/// Hop tags: AES-CMAC under the hop key of an epoch, cut to 4 bytes. Holds the key in use and, while epochs change, the one
/// after or before it: frames are signed with the first, and checked with the one that their epoch bits select. protocol.md 8.2, 8.8.
/// </summary>
internal sealed class HopAuthenticator
{
    private const int AckInputLength = 10;
    private const byte AckDomain = 0xA5;
    private const byte AckMailDomain = 0xA7;
    private const byte BusyDomain = 0xA9;
    private const int EpochMask = 3;
    private readonly ICrypto _crypto;
    private readonly int _maxLength;
    private readonly byte[] _ackInput = new byte[AckInputLength];
    private Cmac _current;
    private Cmac _other;
    private Cmac _selected;
    private uint _epoch;
    private uint _otherEpoch;

    internal HopAuthenticator(ICrypto crypto, int maxFrameLength)
    {
        _crypto = crypto;
        _maxLength = maxFrameLength + 2;
    }

    internal HopAuthenticator(ICrypto crypto, byte[] networkKey, uint epoch, int maxFrameLength)
        : this(crypto, maxFrameLength)
    {
        SetCurrent(networkKey, epoch);
    }

    /// <summary>False until the node has joined: it can neither sign nor check.</summary>
    internal bool HasKey => _current != null;

    internal bool HasOther => _other != null;

    internal uint Epoch => _epoch;

    /// <summary>True where the frame at hand, which <see cref="Select"/> saw last, is of the other epoch.</summary>
    internal bool IsOtherSelected => _selected == _other && _other != null;

    internal void SetCurrent(byte[] networkKey, uint epoch)
    {
        _current = Create(networkKey, epoch);
        _selected = _current;
        _epoch = epoch;
    }

    internal void SetOther(byte[] networkKey, uint epoch)
    {
        _other = Create(networkKey, epoch);
        _otherEpoch = epoch;
    }

    internal void DropOther()
    {
        _other = null;
        _selected = _current;
    }

    /// <summary>What was the other key is the one in use from now on, and the reverse.</summary>
    internal void Swap()
    {
        Cmac current = _current;
        uint epoch = _epoch;
        _current = _other;
        _epoch = _otherEpoch;
        _other = current;
        _otherEpoch = epoch;
    }

    /// <summary>Chooses the key for the checks that follow by the epoch bits of a frame; false where this node has none for them.</summary>
    internal bool Select(int epochBits)
    {
        _selected = _current != null && (_epoch & EpochMask) == epochBits ? _current
            : _other != null && (_otherEpoch & EpochMask) == epochBits ? _other : null;
        return _selected != null;
    }

    /// <summary>Appends the tag behind <c>frame[0..count)</c>.</summary>
    internal void Sign(byte[] frame, int count, uint counter)
    {
        _current.Compute((ushort)(counter >> 16), frame, 0, count);
        System.Array.Copy(_current.Mac, 0, frame, count, FrameFormat.TagLength);
    }

    /// <summary>True where the tag behind <c>frame[offset..offset+count)</c> is right. Takes the same time for any wrong tag.</summary>
    internal bool Check(byte[] frame, int offset, int count, uint counter)
    {
        _selected.Compute((ushort)(counter >> 16), frame, offset, count);
        return IsTag(frame, offset + count);
    }

    /// <summary>Appends an ack's tag. It covers both addresses and the whole counter, none of which are on air.</summary>
    internal void SignAck(byte[] frame, int count, ushort acker, ushort sender, uint counter, byte bitmap, int type = FrameFormat.TypeAck)
    {
        ComputeAck(_current, acker, sender, counter, bitmap, type);
        System.Array.Copy(_current.Mac, 0, frame, count, FrameFormat.TagLength);
    }

    internal bool CheckAck(
        byte[] frame, int tagOffset, ushort acker, ushort sender, uint counter, byte bitmap, int type = FrameFormat.TypeAck)
    {
        ComputeAck(_selected, acker, sender, counter, bitmap, type);
        return IsTag(frame, tagOffset);
    }

    private Cmac Create(byte[] networkKey, uint epoch)
    {
        byte[] key = KeySchedule.Derive(_crypto, networkKey, KeySchedule.LabelHop, (int)epoch);
        IBlockCipher cipher = _crypto.CreateAes(key);
        Cmac first = _current != null ? _current : _other;
        return first == null ? new Cmac(cipher, _maxLength) : new Cmac(cipher, first);
    }

    private void ComputeAck(Cmac cmac, ushort acker, ushort sender, uint counter, byte bitmap, int type)
    {
        byte[] input = _ackInput;
        input[0] = type == FrameFormat.TypeBusy ? BusyDomain : type == FrameFormat.TypeAckMail ? AckMailDomain : AckDomain;
        Bytes.PutU16(input, 1, acker);
        Bytes.PutU16(input, 3, sender);
        Bytes.PutU32(input, 5, counter);
        input[9] = bitmap;
        cmac.Compute(input, 0, AckInputLength);
    }

    private bool IsTag(byte[] frame, int offset)
    {
        byte[] mac = _selected.Mac;
        int difference = 0;
        for (int i = 0; i < FrameFormat.TagLength; i++)
        {
            difference |= mac[i] ^ frame[offset + i];
        }

        return difference == 0;
    }
}
