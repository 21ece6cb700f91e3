namespace IoTMesh.Core;

/// <content>Own readings in storage, so that custody survives a power cut. protocol.md 9.2.</content>
public sealed partial class MeshNode
{
    private uint _storeNext = 1;
    private uint _storeUpTo;
    private int _storeToken;
    private uint _chunkNumber;
    private int _log;
    private int _logBytes;
    private int _chunkLength;
    private bool _logHolds;
    private ushort _floorBoot;
    private uint _floor;

    /// <summary>
    /// Before Start: readings that an earlier boot stored. Call it for each log that was stored, in rising order of
    /// <see cref="CustodyLog.NumberOf"/>; damaged chunks are skipped.
    /// </summary>
    /// <param name="record">The log's record, <see cref="StoreRecord.Custody"/> or one of the three behind it.</param>
    public void RestoreCustody(byte record, byte[] log)
    {
        if (Config.IsGateway || record < StoreRecord.Custody || record >= StoreRecord.Custody + CustodyLog.Count)
        {
            return;
        }

        for (int at = CustodyLog.Find(log, 0); at >= 0; at = CustodyLog.Find(log, at + CustodyLog.LengthOf(log, at)))
        {
            _chunkNumber = Bytes.GetU32(log, at + CustodyLog.OffsetNumber);
            _floorBoot = Bytes.GetU16(log, at + CustodyLog.OffsetFloorBoot);
            _floor = Bytes.GetU32(log, at + CustodyLog.OffsetFloor);
            RestoreChunk(log, at);
            _log = record - StoreRecord.Custody;
            _logBytes = log.Length;
        }
    }

    private void RestoreChunk(byte[] log, int chunk)
    {
        ushort boot = Bytes.GetU16(log, chunk + CustodyLog.OffsetBoot);
        uint seq = Bytes.GetU32(log, chunk + CustodyLog.OffsetFirst);
        int at = chunk + CustodyLog.HeaderLength;
        int end = at + log[chunk + CustodyLog.OffsetLength];
        bool isEarlier = boot != 0 && SeqNo.IsNewer(_record.Boot, boot);
        while (isEarlier && at + Custody.EntryHeaderLength <= end && at + Custody.EntryHeaderLength + log[at] <= end)
        {
            int length = log[at];
            if (KeptReadingLength + length <= _plainCapacity)
            {
                // First what this very chunk says is committed, so that it is not counted as given up.
                DropBelowFloor();
                MakeCustodyRoom(length);
                uint ticks = Bytes.GetU32(log, at + 1);
                while (!_custody.Restore(boot, seq, log, at + Custody.EntryHeaderLength, length, ticks))
                {
                    _custody.DropOldest();
                    Counters.CustodyEvicted++;
                }
            }

            seq++;
            at += Custody.EntryHeaderLength + length;
        }

        _custody.NoteEnd(boot, Bytes.GetU32(log, chunk + CustodyLog.OffsetTicks));
    }

    /// <summary>What the last chunk says has been committed need not be sent again.</summary>
    private void DropBelowFloor()
    {
        while (!_custody.IsEmpty && _floorBoot != 0
            && (SeqNo.IsNewer(_floorBoot, _custody.Boot) || (_custody.Boot == _floorBoot && _custody.FirstSeq < _floor)))
        {
            _custody.DropOldest();
        }

        _logHolds = !_custody.IsEmpty;
        ForgetOtherRuns();
    }

    /// <summary>
    /// Every few seconds: stores readings once the oldest that is not stored has waited for long, all that wait at once; and notes once when
    /// nothing that is stored is held any more. While a gateway commits readings in time, nothing is written.
    /// </summary>
    private void StepCustodyStore()
    {
        if (!Config.StoreCustody || Config.IsGateway || _storeToken != 0)
        {
            return;
        }

        _storeNext = _custody.FirstOwnSeq > _storeNext ? _custody.FirstOwnSeq : _storeNext;
        bool isDue = _storeNext < _custody.NextOwnSeq
            && UptimeTicks - _custody.TicksOfOwn(_storeNext) >= (uint)Config.CustodyStoreMs >> UptimeShift;
        if (isDue)
        {
            _storeUpTo = _custody.NextOwnSeq;
        }

        if (isDue || (_logHolds && _custody.IsEmpty))
        {
            PushChunk();
        }
    }

    private void PushChunk()
    {
        _storeToken = TakeToken();
        if (!_effects.Push(Effect.StoreCustody, _storeToken, 0))
        {
            _storeToken = 0;
        }
    }

    private bool EmitChunk(int token, MeshOutput output)
    {
        byte[] chunk = output.Buffer;
        int room = Config.MaxFrameLength - CustodyLog.HeaderLength - CustodyLog.CrcLength;
        int bytes;
        room = room > byte.MaxValue ? byte.MaxValue : room;
        _storeNext = _custody.FirstOwnSeq > _storeNext ? _custody.FirstOwnSeq : _storeNext;
        int count = _custody.CopyEntries(_storeNext, chunk, CustodyLog.HeaderLength, room, out bytes);
        chunk[0] = CustodyLog.Mark;
        chunk[CustodyLog.OffsetLength] = (byte)bytes;
        Bytes.PutU16(chunk, CustodyLog.OffsetBoot, _record.Boot);
        Bytes.PutU32(chunk, CustodyLog.OffsetNumber, ++_chunkNumber);
        Bytes.PutU32(chunk, CustodyLog.OffsetFirst, _storeNext);
        Bytes.PutU16(chunk, CustodyLog.OffsetFloorBoot, _custody.Boot);
        Bytes.PutU32(chunk, CustodyLog.OffsetFloor, _custody.FirstSeq);
        Bytes.PutU32(chunk, CustodyLog.OffsetTicks, UptimeTicks);
        int end = CustodyLog.HeaderLength + bytes;
        Bytes.PutU16(chunk, end, CounterRecord.Crc16(chunk, 0, end));
        _chunkLength = end + CustodyLog.CrcLength;
        if (_logBytes + _chunkLength > CustodyLog.MaxLength)
        {
            // The oldest log is begun anew; what it held is given up in storage, not in memory.
            _log = (_log + 1) % CustodyLog.Count;
            _logBytes = 0;
        }

        output.Kind = OutputKind.Store;
        output.Token = token;
        output.Record = (byte)(StoreRecord.Custody + _log);
        output.IsAppend = _logBytes > 0;
        output.Length = _chunkLength;
        _storeNext += (uint)count;
        Counters.CustodyWrites++;
        return true;
    }

    private void HandleChunkStored(bool ok)
    {
        _storeToken = 0;

        // A write that failed may have left anything behind, and a reader steps over it.
        _logBytes += _chunkLength;
        if (!ok)
        {
            // Whatever it held is stored again, with all that is held, when housekeeping comes by.
            _storeNext = _custody.FirstOwnSeq;
            return;
        }

        _logHolds = !_custody.IsEmpty;
        if (_storeNext < _storeUpTo && _storeNext < _custody.NextOwnSeq)
        {
            PushChunk();
        }
    }
}
