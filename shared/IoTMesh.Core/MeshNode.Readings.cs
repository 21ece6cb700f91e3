namespace IoTMesh.Core;

/// <content>Readings at their origin: custody. protocol.md 6.4.</content>
public sealed partial class MeshNode
{
    /// <summary>Readings sent ahead of the oldest one that no gateway has committed.</summary>
    private const int CustodyWindow = 48;

    private const int OwnQueuedMax = 4;
    private const int QueueReserve = 8;
    private const int CustodyPauseMs = 500;
    private const int ResendGapMs = 1_000;
    private const int GatewayAwayMs = 3_000;
    private const int WideAfterChange = 4;
    private const int WideEvery = 16;
    private const int FreshMs = 4_000;
    private const int UptimeShift = 4;
    private const int MissedAfterMs = 10_000;
    private const int KeptReadingLength = 17;
    private const int ReadingNarrowLength = 4;
    private const int ReadingWideLength = 14;
    private const int WatermarkLength = 14;
    private int _wideLeft = WideAfterChange;
    private int _custodyGeneration;

    /// <summary>
    /// Takes a reading (object list of protocol.md 10) into custody and sends it to any gateway; it is kept and repeated
    /// until a gateway has committed it, whether or not a gateway is reachable now.
    /// </summary>
    /// <param name="readingSeq">Its number within this boot.</param>
    public SendResult SendReading(long nowMs, byte[] payload, int offset, int count, out uint readingSeq)
    {
        return SendReading(nowMs, MeshClass.Normal, payload, offset, count, out readingSeq);
    }

    /// <summary>
    /// The same in another class than normal. One of class bulk waits up to <see cref="MeshConfig.AggregateMs"/> for the next ones, here and
    /// at relays; a later one in another class takes it along.
    /// </summary>
    public SendResult SendReading(long nowMs, MeshClass messageClass, byte[] payload, int offset, int count, out uint readingSeq)
    {
        readingSeq = 0;
        Advance(nowMs);
        if (count > Config.MaxReadingLength)
        {
            return SendResult.TooLong;
        }

        if (Config.IsGateway)
        {
            return SendResult.InvalidDestination;
        }

        if (_upCipher == null)
        {
            return SendResult.NoKey;
        }

        MakeCustodyRoom(count);
        readingSeq = _custody.Add(payload, offset, count, UptimeTicks);
        _readingsAreBulk = messageClass == MeshClass.Bulk;
        if (_started)
        {
            _timers.SetEarlier(Timer.Custody, nowMs + (_readingsAreBulk ? Config.AggregateMs : 0));
        }

        return SendResult.Accepted;
    }

    /// <summary>Time since the start, in the unit of the air.</summary>
    private uint UptimeTicks => (uint)((_nowMs - _startMs) >> UptimeShift);

    private void MakeCustodyRoom(int length)
    {
        while (!_custody.HasRoom(length))
        {
            _custody.DropOldest();
            Counters.CustodyEvicted++;
        }

        ForgetOtherRuns();
    }

