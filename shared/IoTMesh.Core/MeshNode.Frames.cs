namespace IoTMesh.Core;

/// <content>Frames in: header, hop authentication, acks, probes.</content>
public sealed partial class MeshNode
{
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

        if (FrameFormat.IsAck(type))
        {
            return ReceiveAck(buffer, offset, count);
        }

        if (type > FrameFormat.TypeMax)
        {
            return ParseError.BadType;
        }

        if (count < FrameFormat.HeaderLength(type) + (type == FrameFormat.TypeJoin ? 0 : FrameFormat.TagLength))
        {
            return ParseError.TooShort;
        }

        byte network = buffer[offset + FrameFormat.OffsetNetwork];
        if (network >> 5 != _network)
        {
            return ParseError.OtherNetwork;
        }

        if (type == FrameFormat.TypeJoin)
        {
            return ReceiveJoin(buffer, offset, count, rssiDbm);
        }

        if (!_hop.Select((network >> 3) & 3))
        {
            NoteMissedEpoch((network >> 3) & 3, buffer, offset, count, type);
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

        NoteEpochHeard();
        if (neighbor == NeighborTable.None)
        {
            neighbor = AddNeighbor(source, rssiDbm, ClaimOf(source, destination, type, buffer, offset, count - FrameFormat.TagLength));
            if (neighbor == NeighborTable.None)
            {
                return ParseError.TableFull;
            }
        }

        AcceptCounter(neighbor, known, counter);
        if (_children.IsChild(neighbor))
        {
            _children.Heard(neighbor, _nowMs);
        }

        _neighbors.HandleHeard(neighbor, rssiDbm, _nowMs);
        if (destination == Address)
        {
            _sinceUnicastMs = (uint)_nowMs - _neighbors.LastUnicast[neighbor];
            _neighbors.LastUnicast[neighbor] = (uint)_nowMs;
        }

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
        _waypointCount = MessageQueue.NoWaypoints;
        if ((flags & FrameFormat.FlagExtension) != 0)
        {
            at = ReadExtensions(buffer, at, end);
        }

        if ((flags & FrameFormat.FlagAck) != 0 && at <= end - FrameFormat.RidingAckLength)
        {
            uint acked = ReplayWindow.Expand(_record.NextFrame, Bytes.GetU16(buffer, at));
            if (_leaf != null)
            {
                _leaf.IsMailPending = true;
            }

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
                return ReceiveFlood(neighbor, counter, buffer, offset, at, end);
            case FrameFormat.TypeBeacon:
                return ReceiveBeacon(neighbor, buffer, at, end);
            case FrameFormat.TypePoll:
                return ReceivePoll(neighbor, counter, destination, buffer, at, end);
            case FrameFormat.TypeProbe:
                return ReceiveProbe(neighbor, counter, buffer, at, end);
            case FrameFormat.TypeProbeReply:
                return ReceiveProbeReply(neighbor, buffer, at, end);
            default:
                return ReceiveRequest(neighbor, destination, buffer, at, end);
        }
    }

    private ParseError ReceiveAck(byte[] buffer, int offset, int count)
    {
        if (count > FrameFormat.AckLongLength)
        {
            return ParseError.BadLength;
        }

        if (!_hop.Select(buffer[offset] & 3))
        {
            return ParseError.OtherNetwork;
        }

        byte low = buffer[offset + FrameFormat.AckOffsetCounter];
        byte bitmap = count == FrameFormat.AckLongLength ? buffer[offset + FrameFormat.AckOffsetBitmap] : (byte)0;
        int tagOffset = offset + count - FrameFormat.TagLength;
        int type = FrameFormat.GetType(buffer[offset]);
        if (type == FrameFormat.TypeBusy)
        {
            return ReceiveBusy(buffer, tagOffset, low, bitmap);
        }

        bool hasMail = type == FrameFormat.TypeAckMail;
        if (hasMail && _leaf == null)
        {
            return ParseError.NotForMe;
        }

        if (_leaf != null)
        {
            _leaf.IsMailPending = hasMail;
        }

        if (IsPollAck(buffer, tagOffset, low, bitmap, hasMail))
        {
            ApplyAck(ParentSlot(), _leaf.PollCounter, bitmap);
            return ParseError.None;
        }

        if (ApplyQueueAck(buffer, tagOffset, low, bitmap, type))
        {
            return ParseError.None;
        }

        int acker = FindFloodAcker(buffer, tagOffset, low, bitmap, out uint flooded);
        if (acker != NeighborTable.None)
        {
            ApplyAck(acker, flooded, bitmap);
            return ParseError.None;
        }

        return ParseError.NotForMe;
    }

    /// <summary>True where the ack is for a frame that carried a message from the queue.</summary>
    private bool ApplyQueueAck(byte[] buffer, int tagOffset, byte low, byte bitmap, int type)
    {
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            int neighbor = _queue.NextHop[slot];
            if (_queue.State[slot] == MessageQueue.StateFree || neighbor == NeighborTable.None)
            {
                continue;
            }

            // Few counters share their low byte; the tag tells which one is meant, as it covers the whole of it.
            uint counter = _queue.FrameCounter[slot];
            uint before = _queue.FrameCounterBefore[slot];
            ushort from = _neighbors.Address[neighbor];
            if ((byte)counter != low || counter == 0 || !_hop.CheckAck(buffer, tagOffset, from, Address, counter, bitmap, type))
            {
                counter = before;
                if ((byte)before != low || before == 0 || !_hop.CheckAck(buffer, tagOffset, from, Address, before, bitmap, type))
                {
                    continue;
                }
            }

            ApplyAck(neighbor, counter, bitmap);
            return true;
        }

        return false;
    }

    private void ApplyAck(int neighbor, uint counter, byte bitmap)
    {
        ApplyFloodAck(neighbor, counter, bitmap);
        bool any = false;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            byte state = _queue.State[slot];
            if (!_queue.IsUnderWay(slot) || _queue.NextHop[slot] != neighbor)
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
                _neighbors.HandleRtt(neighbor, (ushort)(_nowMs - _queue.SentMs[slot]));
            }

            any = true;
            CompleteHop(slot);
        }

        if (any)
        {
            _neighbors.HandleTry(neighbor, true);
            _neighbors.LastHeardMs[neighbor] = _nowMs;
            WakeScheduled();
        }

        if (_leaf != null)
        {
            HandleLeafAck(neighbor, counter, bitmap, any);
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
}
