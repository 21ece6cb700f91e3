namespace IoTMesh.Core;

/// <content>Frames in: header, hop authentication, acks, probes.</content>
public sealed partial class MeshNode
{
    private const int ProbeTriesMax = 6;
    private const int ProbeRetryMs = 120;
    private const int ProbeRestMs = 10_000;
    private const int FailuresUntilLost = 8;
    private const int FailuresUntilRequest = 3;
    private const int QuietUntilLostMs = 400;
    private uint _lastFailedFrame;

    private ParseError ReceiveFrame(byte[] buffer, int offset, int count, sbyte rssiDbm)
    {
        if (count < FrameFormat.AckShortLength)
        {
            return ParseError.TooShort;
        }

        if (count > Config.MaxFrameLength)
        {
            return ParseError.TooLong;
        }

        byte kind = buffer[offset];
        int type = FrameFormat.GetType(kind);
        if (FrameFormat.GetVersion(kind) != FrameFormat.Version)
        {
            return ParseError.BadVersion;
        }

        if (type == FrameFormat.TypeAck)
        {
            return ReceiveAck(buffer, offset, count);
        }

        if (type > FrameFormat.TypeMax)
        {
            return ParseError.BadType;
        }

        if (count < FrameFormat.HeaderLength(type) + FrameFormat.TagLength)
        {
            return ParseError.TooShort;
        }

        byte network = buffer[offset + FrameFormat.OffsetNetwork];
        if ((network >> 3) != ((_network << 2) | (_keys.Epoch & 3)))
        {
            return ParseError.OtherNetwork;
        }

        return ReceiveAddressed(buffer, offset, count, type, rssiDbm);
    }

    private ParseError ReceiveAddressed(byte[] buffer, int offset, int count, int type, sbyte rssiDbm)
    {
        ushort source = Bytes.GetU16(buffer, offset + FrameFormat.OffsetSource);
        ushort destination = Bytes.GetU16(buffer, offset + FrameFormat.OffsetDestination);
        if (!MeshAddress.IsUnicast(source) || source == Address)
        {
            return ParseError.BadAddress;
        }

        if (destination != Address && destination != MeshAddress.All)
        {
            return ParseError.NotForMe;
        }

        int neighbor = _neighbors.Find(source);
        bool known = neighbor != NeighborTable.None && _neighbors.CounterKnown[neighbor];
        ushort low = Bytes.GetU16(buffer, offset + FrameFormat.OffsetCounter);
        uint counter;
        if (type != FrameFormat.TypeData)
        {
            counter = low | ((uint)Bytes.GetU16(buffer, offset + FrameFormat.OffsetCounterHigh) << 16);
        }
        else if (known)
        {
            counter = ReplayWindow.Expand(_neighbors.CounterHigh[neighbor], low);
        }
        else
        {
            MeetStranger(source, neighbor, rssiDbm);
            return ParseError.UnknownNeighbor;
        }

        if (known && !ReplayWindow.IsFresh(_neighbors.CounterHigh[neighbor], _neighbors.CounterSeen[neighbor], counter))
        {
            return ParseError.Replayed;
        }

        if (!_hop.Check(buffer, offset, count - FrameFormat.TagLength, counter))
        {
            return ParseError.BadTag;
        }

        if (neighbor == NeighborTable.None)
        {
            neighbor = AddNeighbor(source, rssiDbm);
            if (neighbor == NeighborTable.None)
            {
                return ParseError.TableFull;
            }
        }

        AcceptCounter(neighbor, known, counter);
        _neighbors.HandleHeard(neighbor, rssiDbm, _nowMs);
        return Dispatch(type, neighbor, counter, destination, buffer, offset, count - FrameFormat.TagLength);
    }

    private void AcceptCounter(int neighbor, bool known, uint counter)
    {
        uint high = known ? _neighbors.CounterHigh[neighbor] : 0;
        ulong seen = known ? _neighbors.CounterSeen[neighbor] : 0;
        _neighbors.CounterSeen[neighbor] = ReplayWindow.Accept(high, seen, counter);
        _neighbors.CounterHigh[neighbor] = counter > high ? counter : high;
        _neighbors.CounterKnown[neighbor] = true;
    }

