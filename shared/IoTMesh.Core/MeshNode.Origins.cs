namespace IoTMesh.Core;

/// <content>Readings at a gateway: copies, order, watermarks, by origin and boot. protocol.md 6.4.</content>
public sealed partial class MeshNode
{
    private const int WatermarkSoonMs = 1_000;
    private const int WatermarkBatch = 16;
    private const int RedeliverAfterMs = 20_000;
    private const int RestoredWatermarkMs = 2_000;
    private const int RestoredWatermarkStepMs = 50;

    // A short time stands for one from 16 minutes before to one minute after the uptime that the origin has by now.
    private const int ShortTimeAheadTicks = 3_750;

    /// <summary>Which boot of its origin an opened reading is of: a slot of the peer table.</summary>
    private int _originSlot;

    /// <summary>At a gateway readings are told apart by their numbers, so that one which a router kept for minutes may still come.</summary>
    private bool IsReadingHere()
    {
        return Config.IsGateway && (_header.Kind == MessageKind.Reading || _header.Kind == MessageKind.Batch);
    }

    /// <summary>A short reading that its origin sent before it restarted: the counter goes on from that boot's, which is in the nonce.</summary>
    private bool OpenOlder(int peer, ref uint counter, byte[] buffer)
    {
        if (_header.IsWide || !IsReadingHere() || _header.BodyLength > _plain.Length || !PreparePeer(peer))
        {
            return false;
        }

        ushort low = (ushort)counter;
        for (int slot = peer + _peers.Capacity; slot < _peers.SlotCount; slot += _peers.Capacity)
        {
            if (_peers.CounterOf(slot) != 0)
            {
                counter = ReplayWindow.Expand(_peers.CounterOf(slot), low);
                MakeNonce(_header.Kind, _header.Origin, _header.Destination, counter, 0, _peers.BootOf(slot));
                if (OpenWith(_peers.ReceiveCipher[peer], buffer))
                {
                    _originSlot = slot;
                    return true;
                }
            }
        }

        return false;
    }

    private void ReceiveReading(int peer, int count, sbyte rssiDbm)
    {
        int headerLength = _header.IsWide ? ReadingWideLength : ReadingNarrowLength;
        int slot = _originSlot;
        if (!Config.IsGateway || !_peers.IsDevice[peer] || count < headerLength || (!_header.IsWide && !_peers.UptimeKnown[slot]))
        {
            Counters.EndToEndNoKey++;
            return;
        }

        uint seq = ReadReadingHeader(slot, out long measuredMs, out long uptimeMs);
        AcceptReading(slot, seq, measuredMs, uptimeMs, headerLength, count, rssiDbm);
    }

    /// <summary>Number and times of the reading in _plain, or of the first of a batch.</summary>
    private uint ReadReadingHeader(int slot, out long measuredMs, out long uptimeMs)
    {
        if (_header.IsWide)
        {
            uint seq = Bytes.GetU32(_plain, 0);
            measuredMs = (long)Bytes.GetU32(_plain, 6) << UptimeShift;
            uptimeMs = (long)Bytes.GetU32(_plain, 10) << UptimeShift;
            _peers.RaiseFloor(slot, seq - Bytes.GetU16(_plain, 4));
            return seq;
        }

        measuredMs = ExpandTime(slot, Bytes.GetU16(_plain, 2));
        uptimeMs = measuredMs;
        return ReplayWindow.Expand(_peers.NewestSeq[slot], Bytes.GetU16(_plain, 0));
    }

