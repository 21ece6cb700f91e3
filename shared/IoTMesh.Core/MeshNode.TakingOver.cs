namespace IoTMesh.Core;

/// <content>Messages in: what is taken over from a neighbor, and what is recognised. protocol.md 6.2.</content>
public sealed partial class MeshNode
{
    private const int CameBackPauseMs = 50;
    private int _sender;

    private ParseError ReceiveData(int neighbor, uint counter, byte[] buffer, int offset, int at, int end)
    {
        if (at >= end)
        {
            return ParseError.TooShort;
        }

        if (!_neighbors.IsUsable(neighbor))
        {
            Challenge(neighbor);
            return ParseError.UnknownNeighbor;
        }

        _frameLength = end - offset + FrameFormat.TagLength;
        int cost = buffer[at];
        at++;
        byte messageClass = (byte)(buffer[offset + FrameFormat.OffsetKind] & 3);
        at = ReadAge(messageClass, buffer, at, end);
        _sender = neighbor;
        if (_leaf != null)
        {
            NoteMail();
        }

        bool acknowledgesTwice = (buffer[offset + FrameFormat.OffsetNetwork] & FrameFormat.FlagAckTwice) != 0;
        return TakeMessages(neighbor, counter, messageClass, cost, acknowledgesTwice, buffer, at, end);
    }

    /// <summary>Takes over what a data frame carries, and owes its sender the answer.</summary>
    private ParseError TakeMessages(
        int neighbor, uint counter, byte messageClass, int cost, bool acknowledgesTwice, byte[] buffer, int at, int end)
    {
        ushort source = _neighbors.Address[neighbor];
        bool accepted = true;
        int duplicates = 0;
        int taken = 0;
        for (int place = 0; at < end; place++)
        {
            ParseError error = _header.Parse(buffer, at, end, source);
            if (error != ParseError.None)
            {
                return error;
            }

            at = _header.BodyOffset + _header.BodyLength;
            bool isTaken = TakeOne(messageClass, neighbor, cost, buffer, ref duplicates);
            accepted &= isTaken;
            taken |= isTaken && place < MessageQueue.PlacesInBusy ? 1 << place : 0;
        }

        if (accepted)
        {
            _neighbors.OweAck(neighbor, counter, duplicates != 0, acknowledgesTwice);
            _timers.SetEarlier(Timer.Ack, _nowMs + AckDelayMs(messageClass));
        }
        else if (_leaf == null)
        {
            _effects.Push(Effect.SendBusy, neighbor | (taken << 8), (int)counter);
        }

        return ParseError.None;
    }

    /// <summary>The message in _header: false where there is no room for it.</summary>
    private bool TakeOne(byte messageClass, int neighbor, int cost, byte[] buffer, ref int duplicates)
    {
        // With waypoints a message may come back this way, once.
        bool turned = _waypointCount != MessageQueue.NoWaypoints;
        int way = turned ? DuplicateCache.WayTurned : _isCopy && !IsMine() ? DuplicateCache.WayCopy : DuplicateCache.WayPlain;
        int seen = _duplicates.Find(_header.Origin, _header.Counter, way);
        if ((_header.Origin == Address && !turned) || (seen != DuplicateCache.None && !IsMine() && _duplicates.CameBack(seen, _header.HopLimit)))
        {
            return TakeBack(messageClass, neighbor, buffer);
        }

        if (seen != DuplicateCache.None)
        {
            Counters.Duplicates++;
            duplicates++;
            return true;
        }

        byte hopLimit = _header.HopLimit;
        if (!TakeOver(messageClass, buffer, _neighbors.RssiDbm[neighbor]))
        {
            return false;
        }

        _duplicates.Add(_header.Origin, _header.Counter, way, hopLimit);
        CheckRank(cost);
        return true;
    }

    private bool IsMine()
    {
        return _header.Destination == Address || (_header.Destination == MeshAddress.AnyGateway && Config.IsGateway);
    }

    /// <summary>
    /// A message that was passed on from here is back: routes changed while it was under way. Whoever sent it is rid of it, so it is taken
    /// again and tries another way after a pause; the hop limit ends that. False where there is no room. protocol.md 6.2.
    /// </summary>
    private bool TakeBack(byte messageClass, int neighbor, byte[] buffer)
    {
        Counters.LoopsDetected++;
        AnnounceSoon(false);
        if (_queue.Holds(_header.Origin, _header.Counter))
        {
            return true;
        }

        int slot = Enqueue(messageClass, buffer);
        if (slot != MessageQueue.None)
        {
            _queue.Avoid[slot] = neighbor;
            _queue.DueMs[slot] = _nowMs + CameBackPauseMs;
        }

        return slot != MessageQueue.None || _header.HopLimit <= 1;
    }

    /// <summary>Delivers or queues the message in _header; false where there is no room, so that its sender keeps it.</summary>
    private bool TakeOver(byte messageClass, byte[] buffer, sbyte rssiDbm)
    {
        if (IsMine())
        {
            return ReceiveEndToEnd(messageClass, buffer, rssiDbm);
        }

        if (_leaf != null)
        {
            return false;
        }

        return IsTooOld(messageClass) || Enqueue(messageClass, buffer) != MessageQueue.None || _header.HopLimit <= 1;
    }

    /// <summary>Queues the message in _header for its next hop; None where its hop limit ends here or there is no room.</summary>
    private int Enqueue(byte messageClass, byte[] buffer)
    {
        if (_header.HopLimit <= 1)
        {
            Counters.DroppedHopLimit++;
            AnswerWhereItEnds();
            return MessageQueue.None;
        }

        int slot = MessageQueue.None;
        if (MayTake(_header.Origin, messageClass))
        {
            slot = _queue.Take(_header, messageClass, MessageQueue.StateReady, _nowMs);
        }

        if (slot == MessageQueue.None)
        {
            Counters.DroppedQueueFull++;
            return MessageQueue.None;
        }

        _queue.HopLimit[slot]--;
        _queue.From[slot] = (byte)_sender;
        System.Array.Copy(buffer, _header.BodyOffset, _queue.Body, _queue.BodyOffset(slot), _header.BodyLength);
        KeepWaypoints(slot);
        _queue.GiveUpMs[slot] = _nowMs + (IsReading(slot) ? Config.ReadingHoldMs : HoldForwardedMs);
        SetDeadline(slot);
        LetWait(slot);
        Counters.Forwarded++;
        _timers.SetEarlier(Timer.Queue, _nowMs);
        return slot;
    }

    /// <summary>True where the queue has a free slot, or a message without a route made room.</summary>
    private bool HasRoom()
    {
        return _queue.Used < _queue.Capacity || EvictWithoutRoute();
    }

    // Datapath validation as in CTP: data must flow downhill. A sender that is not above us has an old picture of us.
    private void CheckRank(int senderCost)
    {
        int mine = CostByte(_header.Destination);
        if (_header.Destination == MeshAddress.AnyGateway && mine < 255 && senderCost < mine)
        {
            Counters.RankInversions++;
            AnnounceSoon(false);
        }
    }
}