    private ParseError Dispatch(int type, int neighbor, uint counter, ushort destination, byte[] buffer, int offset, int count)
    {
        int flags = buffer[offset + FrameFormat.OffsetNetwork] & 7;
        int at = offset + FrameFormat.HeaderLength(type);
        int end = offset + count;
        if ((flags & FrameFormat.FlagExtension) != 0)
        {
            at = SkipExtensions(buffer, at, end);
        }

        if ((flags & FrameFormat.FlagAck) != 0 && at <= end - FrameFormat.RidingAckLength)
        {
            uint acked = ReplayWindow.Expand(_record.NextFrame, Bytes.GetU16(buffer, at));
            ApplyAck(neighbor, acked, buffer[at + 2]);
            at += FrameFormat.RidingAckLength;
        }

        if (at > end)
        {
            return ParseError.Malformed;
        }

        switch (type)
        {
            case FrameFormat.TypeData:
                return ReceiveData(neighbor, counter, buffer, offset, at, end);
            case FrameFormat.TypeFlood:
                return ReceiveFlood(neighbor, buffer, at, end);
            case FrameFormat.TypeBeacon:
                return ReceiveBeacon(neighbor, buffer, at, end);
            case FrameFormat.TypeProbe:
                return ReceiveProbe(neighbor, counter, buffer, at, end);
            case FrameFormat.TypeProbeReply:
                return ReceiveProbeReply(neighbor, buffer, at, end);
            default:
                return ReceiveRequest(neighbor, destination, buffer, at, end);
        }
    }

    // Unknown extensions are skipped: type, length, value; type 0 ends the list. protocol.md 3.4.
    private static int SkipExtensions(byte[] buffer, int at, int end)
    {
        while (at < end && buffer[at] != 0)
        {
            at += at + 1 < end ? 2 + buffer[at + 1] : 2;
        }

        return at + 1;
    }

    /// <summary>A data frame from a node not known here (one of us restarted): ask who it is, where there is room.</summary>
    private void MeetStranger(ushort source, int neighbor, sbyte rssiDbm)
    {
        if (neighbor == NeighborTable.None)
        {
            neighbor = _neighbors.FindSlot();
            if (neighbor == NeighborTable.None || _neighbors.Address[neighbor] != MeshAddress.None)
            {
                return;
            }

            _neighbors.Occupy(neighbor, source, rssiDbm, _nowMs);
        }

        ScheduleProbe(neighbor, 1 + _prng.Next(10));
    }

    private int AddNeighbor(ushort address, sbyte rssiDbm)
    {
        int slot = _neighbors.FindSlot();
        if (slot == NeighborTable.None)
        {
            return NeighborTable.None;
        }

        if (_neighbors.Address[slot] != MeshAddress.None)
        {
            LoseNeighbor(slot);
        }

        _neighbors.Occupy(slot, address, rssiDbm, _nowMs);
        return slot;
    }

    private void ScheduleProbe(int neighbor, int delayMs)
    {
        if (_neighbors.ProbeDueMs[neighbor] == long.MaxValue)
        {
            _neighbors.ProbeDueMs[neighbor] = _nowMs + delayMs;
            _neighbors.ProbeTries[neighbor] = 0;
        }

        _timers.SetEarlier(Timer.Probe, _neighbors.ProbeDueMs[neighbor]);
    }

    private void SendProbes()
    {
        long next = long.MaxValue;
        for (int n = 0; n < _neighbors.Capacity; n++)
        {
            if (_neighbors.Address[n] == MeshAddress.None)
            {
                continue;
            }

            if (_neighbors.ProbeDueMs[n] <= _nowMs)
            {
                StepProbe(n);
            }

            if (_neighbors.ProbeDueMs[n] < next)
            {
                next = _neighbors.ProbeDueMs[n];
            }

            if (_neighbors.DumpDueMs[n] <= _nowMs)
            {
                StepDumpRequest(n);
            }

            if (_neighbors.DumpDueMs[n] < next)
            {
                next = _neighbors.DumpDueMs[n];
            }
        }

        _timers.Set(Timer.Probe, next);
    }

    private void StepProbe(int n)
    {
        if (_neighbors.IsUsable(n))
        {
            _neighbors.ProbeDueMs[n] = long.MaxValue;
            return;
        }

        int tries = ++_neighbors.ProbeTries[n];
        if (tries > ProbeTriesMax)
        {
            // Beacons of a one-way neighbor keep coming; it is asked again only after a rest.
            _neighbors.ProbeTries[n] = 0;
            _neighbors.ProbeDueMs[n] = _nowMs - _neighbors.LastHeardMs[n] < ProbeRestMs ? _nowMs + ProbeRestMs : long.MaxValue;
            return;
        }

        _effects.PushOnce(Effect.SendProbe, n, 0);
        _neighbors.ProbeDueMs[n] = _nowMs + (ProbeRetryMs << (tries - 1)) + _prng.Next(ProbeRetryMs);
    }

    private ParseError ReceiveProbe(int neighbor, uint counter, byte[] buffer, int at, int end)
    {
        if (end - at < ProbeFormat.Length)
        {
            return ParseError.BadLength;
        }

        NoteBoot(neighbor, Bytes.GetU16(buffer, at));
        _neighbors.ReplyNonce[neighbor] = counter;
        _effects.PushOnce(Effect.SendProbeReply, neighbor, 0);
        if (!_neighbors.IsUsable(neighbor))
        {
            ScheduleProbe(neighbor, 2 + _prng.Next(20));
        }

        return ParseError.None;
    }