    /// <summary>A reading of an earlier boot than the one its origin is in.</summary>
    private void ReceiveKeptReading(int peer, int count, sbyte rssiDbm)
    {
        ushort boot = count < KeptReadingLength ? (ushort)0 : Bytes.GetU16(_plain, 1);
        if (!Config.IsGateway || !_peers.IsDevice[peer] || boot == 0 || !SeqNo.IsNewer(_peers.Boot[peer], boot))
        {
            Counters.EndToEndNoKey++;
            return;
        }

        int slot = _peers.FindOrAddOlder(peer, boot);
        uint seq = Bytes.GetU32(_plain, 3);
        _peers.RaiseFloor(slot, seq - Bytes.GetU16(_plain, 7));
        _header.Kind = MessageKind.Reading;
        _header.Boot = boot;
        long measuredMs = (long)Bytes.GetU32(_plain, 9) << UptimeShift;
        AcceptReading(slot, seq, measuredMs, (long)Bytes.GetU32(_plain, 13) << UptimeShift, KeptReadingLength, count, rssiDbm);
    }

    /// <summary>Delivers the reading _plain[start..count) of a boot unless it is a copy.</summary>
    private void AcceptReading(int slot, uint seq, long measuredMs, long uptimeMs, int start, int count, sbyte rssiDbm)
    {
        bool isKept = start == KeptReadingLength;
        if (!TakeReading(slot, seq, uptimeMs, isKept))
        {
            return;
        }

        int delivery = Deliver(start, count - start, rssiDbm);
        _queue.ReadingSeq[delivery] = seq;
        _queue.MeasuredMs[delivery] = measuredMs;
        _queue.UptimeMs[delivery] = uptimeMs;
        _queue.IsKept[delivery] = isKept;
    }

    /// <summary>Notes a reading that is to be delivered; false for a copy.</summary>
    private bool TakeReading(int slot, uint seq, long uptimeMs, bool isKept)
    {
        if (!IsNewReading(slot, seq))
        {
            Counters.Duplicates++;
            WantWatermark(slot, WatermarkSoonMs);
            return false;
        }

        _peers.Received[slot] |= 1UL << (int)(seq - _peers.Watermark[slot] - 1);
        _peers.LastDeliveredMs[slot] = _nowMs;
        _peers.NewestSeq[slot] = seq > _peers.NewestSeq[slot] ? seq : _peers.NewestSeq[slot];
        if (!isKept && (!_peers.UptimeKnown[slot] || uptimeMs > _peers.UptimeMs[slot]))
        {
            _peers.UptimeKnown[slot] = true;
            _peers.UptimeMs[slot] = uptimeMs;
            _peers.UptimeAtMs[slot] = _nowMs;
        }

        return true;
    }

    /// <summary>
    /// The time of which only the low half came: a router may have kept the reading for minutes, and this gateway may have been away
    /// for hours, so what counts is the uptime that the origin has by now.
    /// </summary>
    private long ExpandTime(int slot, ushort low)
    {
        uint ticks = (uint)((_peers.UptimeMs[slot] + _nowMs - _peers.UptimeAtMs[slot]) >> UptimeShift) + ShortTimeAheadTicks;
        uint middle = ticks < 0x8000 ? 0 : ticks - 0x8000;
        return (long)ReplayWindow.Expand(middle, low) << UptimeShift;
    }

    private bool IsNewReading(int slot, uint seq)
    {
        uint watermark = _peers.Watermark[slot];
        if (seq <= watermark || seq - watermark > ReplayWindow.Length)
        {
            return false;
        }

        ulong bit = 1UL << (int)(seq - watermark - 1);
        bool committed = (_peers.Committed[slot] & bit) != 0;
        bool received = (_peers.Received[slot] & bit) != 0;

        // Received but never committed: the storage behind us lost it, so a late copy is delivered again.
        return !committed && (!received || _nowMs - _peers.LastDeliveredMs[slot] > RedeliverAfterMs);
    }

