namespace IoTMesh.Core;

/// <content>
/// Messages to all: flooded, with the neighbors' own copies as acknowledgement, and repeated for those that stay silent.
/// protocol.md 6.5.
/// </content>
public sealed partial class MeshNode
{
    private const int FloodRepeatsMax = 6;
    private const int FloodJitterPerNeighborMs = 4;
    private const int FloodWaitMs = 30;
    private const int FloodWaitMaxMs = 600;
    private const int FloodWantedMax = 8;

    // So many neighbors that hear a neighbor well have sent a copy: it has one too, as good as surely.
    private const int FloodCopiesEnough = 2;
    private readonly ulong[] _adjacent;

    private ParseError ReceiveFlood(int neighbor, uint frameCounter, byte[] buffer, int offset, int at, int end)
    {
        bool isWanted = false;
        if ((buffer[offset + FrameFormat.OffsetKind] & FrameFormat.FloodWantsAck) != 0)
        {
            int count = at < end ? buffer[at] : 0;
            at++;
            if (count > FloodWantedMax || at + (count * 2) > end)
            {
                return ParseError.Malformed;
            }

            for (; count > 0; count--)
            {
                isWanted |= Bytes.GetU16(buffer, at) == Address;
                at += 2;
            }
        }

        ParseError error = _header.Parse(buffer, at, end, _neighbors.Address[neighbor]);
        if (error != ParseError.None || _header.Destination != MeshAddress.All)
        {
            return error;
        }

        int slot = FindFlood(_header.Origin, _header.Counter);
        if (slot != MessageQueue.None)
        {
            CoverFlood(slot, neighbor);
        }

        if (_header.Origin == Address || slot != MessageQueue.None || IsKnownFlood())
        {
            Counters.Duplicates++;
        }
        else if (!TakeFlood(neighbor, buffer))
        {
            // Nothing is remembered and nothing said: a neighbor that misses this node's copy sends its own again.
            Counters.DroppedQueueFull++;
            return ParseError.None;
        }

        if (isWanted)
        {
            _neighbors.OweAck(neighbor, frameCounter, false, false);
            _timers.SetEarlier(Timer.Ack, _nowMs + Config.AckDelayMs);
        }

        return ParseError.None;
    }

    /// <summary>True for the message in _header where it came before: broadcasts are remembered apart from what else passes by.</summary>
    private bool IsKnownFlood()
    {
        if (_floods.Contains(_header.Origin, _header.Counter, DuplicateCache.WayPlain))
        {
            return true;
        }

        // Forgotten there after a flood of broadcasts, but opened here and so in the window of its origin.
        int peer = _peers.Find(_header.Origin);
        return peer != PeerTable.None && _header.IsWide && _peers.Boot[peer] == _header.Boot
            && ReplayWindow.WasAccepted(_peers.CounterHigh[peer], _peers.CounterSeen[peer], _header.Counter);
    }

    /// <summary>Queues the message in _header to be passed on, and opens it; false where there is no room.</summary>
    private bool TakeFlood(int neighbor, byte[] buffer)
    {
        bool passesOn = _header.HopLimit > 1 && _leaf == null;
        if (_effects.Free < 5 || !HasFloodRoom(passesOn ? 2 : 1))
        {
            return false;
        }

        _floods.Add(_header.Origin, _header.Counter, DuplicateCache.WayPlain, _header.HopLimit);

        // Queued first: opening the message changes the parsed header.
        if (passesOn)
        {
            _header.HopLimit--;
            int jitterMs = FloodJitterPerNeighborMs * (_neighbors.Count + 1);
            int slot = _queue.Take(_header, (byte)MeshClass.Normal, MessageQueue.StateFlood, _nowMs + 2 + _prng.Next(jitterMs));
            _header.HopLimit++;
            if (slot == MessageQueue.None)
            {
                return true;
            }

            System.Array.Copy(buffer, _header.BodyOffset, _queue.Body, _queue.BodyOffset(slot), _header.BodyLength);
            CoverFlood(slot, neighbor);
            CoverFlood(slot, _neighbors.Find(_header.Origin));
            Counters.Forwarded++;
            _timers.SetEarlier(Timer.Queue, _queue.DueMs[slot]);
        }

        ReceiveEndToEnd((byte)MeshClass.Normal, buffer, _neighbors.RssiDbm[neighbor]);
        return true;
    }

