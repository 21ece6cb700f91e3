namespace IoTMesh.Core;

/// <content>Readings: custody at the origin, order and watermark at the gateway. protocol.md 6.4.</content>
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
    private const int WatermarkSoonMs = 1_000;
    private const int WatermarkBatch = 16;
    private const int RedeliverAfterMs = 20_000;
    private const int ReadingNarrowLength = 4;
    private const int ReadingWideLength = 14;
    private const int WatermarkLength = 14;
    private int _wideLeft = WideAfterChange;

    /// <summary>
    /// Takes a reading (object list of protocol.md 10) into custody and sends it to any gateway; it is kept and repeated
    /// until a gateway has committed it, whether or not a gateway is reachable now.
    /// </summary>
    /// <param name="readingSeq">Its number within this boot.</param>
    public SendResult SendReading(long nowMs, byte[] payload, int offset, int count, out uint readingSeq)
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

        while (!_custody.HasRoom(count))
        {
            _custody.DropOldest();
            Counters.CustodyEvicted++;
        }

        readingSeq = _custody.Add(payload, offset, count, nowMs);
        _timers.SetEarlier(Timer.Custody, nowMs);
        return SendResult.Accepted;
    }

    /// <summary>A gateway is in reach; after a longer absence or at another gateway, what was sent before may be lost.</summary>
    private void GatewayReached(bool resend)
    {
        if (resend)
        {
            _wideLeft = WideAfterChange;
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
            long retryMs = _custody.SentMsOf(seq, _nowMs) + Config.CustodyRetryMs;
            bool overdue = state == Custody.StateSent && retryMs <= _nowMs;
            if (state == Custody.StateUnsent || overdue)
            {
                if (queued >= OwnQueuedMax || _queue.Used > _queue.Capacity - QueueReserve || !ComposeReading(seq))
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
        long ageMs = _custody.AgeMsOf(seq, _nowMs);
        long measured = (_nowMs - _startMs - ageMs) >> UptimeShift;
        measured = measured < 0 ? 0 : measured;
        bool wide = _wideLeft > 0 || _record.NextMessage % WideEvery == 0 || ageMs > FreshMs;
        int at;
        if (wide)
        {
            uint floor = seq - _custody.FirstSeq;
            Bytes.PutU32(_plain, 0, seq);
            Bytes.PutU16(_plain, 4, (ushort)floor);
            Bytes.PutU32(_plain, 6, (uint)measured);
            Bytes.PutU32(_plain, 10, (uint)((_nowMs - _startMs) >> UptimeShift));
            at = ReadingWideLength;
        }
        else
        {
            Bytes.PutU16(_plain, 0, (ushort)seq);
            Bytes.PutU16(_plain, 2, (ushort)measured);
            at = ReadingNarrowLength;
        }

        int length = _custody.CopyTo(seq, _plain, at);
        int slot = Compose(MessageKind.Reading, MeshAddress.AnyGateway, (byte)MeshClass.Normal, wide, at + length);
        if (slot == MessageQueue.None)
        {
            return false;
        }

        _wideLeft -= _wideLeft > 0 ? 1 : 0;
        _queue.ReadingSeq[slot] = seq;
        _custody.SetState(seq, Custody.StateQueued, _nowMs);
        return true;
    }

    private void ReceiveReading(int peer, int count, sbyte rssiDbm)
    {
        int headerLength = _header.IsWide ? ReadingWideLength : ReadingNarrowLength;
        if (!Config.IsGateway || !_peers.IsDevice[peer] || count < headerLength || (!_header.IsWide && !_peers.UptimeKnown[peer]))
        {
            Counters.EndToEndNoKey++;
            return;
        }

        uint seq;
        long measuredMs;
        long uptimeMs;
        if (_header.IsWide)
        {
            seq = Bytes.GetU32(_plain, 0);
            measuredMs = (long)Bytes.GetU32(_plain, 6) << UptimeShift;
            uptimeMs = (long)Bytes.GetU32(_plain, 10) << UptimeShift;
            _peers.RaiseFloor(peer, seq - Bytes.GetU16(_plain, 4));
        }
        else
        {
            seq = ReplayWindow.Expand(_peers.NewestSeq[peer], Bytes.GetU16(_plain, 0));
            uint ticks = ReplayWindow.Expand((uint)(_peers.UptimeMs[peer] >> UptimeShift), Bytes.GetU16(_plain, 2));
            measuredMs = (long)ticks << UptimeShift;
            uptimeMs = measuredMs;
        }

        if (!IsNewReading(peer, seq))
        {
            Counters.Duplicates++;
            WantWatermark(peer, WatermarkSoonMs);
            return;
        }

        _peers.Received[peer] |= 1UL << (int)(seq - _peers.Watermark[peer] - 1);
        _peers.LastDeliveredMs[peer] = _nowMs;
        _peers.UptimeKnown[peer] = true;
        _peers.NewestSeq[peer] = seq > _peers.NewestSeq[peer] ? seq : _peers.NewestSeq[peer];
        _peers.UptimeMs[peer] = uptimeMs > _peers.UptimeMs[peer] ? uptimeMs : _peers.UptimeMs[peer];
        int slot = Deliver(headerLength, count - headerLength, rssiDbm);
        _queue.ReadingSeq[slot] = seq;
        _queue.MeasuredMs[slot] = measuredMs;
        _queue.UptimeMs[slot] = uptimeMs;
    }

    private bool IsNewReading(int peer, uint seq)
    {
        uint watermark = _peers.Watermark[peer];
        if (seq <= watermark || seq - watermark > ReplayWindow.Length)
        {
            return false;
        }

        ulong bit = 1UL << (int)(seq - watermark - 1);
        bool committed = (_peers.Committed[peer] & bit) != 0;
        bool received = (_peers.Received[peer] & bit) != 0;

        // Received but never committed: the storage behind us lost it, so a late copy is delivered again.
        return !committed && (!received || _nowMs - _peers.LastDeliveredMs[peer] > RedeliverAfterMs);
    }

    /// <summary>
    /// Gateways: the outbox has committed that reading (and every copy of it may be dropped). Readings may be released in any
    /// order; the node keeps the cumulative watermark per origin and tells the origin from time to time.
    /// </summary>
    public void ReleaseCustody(long nowMs, ushort origin, ushort boot, uint readingSeq)
    {
        Advance(nowMs);
        int peer = Config.IsGateway ? _peers.Find(origin) : PeerTable.None;
        if (peer == PeerTable.None || _peers.Boot[peer] != boot)
        {
            return;
        }

        _peers.Commit(peer, readingSeq);
        bool many = _peers.Watermark[peer] - _peers.WatermarkSent[peer] >= WatermarkBatch;
        long spacedMs = _peers.WatermarkSentMs[peer] + Config.WatermarkIntervalMs - nowMs;
        WantWatermark(peer, many || spacedMs < WatermarkSoonMs ? WatermarkSoonMs : (int)spacedMs);
    }

    /// <summary>
    /// Gateways, before Start: what was last accepted from an origin, so that a restart neither forgets its boot nor accepts a replay.
    /// </summary>
    public void RestorePeer(ushort origin, ushort boot, uint counter, uint watermark)
    {
        int peer = Config.IsGateway ? _peers.FindOrAdd(origin) : PeerTable.None;
        if (peer == PeerTable.None)
        {
            return;
        }

        _peers.BeginBoot(peer, boot);
        _peers.CounterHigh[peer] = counter;
        _peers.CounterSeen[peer] = ulong.MaxValue;
        _peers.Watermark[peer] = watermark;
        _peers.WatermarkSent[peer] = watermark;
        _peers.NewestSeq[peer] = watermark;
    }

    private void WantWatermark(int peer, int delayMs)
    {
        if (_nowMs + delayMs < _peers.WatermarkDueMs[peer])
        {
            _peers.WatermarkDueMs[peer] = _nowMs + delayMs;
            _timers.SetEarlier(Timer.Watermark, _peers.WatermarkDueMs[peer]);
        }
    }

    private void SendWatermarks()
    {
        for (int peer = 0; peer < _peers.Count; peer++)
        {
            if (_peers.WatermarkDueMs[peer] > _nowMs)
            {
                continue;
            }

            Bytes.PutU16(_plain, 0, _peers.Boot[peer]);
            Bytes.PutU32(_plain, 2, _peers.Watermark[peer]);

            // Bit 0 stands for watermark + 2: watermark + 1 is missing by definition.
            Bytes.PutU64(_plain, 6, _peers.Committed[peer] >> 1);
            bool room = _queue.Used <= _queue.Capacity - QueueReserve;
            int slot = room
                ? Compose(MessageKind.Watermark, _peers.Address[peer], (byte)MeshClass.Normal, true, WatermarkLength)
                : MessageQueue.None;
            _peers.WatermarkDueMs[peer] = slot == MessageQueue.None ? _nowMs + WatermarkSoonMs : long.MaxValue;
            if (slot != MessageQueue.None)
            {
                _peers.WatermarkSentMs[peer] = _nowMs;
                _peers.WatermarkSent[peer] = _peers.Watermark[peer];
            }
        }

        _timers.Set(Timer.Watermark, _peers.EarliestWatermarkMs());
    }

    private void ReceiveWatermark(int count)
    {
        if (count != WatermarkLength || Bytes.GetU16(_plain, 0) != _record.Boot)
        {
            return;
        }

        uint watermark = Bytes.GetU32(_plain, 2);
        ulong committed = Bytes.GetU64(_plain, 6);
        _custody.Release(watermark, committed);

        // What lies below something committed and is not committed itself was lost on the way.
        uint highest = watermark;
        for (int i = 0; i < ReplayWindow.Length; i++)
        {
            highest = ((committed >> i) & 1) != 0 ? watermark + 2 + (uint)i : highest;
        }

        for (uint seq = _custody.FirstSeq; seq != _custody.NextSeq && seq < highest; seq++)
        {
            if (_custody.StateOf(seq) == Custody.StateSent && _nowMs - _custody.SentMsOf(seq, _nowMs) > ResendGapMs)
            {
                _custody.SetState(seq, Custody.StateUnsent, _nowMs);
                Counters.CustodyReplayed++;
            }
        }

        _timers.SetEarlier(Timer.Custody, _nowMs);
    }
}