    /// <summary>Queued readings of a run that has ended are messages like others: their numbers mean other readings now.</summary>
    private void ForgetOtherRuns()
    {
        if (_custodyGeneration == _custody.Generation)
        {
            return;
        }

        _custodyGeneration = _custody.Generation;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] != MessageQueue.StateFree && _queue.State[slot] != MessageQueue.StateDeliver)
            {
                _queue.ReadingSeq[slot] = 0;
            }
        }
    }

    /// <summary>A gateway is in reach; after a longer absence or at another gateway, what was sent before may be lost.</summary>
    private void GatewayReached(bool resend)
    {
        if (resend)
        {
            _wideLeft = WideAfterChange;
            _wideDatagramsLeft = WideAfterChange;
            for (uint seq = _custody.FirstSeq; seq != _custody.NextSeq; seq++)
            {
                if (_custody.StateOf(seq) == Custody.StateSent)
                {
                    _custody.SetState(seq, Custody.StateUnsent, _nowMs);
                }
            }
        }

        _timers.SetEarlier(Timer.Custody, _nowMs + _prng.Next(200));
    }

    /// <summary>Sends what is unsent or went unanswered too long, oldest first, as far as the window and the queue allow.</summary>
    private void PumpCustody()
    {
        _timers.Stop(Timer.Custody);
        if (_routes.NearestGateway() == RouteTable.None || !_started)
        {
            return;
        }

        int queued = CountQueuedReadings();
        uint end = _custody.NextSeq - _custody.FirstSeq > CustodyWindow ? _custody.FirstSeq + CustodyWindow : _custody.NextSeq;
        for (uint seq = _custody.FirstSeq; seq != end; seq++)
        {
            byte state = _custody.StateOf(seq);
            long retryMs = _custody.SentMsOf(seq, _nowMs) + CustodyRetryMs;
            bool overdue = state == Custody.StateSent && retryMs <= _nowMs;
            if (state == Custody.StateUnsent || overdue)
            {
                if (queued >= OwnQueuedMax || !HasReserve() || !ComposeReadings(seq, end))
                {
                    _timers.SetEarlier(Timer.Custody, _nowMs + CustodyPauseMs);
                    return;
                }

                Counters.CustodyReplayed += overdue ? 1 : 0;
                queued++;
            }
            else if (state == Custody.StateSent)
            {
                _timers.SetEarlier(Timer.Custody, retryMs);
            }
        }
    }

    /// <summary>Room beside own traffic for that of others. What waits without a route gives way, so it takes none.</summary>
    private bool HasReserve()
    {
        return _queue.Used - _queue.CountWithoutRoute() <= _queue.Capacity - QueueReserve;
    }

    private int CountQueuedReadings()
    {
        int queued = 0;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            bool own = _queue.State[slot] != MessageQueue.StateFree && _queue.State[slot] != MessageQueue.StateDeliver;
            queued += own && _queue.ReadingSeq[slot] != 0 && _queue.Origin[slot] == Address ? 1 : 0;
        }

        return queued;
    }

    private bool ComposeReading(uint seq)
    {
        uint measured = _custody.TicksOf(seq);
        bool isKept = _custody.Boot != _record.Boot;
        bool wide = IsNextReadingWide(measured);
        int at;
        if (isKept)
        {
            wide = true;
            at = PutKeptHeader(seq, measured);
        }
        else
        {
            at = PutReadingHeader(seq, measured, wide);
        }

        int length = _custody.CopyTo(seq, _plain, at);
        byte kind = isKept ? MessageKind.Service : MessageKind.Reading;
        int slot = Compose(kind, MeshAddress.AnyGateway, ReadingClass, wide, at + length);
        if (slot == MessageQueue.None)
        {
            return false;
        }

        _wideLeft -= _wideLeft > 0 ? 1 : 0;
        _queue.ReadingSeq[slot] = seq;
        _custody.SetState(seq, Custody.StateQueued, _nowMs);
        return true;
    }

    private int PutKeptHeader(uint seq, uint measured)
    {
        _plain[0] = ServiceKind.KeptReading;
        Bytes.PutU16(_plain, 1, _custody.Boot);
        Bytes.PutU32(_plain, 3, seq);
        Bytes.PutU16(_plain, 7, (ushort)(seq - _custody.FirstSeq));
        Bytes.PutU32(_plain, 9, measured);
        Bytes.PutU32(_plain, 13, _custody.UptimeOfBoot(UptimeTicks));
        return KeptReadingLength;
    }

    private void ReceiveWatermark(int count)
    {
        ushort boot = count == WatermarkLength ? Bytes.GetU16(_plain, 0) : (ushort)0;
        if (boot != _custody.Boot)
        {
            return;
        }

        uint watermark = Bytes.GetU32(_plain, 2);
        ulong committed = Bytes.GetU64(_plain, 6);
        _custody.Release(boot, watermark, committed);
        ForgetOtherRuns();
        if (boot != _custody.Boot)
        {
            _timers.SetEarlier(Timer.Custody, _nowMs);
            return;
        }

        // What lies below something committed and is not committed itself was lost on the way.
        uint highest = watermark;
        for (int i = 0; i < ReplayWindow.Length; i++)
        {
            highest = ((committed >> i) & 1) != 0 ? watermark + 2 + (uint)i : highest;
        }

        // And the gateway has not got what was sent some seconds ago, or has lost it with its memory.
        for (uint seq = _custody.FirstSeq; seq != _custody.NextSeq; seq++)
        {
            if (_custody.StateOf(seq) == Custody.StateSent && _nowMs - _custody.SentMsOf(seq, _nowMs) > (seq < highest ? ResendGapMs : MissedAfterMs))
            {
                _custody.SetState(seq, Custody.StateUnsent, _nowMs);
                Counters.CustodyReplayed++;
            }
        }

        _timers.SetEarlier(Timer.Custody, _nowMs);
    }
}
