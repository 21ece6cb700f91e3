namespace IoTMesh.Core;

/// <summary>Hop tags: AES-CMAC under the network's hop key, cut to 4 bytes. protocol.md 8.2.</summary>
internal sealed class HopAuthenticator
{
    private const int AckInputLength = 10;
    private const byte AckDomain = 0xA5;
    private const byte AckMailDomain = 0xA7;
    private const byte BusyDomain = 0xA9;
    private readonly Cmac _cmac;
    private readonly byte[] _ackInput = new byte[AckInputLength];

    internal HopAuthenticator(ICrypto crypto, byte[] networkKey, byte epoch, int maxFrameLength)
    {
        byte[] key = KeySchedule.Derive(crypto, networkKey, KeySchedule.LabelHop, epoch);
        _cmac = new Cmac(crypto.CreateAes(key), maxFrameLength + 2);
    }

    /// <summary>Appends the tag behind <c>frame[0..count)</c>.</summary>
    internal void Sign(byte[] frame, int count, uint counter)
    {
        _cmac.Compute((ushort)(counter >> 16), frame, 0, count);
        System.Array.Copy(_cmac.Mac, 0, frame, count, FrameFormat.TagLength);
    }

    /// <summary>True where the tag behind <c>frame[offset..offset+count)</c> is right. Takes the same time for any wrong tag.</summary>
    internal bool Check(byte[] frame, int offset, int count, uint counter)
    {
        _cmac.Compute((ushort)(counter >> 16), frame, offset, count);
        return IsTag(frame, offset + count);
    }

    /// <summary>Appends an ack's tag. It covers both addresses and the whole counter, none of which are on air.</summary>
    internal void SignAck(byte[] frame, int count, ushort acker, ushort sender, uint counter, byte bitmap, int type = FrameFormat.TypeAck)
    {
        ComputeAck(acker, sender, counter, bitmap, type);
        System.Array.Copy(_cmac.Mac, 0, frame, count, FrameFormat.TagLength);
    }

    internal bool CheckAck(
        byte[] frame, int tagOffset, ushort acker, ushort sender, uint counter, byte bitmap, int type = FrameFormat.TypeAck)
    {
        ComputeAck(acker, sender, counter, bitmap, type);
        return IsTag(frame, tagOffset);
    }

    private void ComputeAck(ushort acker, ushort sender, uint counter, byte bitmap, int type)
    {
        byte[] input = _ackInput;
        input[0] = type == FrameFormat.TypeBusy ? BusyDomain : type == FrameFormat.TypeAckMail ? AckMailDomain : AckDomain;
        Bytes.PutU16(input, 1, acker);
        Bytes.PutU16(input, 3, sender);
        Bytes.PutU32(input, 5, counter);
        input[9] = bitmap;
        _cmac.Compute(input, 0, AckInputLength);
    }

    private bool IsTag(byte[] frame, int offset)
    {
        byte[] mac = _cmac.Mac;
        int difference = 0;
        for (int i = 0; i < FrameFormat.TagLength; i++)
        {
            difference |= mac[i] ^ frame[offset + i];
        }

        return difference == 0;
    }
}