    /// <summary>
    /// Makes room for that many slots: messages without a route give way, then broadcasts that were sent already, the most repeated
    /// first. Broadcasts hold at most half of the queue.
    /// </summary>
    private bool HasFloodRoom(int slots)
    {
        int floods = 0;
        int mostSent = MessageQueue.None;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] == MessageQueue.StateFlood)
            {
                floods++;
                bool more = mostSent == MessageQueue.None || _queue.Tries[slot] > _queue.Tries[mostSent];
                mostSent = _queue.Tries[slot] > 0 && more ? slot : mostSent;
            }
        }

        if (floods >= _queue.Capacity / 2 || _queue.Used + slots > _queue.Capacity)
        {
            int victim = _queue.Used + slots > _queue.Capacity ? _queue.OldestWithoutRoute() : MessageQueue.None;
            if (victim != MessageQueue.None)
            {
                Counters.DroppedNoRoute++;
                GiveUp(victim);
            }
            else if (mostSent != MessageQueue.None)
            {
                EndFlood(mostSent);
                floods--;
            }
        }

        return _queue.Used + slots <= _queue.Capacity && floods < _queue.Capacity / 2;
    }

    private int FindFlood(ushort origin, uint counter)
    {
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] == MessageQueue.StateFlood && _queue.Origin[slot] == origin
                && (ushort)_queue.Counter[slot] == (ushort)counter)
            {
                return slot;
            }
        }

        return MessageQueue.None;
    }

    // Which neighbors have the broadcast of a slot: bits by neighbor slot, kept where other messages keep a frame counter and a
    // reading's number.
    private ulong CoveredBy(int slot)
    {
        return _queue.FrameCounter[slot] | ((ulong)_queue.ReadingSeq[slot] << 32);
    }

    private void CoverFlood(int slot, int neighbor)
    {
        if (neighbor < 0)
        {
            return;
        }

        if (neighbor < 32)
        {
            _queue.FrameCounter[slot] |= 1U << neighbor;
        }
        else if (neighbor < 64)
        {
            _queue.ReadingSeq[slot] |= 1U << (neighbor - 32);
        }
    }

    /// <summary>Bits of the neighbors that may not have the broadcast of that slot. Neighbor slots from 64 on are never waited for.</summary>
    /// <param name="withUnproven">Neighbors too that were heard only: a first copy may help them, repeats are for those that can answer.</param>
    private ulong MissingIn(int slot, bool withUnproven)
    {
        ulong covered = CoveredBy(slot);
        int own = _queue.Tries[slot] > 0 ? 1 : 0;
        ulong missing = 0;
        _routes.GetAdjacent(_adjacent);
        for (int n = 0; n < _neighbors.Capacity && n < 64; n++)
        {
            bool counts = _neighbors.Address[n] != MeshAddress.None && !_children.IsChild(n) && (withUnproven || _neighbors.IsUsable(n));
            if (!counts || ((covered >> n) & 1) != 0)
            {
                continue;
            }

            int copies = CountBits(_adjacent[n] & covered);
            if (copies == 0 || copies + own < FloodCopiesEnough)
            {
                missing |= 1UL << n;
            }
        }

        return missing;
    }

    private static int CountBits(ulong word)
    {
        int count = 0;
        for (; word != 0; word &= word - 1)
        {
            count++;
        }

        return count;
    }

    /// <summary>The broadcast is due: sends it where a neighbor may miss it, else is done with it.</summary>
    private void StepFlood(int slot)
    {
        int sent = _queue.Tries[slot];
        ulong missing = MissingIn(slot, sent == 0);
        bool isFirstOfAll = sent == 0 && _queue.Origin[slot] == Address;
        if ((missing == 0 && !isFirstOfAll) || sent > FloodRepeatsMax)
        {
            EndFlood(slot);
            return;
        }

        _effects.PushOnce(Effect.SendFlood, slot, 0);
        int waitMs = (FloodWaitMs + (FloodJitterPerNeighborMs * _neighbors.Count)) << (sent > 0 ? sent - 1 : 0);
        waitMs = waitMs > FloodWaitMaxMs ? FloodWaitMaxMs : waitMs;
        _queue.DueMs[slot] = _nowMs + waitMs + _prng.Next(waitMs / 2);
    }

    private bool EmitFlood(int slot, MeshOutput output)
    {
        if (_queue.State[slot] != MessageQueue.StateFlood)
        {
            return false;
        }

        bool isRepeat = _queue.Tries[slot] > 0;
        ulong missing = isRepeat ? MissingIn(slot, false) : 0;
        if (isRepeat && missing == 0)
        {
            return false;
        }

        int at = BeginFrame(output, FrameFormat.TypeFlood, isRepeat ? FrameFormat.FloodWantsAck : 0, 0, MeshAddress.All);
        if (isRepeat)
        {
            at = EmitWanted(missing, output.Buffer, at);
        }

        at = EmitMessage(slot, output, at, false);
        _queue.Tries[slot]++;
        _queue.FrameCounterBefore[slot] = output.Counter;
        Counters.DataFramesSent++;
        return FinishFrame(output, at);
    }

    private int EmitWanted(ulong missing, byte[] frame, int at)
    {
        int count = 0;
        for (int n = 0; n < _neighbors.Capacity && n < 64 && count < FloodWantedMax; n++)
        {
            if (((missing >> n) & 1) != 0)
            {
                Bytes.PutU16(frame, at + 1 + (count * 2), _neighbors.Address[n]);
                count++;
            }
        }

        frame[at] = (byte)count;
        return at + 1 + (count * 2);
    }

    /// <summary>An ack without addresses whose counter may be that of a repeated broadcast: whose is it? None for nobody's.</summary>
    private int FindFloodAcker(byte[] buffer, int tagOffset, byte low, byte bitmap, out uint counter)
    {
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            counter = _queue.FrameCounterBefore[slot];
            if (_queue.State[slot] != MessageQueue.StateFlood || (byte)counter != low || counter == 0)
            {
                continue;
            }

            ulong covered = CoveredBy(slot);
            for (int n = 0; n < _neighbors.Capacity && n < 64; n++)
            {
                bool may = _neighbors.Address[n] != MeshAddress.None && ((covered >> n) & 1) == 0;
                if (may && _hop.CheckAck(buffer, tagOffset, _neighbors.Address[n], Address, counter, bitmap))
                {
                    return n;
                }
            }
        }

        counter = 0;
        return NeighborTable.None;
    }

    /// <summary>
    /// Notes which repeated broadcasts an ack of that neighbor names. It says nothing about the link: repeats go out where something was
    /// lost, so neither their acks nor the missing ones are a fair sample.
    /// </summary>
    private void ApplyFloodAck(int neighbor, uint counter, byte bitmap)
    {
        for (int slot = 0; slot < _queue.Capacity && neighbor < 64; slot++)
        {
            if (_queue.State[slot] == MessageQueue.StateFlood && ((CoveredBy(slot) >> neighbor) & 1) == 0
                && IsAcked(_queue.FrameCounterBefore[slot], counter, bitmap))
            {
                CoverFlood(slot, neighbor);
            }
        }
    }

    private void EndFlood(int slot)
    {
        if (_queue.Token[slot] != 0)
        {
            _effects.Push(Effect.Completed, _queue.Token[slot], CoveredBy(slot) != 0 ? 1 : 0);
        }

        _queue.Free(slot);
    }
}