    /// <summary>
    /// Gateways: the outbox has committed that reading (and every copy of it may be dropped). Readings may be released in any
    /// order; the node keeps the cumulative watermark per origin and tells the origin from time to time.
    /// </summary>
    public void ReleaseCustody(long nowMs, ushort origin, ushort boot, uint readingSeq)
    {
        Advance(nowMs);
        int peer = Config.IsGateway ? _peers.Find(origin) : PeerTable.None;
        int slot = peer == PeerTable.None ? PeerTable.None : _peers.FindBoot(peer, boot);
        if (slot == PeerTable.None)
        {
            return;
        }

        _peers.Commit(slot, readingSeq);
        bool many = _peers.Watermark[slot] - _peers.WatermarkSent[slot] >= WatermarkBatch;
        long spacedMs = _peers.WatermarkSentMs[slot] + Config.WatermarkIntervalMs - nowMs;
        WantWatermark(slot, many || spacedMs < WatermarkSoonMs ? WatermarkSoonMs : (int)spacedMs);
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

    /// <summary>
    /// Gateways: the device with that address was revoked, or another has its address now. Its keys are dropped and asked for anew, its counters
    /// forgotten: call it only where <see cref="IDeviceKeys"/> does not give out the same key again.
    /// </summary>
    public void ForgetPeer(ushort origin)
    {
        int peer = _peers.Find(origin);
        if (Config.IsGateway && peer != PeerTable.None)
        {
            _peers.Forget(peer);
        }
    }

    /// <summary>
    /// Gateways, after RestorePeer and before Start: the uptime that this boot of the origin has at <paramref name="nowMs"/>, so that readings
    /// which routers kept while this gateway was away can be told their time.
    /// </summary>
    public void RestoreUptime(ushort origin, long uptimeMs, long nowMs)
    {
        int peer = Config.IsGateway ? _peers.Find(origin) : PeerTable.None;
        if (peer != PeerTable.None && uptimeMs >= 0)
        {
            _peers.UptimeKnown[peer] = true;
            _peers.UptimeMs[peer] = uptimeMs;
            _peers.UptimeAtMs[peer] = nowMs;
        }
    }

    /// <summary>A gateway that was away tells what it has, so that what was lost with its memory is sent again soon.</summary>
    private void TellRestoredPeers()
    {
        for (int peer = 0; Config.IsGateway && peer < _peers.Count; peer++)
        {
            WantWatermark(peer, RestoredWatermarkMs + (peer * RestoredWatermarkStepMs));
        }
    }

    private void WantWatermark(int slot, int delayMs)
    {
        if (_nowMs + delayMs < _peers.WatermarkDueMs[slot])
        {
            _peers.SetWatermarkDue(slot, _nowMs + delayMs);
            _timers.SetEarlier(Timer.Watermark, _nowMs + delayMs);
        }
    }

    private void SendWatermarks()
    {
        for (int slot = _peers.NextWatermarkDue(0, _nowMs); slot != PeerTable.None; slot = _peers.NextWatermarkDue(slot + 1, _nowMs))
        {
            bool room = HasReserve();
            bool sent = room && ComposeWatermark(slot);
            _peers.SetWatermarkDue(slot, sent ? long.MaxValue : _nowMs + WatermarkSoonMs);
            if (sent)
            {
                _peers.WatermarkSentMs[slot] = _nowMs;
                _peers.WatermarkSent[slot] = _peers.Watermark[slot];
            }
        }

        _peers.RefreshOlderDue();
        _timers.Set(Timer.Watermark, _peers.EarliestWatermarkMs());
    }

    private bool ComposeWatermark(int slot)
    {
        Bytes.PutU16(_plain, 0, _peers.BootOf(slot));
        Bytes.PutU32(_plain, 2, _peers.Watermark[slot]);

        // Bit 0 stands for watermark + 2: watermark + 1 is missing by definition.
        Bytes.PutU64(_plain, 6, _peers.Committed[slot] >> 1);
        ushort origin = _peers.Address[_peers.PeerOf(slot)];
        return Compose(MessageKind.Watermark, origin, (byte)MeshClass.Normal, true, WatermarkLength) != MessageQueue.None;
    }
}
