namespace IoTMesh.Core;

/// <summary>
/// Counters that must never repeat, reserved in blocks: a value is used only after the end of its block is durable, and a
/// restart goes on at the stored end. So no power cut brings a nonce back. protocol.md 9.
/// </summary>
internal sealed class CounterRecord
{
    internal const int Length = 18;
    internal const uint FrameBlock = 16384;
    internal const uint MessageBlock = 4096;
    internal const ushort SeqNoBlock = 64;
    private const byte FormatVersion = 1;
    private const int OffsetBoot = 2;
    private const int OffsetFrame = 4;
    private const int OffsetMessage = 8;
    private const int OffsetSeqNo = 12;
    private const int OffsetCrc = 16;

    private uint _frameEnd;
    private uint _messageEnd;
    private ushort _seqNoEnd;
    private uint _frameEndWanted;
    private uint _messageEndWanted;
    private ushort _seqNoEndWanted;

    internal ushort Boot;
    internal bool IsFirstBoot;
    internal uint NextFrame;
    internal uint NextMessage;
    internal ushort SeqNo;

    /// <summary>Token of the Store under way, 0 for none.</summary>
    internal int StoreToken;

    /// <param name="record">What was stored, or null on a device that never ran. A damaged record is refused by <see cref="IsValid"/>.</param>
    internal CounterRecord(byte[] record)
    {
        IsFirstBoot = record == null;
        if (record == null)
        {
            Boot = 1;
            NextFrame = 1;
            NextMessage = 1;
            SeqNo = 1;
        }
        else
        {
            Boot = (ushort)(Bytes.GetU16(record, OffsetBoot) + 1);
            if (Boot == 0)
            {
                Boot = 1;
            }

            // One block more than stored: the newest record may have rotted, and this be the one before it.
            NextFrame = Saturate(Bytes.GetU32(record, OffsetFrame), FrameBlock);
            NextMessage = Saturate(Bytes.GetU32(record, OffsetMessage), MessageBlock);
            SeqNo = Bytes.GetU16(record, OffsetSeqNo);
        }

        // Nothing is usable before the first Store of this boot is durable.
        _frameEnd = NextFrame;
        _messageEnd = NextMessage;
        _seqNoEnd = SeqNo;
        Reserve();
    }

    internal static bool IsValid(byte[] record)
    {
        return record != null && record.Length == Length && record[0] == FormatVersion
            && Bytes.GetU16(record, OffsetCrc) == Crc16(record, 0, OffsetCrc);
    }

    internal bool CanSendFrame => NextFrame < _frameEnd;

    internal bool CanSendMessage => NextMessage < _messageEnd;

    /// <summary>True when less than half a block is left and no Store is under way.</summary>
    internal bool NeedsStore => StoreToken == 0
        && ((_frameEnd - NextFrame < FrameBlock / 2 && _frameEnd != uint.MaxValue)
            || (_messageEnd - NextMessage < MessageBlock / 2 && _messageEnd != uint.MaxValue)
            || (ushort)(_seqNoEnd - SeqNo) < SeqNoBlock / 2);

    internal bool CanRaiseSeqNo => (short)(_seqNoEnd - SeqNo) > 1;

    /// <summary>Raises the seqno by so much, or as far as the stored block goes.</summary>
    internal void JumpSeqNo(int by)
    {
        for (; by > 0 && CanRaiseSeqNo; by--)
        {
            SeqNo++;
        }
    }

    internal void Reserve()
    {
        // At the very end the counters stop; they never start again from 0.
        _frameEndWanted = Saturate(NextFrame, FrameBlock);
        _messageEndWanted = Saturate(NextMessage, MessageBlock);
        _seqNoEndWanted = (ushort)(SeqNo + SeqNoBlock);
    }

    private static uint Saturate(uint value, uint block)
    {
        return uint.MaxValue - value < block ? uint.MaxValue : value + block;
    }

    internal void Emit(byte[] buffer)
    {
        buffer[0] = FormatVersion;
        buffer[1] = 0;
        Bytes.PutU16(buffer, OffsetBoot, Boot);
        Bytes.PutU32(buffer, OffsetFrame, _frameEndWanted);
        Bytes.PutU32(buffer, OffsetMessage, _messageEndWanted);
        Bytes.PutU16(buffer, OffsetSeqNo, _seqNoEndWanted);
        Bytes.PutU16(buffer, OffsetSeqNo + 2, 0);
        Bytes.PutU16(buffer, OffsetCrc, Crc16(buffer, 0, OffsetCrc));
    }

    /// <summary>The Store is durable: its blocks may be used.</summary>
    internal void Stored()
    {
        StoreToken = 0;
        _frameEnd = _frameEndWanted;
        _messageEnd = _messageEndWanted;
        _seqNoEnd = _seqNoEndWanted;
    }

    // CRC-16/CCITT-FALSE; a record is written a few times a day, so no table.
    internal static ushort Crc16(byte[] buffer, int offset, int count)
    {
        int crc = 0xFFFF;
        for (int i = offset; i < offset + count; i++)
        {
            crc ^= buffer[i] << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
            }

            crc &= 0xFFFF;
        }

        return (ushort)crc;
    }
}