    private ParseError ReceiveProbeReply(int neighbor, byte[] buffer, int at, int end)
    {
        if (end - at < ProbeFormat.ReplyLength)
        {
            return ParseError.BadLength;
        }

        if (Bytes.GetU32(buffer, at + ProbeFormat.ReplyOffsetChallenge) != _neighbors.ProbeNonce[neighbor])
        {
            return ParseError.Replayed;
        }

        NoteBoot(neighbor, Bytes.GetU16(buffer, at + ProbeFormat.ReplyOffsetBoot));
        _neighbors.ProbeDueMs[neighbor] = long.MaxValue;
        if (!_neighbors.IsUsable(neighbor))
        {
            _neighbors.State[neighbor] = NeighborTable.StateVerified;
            _neighbors.Failures[neighbor] = 0;
            _effects.Push(Effect.NeighborChanged, _neighbors.Address[neighbor], 1);
            WantDump(neighbor, 20 + _prng.Next(80));
            ReselectAll();
        }

        return ParseError.None;
    }

    /// <summary>A neighbor with a new boot number lost its routes and its feasibility distances.</summary>
    private void NoteBoot(int neighbor, ushort boot)
    {
        ushort before = _neighbors.Boot[neighbor];
        _neighbors.Boot[neighbor] = boot;
        if (before != 0 && before != boot)
        {
            ForgetRoutesOf(neighbor);
            _neighbors.InSync[neighbor] = false;
        }
    }

    private ParseError ReceiveAck(byte[] buffer, int offset, int count)
    {
        if (count > FrameFormat.AckLongLength)
        {
            return ParseError.BadLength;
        }

        ushort low = Bytes.GetU16(buffer, offset + FrameFormat.AckOffsetCounter);
        bool isLong = count == FrameFormat.AckLongLength;
        byte bitmap = isLong ? buffer[offset + FrameFormat.AckOffsetBitmap] : (byte)0;
        int tagOffset = offset + count - FrameFormat.TagLength;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            int neighbor = _queue.NextHop[slot];
            if (_queue.State[slot] == MessageQueue.StateFree || neighbor == NeighborTable.None)
            {
                continue;
            }

            uint counter = (ushort)_queue.FrameCounter[slot] == low ? _queue.FrameCounter[slot]
                : (ushort)_queue.FrameCounterBefore[slot] == low ? _queue.FrameCounterBefore[slot] : 0;
            if (counter != 0 && _hop.CheckAck(buffer, tagOffset, _neighbors.Address[neighbor], Address, counter, bitmap))
            {
                ApplyAck(neighbor, counter, bitmap);
                return ParseError.None;
            }
        }

        return ParseError.NotForMe;
    }

    private void ApplyAck(int neighbor, uint counter, byte bitmap)
    {
        bool any = false;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            byte state = _queue.State[slot];
            bool waits = state == MessageQueue.StateInFlight || state == MessageQueue.StateReady || state == MessageQueue.StateScheduled;
            if (!waits || _queue.NextHop[slot] != neighbor)
            {
                continue;
            }

            uint sent = _queue.FrameCounter[slot];
            if (!IsAcked(sent, counter, bitmap) && !IsAcked(_queue.FrameCounterBefore[slot], counter, bitmap))
            {
                continue;
            }

            if (sent == counter && _queue.TriesHere[slot] == 0 && state == MessageQueue.StateInFlight)
            {
                _neighbors.HandleRtt(neighbor, (int)(_nowMs - _queue.SentMs[slot]));
            }

            any = true;
            CompleteHop(slot);
        }

        if (any)
        {
            _neighbors.HandleTry(neighbor, true);
            _neighbors.LastHeardMs[neighbor] = _nowMs;
        }
    }

    private static bool IsAcked(uint sent, uint counter, byte bitmap)
    {
        if (sent == 0 || sent > counter)
        {
            return false;
        }

        uint age = counter - sent;
        return age == 0 || (age <= 8 && ((bitmap >> (int)(age - 1)) & 1) != 0);
    }

    private void FlushAcks()
    {
        _timers.Stop(Timer.Ack);
        for (int n = 0; n < _neighbors.Capacity; n++)
        {
            if (_neighbors.AckOwed[n] && _neighbors.Address[n] != MeshAddress.None)
            {
                _effects.PushOnce(Effect.SendAck, n, 0);
            }
        }
    }

    private void HandleFailedTry(int neighbor, uint frameCounter)
    {
        // A frame that carried several messages failed once, not once for each.
        if (frameCounter == _lastFailedFrame)
        {
            return;
        }

        _lastFailedFrame = frameCounter;
        _neighbors.HandleTry(neighbor, false);
        int failures = _neighbors.Failures[neighbor];
        if (failures >= FailuresUntilLost && _nowMs - _neighbors.LastHeardMs[neighbor] > QuietUntilLostMs)
        {
            LoseNeighbor(neighbor);
            return;
        }

        if (failures >= FailuresUntilRequest)
        {
            RequestBackups(neighbor);
        }

        ReselectVia(neighbor, true);
    }
}
