namespace IoTMesh.Core;

/// <content>Bulk messages wait for company, at their origin and at relays, and go on together. protocol.md 6.6.</content>
public sealed partial class MeshNode
{
    /// <summary>What a bulk message adds to a frame besides its body, at most: header and length.</summary>
    private const int BulkOverhead = 7;

    /// <summary>Frames that brought this much do not wait again.</summary>
    private const int LongFrameLength = 140;
    private int _frameLength;
    private bool _readingsAreBulk;

    private static bool MayWait(byte kind, ushort destination)
    {
        return destination == MeshAddress.AnyGateway && (kind == MessageKind.Reading || kind == MessageKind.Datagram || kind == MessageKind.Batch);
    }

    private bool WaitsForCompany(int slot)
    {
        return _queue.State[slot] == MessageQueue.StateReady && _queue.Class[slot] == (byte)MeshClass.Bulk && _queue.Tries[slot] == 0
            && !_queue.HasNoRoute[slot] && MayWait(_queue.Kind[slot], _queue.Destination[slot]);
    }

    /// <summary>A bulk message was taken over from a neighbor: it waits here, unless it came with much or much is waiting.</summary>
    private void LetWait(int slot)
    {
        if (!WaitsForCompany(slot) || Config.AggregateMs == 0 || _frameLength >= LongFrameLength)
        {
            return;
        }

        // Shorter with each hop, so that a long way adds little: the more nodes are behind a relay, the sooner company comes.
        int hops = Config.HopLimit - _queue.HopLimit[slot];
        _queue.DueMs[slot] = _nowMs + (Config.AggregateMs / (hops < 1 ? 1 : hops));
        int waiting = 0;
        for (int i = 0; i < _queue.Capacity; i++)
        {
            waiting += WaitsForCompany(i) ? _queue.BodyLength[i] + BulkOverhead : 0;
        }

        // One more of this length would not fit.
        int head = FrameFormat.NarrowLength + 1 + FrameFormat.RidingAckLength + FrameFormat.TagLength;
        if (head + waiting + _queue.BodyLength[slot] + BulkOverhead > Config.MaxFrameLength || _queue.Used > _queue.Capacity / 2)
        {
            _queue.DueMs[slot] = _nowMs;
        }
    }

    /// <summary>Where one bulk message is due, all that wait go with it.</summary>
    private void GatherBulk()
    {
        bool due = false;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            due |= WaitsForCompany(slot) && _queue.DueMs[slot] <= _nowMs;
        }

        if (!due)
        {
            return;
        }

        SendHeldDatagrams();
        if (_readingsAreBulk)
        {
            PumpCustody();
        }

        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            _queue.DueMs[slot] = WaitsForCompany(slot) ? _nowMs : _queue.DueMs[slot];
        }
    }

    /// <summary>Keeps an own bulk datagram to any gateway for others to join; false where it has to go at once.</summary>
    private bool HoldDatagram(ushort destination, byte port, byte[] payload, int offset, int count, out int token)
    {
        token = 0;
        int held = 0;
        int bytes = 0;
        long dueMs = _nowMs + Config.AggregateMs;
        for (int i = 0; i < _pending.Capacity; i++)
        {
            bool holds = IsHeldDatagram(i);
            held += holds || IsInBatch(i) ? 1 : 0;
            bytes += holds ? _pending.PlainLength[i] + 1 : 0;
            dueMs = holds && _pending.DueMs[i] < dueMs ? _pending.DueMs[i] : dueMs;
        }

        // Half of the table is left to messages that must be confirmed.
        int room = _pending.Capacity / 2;
        if (held >= room || !MayWait(MessageKind.Datagram, destination) || Config.AggregateMs == 0)
        {
            return false;
        }

        int entry = _pending.Take();
        if (entry == PendingTable.None)
        {
            return false;
        }

        token = TakeToken();
        _pending.IsConfirmed[entry] = false;
        _pending.Destination[entry] = destination;
        _pending.Class[entry] = (byte)MeshClass.Bulk;
        _pending.Token[entry] = token;
        int at = entry * _pending.PlainCapacity;
        _pending.Plain[at] = port;
        System.Array.Copy(payload, offset, _pending.Plain, at + 1, count);
        _pending.PlainLength[entry] = count + 1;
        bool full = held + 1 == room || bytes + (2 * (count + 2)) + 2 > _plainCapacity;
        _pending.DueMs[entry] = full ? _nowMs : dueMs;
        _timers.SetEarlier(Timer.Pending, _pending.DueMs[entry]);
        return true;
    }

    private bool IsHeldDatagram(int entry)
    {
        return _pending.Used[entry] && !_pending.IsConfirmed[entry] && !_pending.IsSent[entry]
            && _pending.Destination[entry] == MeshAddress.AnyGateway;
    }

    private bool IsInBatch(int entry)
    {
        return _pending.Used[entry] && !_pending.IsConfirmed[entry] && _pending.IsSent[entry];
    }

    /// <summary>Composes what is held, in one message where it is several datagrams. Their entries stay until the next hop has it.</summary>
    private void SendHeldDatagrams()
    {
        int count = 0;
        int sameLength = -1;
        int samePort = -1;
        int room = _plainCapacity - 4;
        for (int i = 0; i < _pending.Capacity && count < BatchView.CountMax; i++)
        {
            int length = _pending.PlainLength[i];
            if (!IsHeldDatagram(i) || (room < length + 1 && count > 0))
            {
                continue;
            }

            int port = _pending.Plain[i * _pending.PlainCapacity];
            sameLength = count == 0 || sameLength == length ? length : 0;
            samePort = count == 0 || samePort == port ? port : MeshPort.Batch;
            room -= length + 1;
            _batch[count] = i;
            count++;
        }

        if (count == 0)
        {
            return;
        }

        int bytes = count == 1 ? CopyHeld(_batch[0], 0, true) : PutDatagrams(count, sameLength, samePort);
        int slot = Compose(MessageKind.Datagram, MeshAddress.AnyGateway, (byte)MeshClass.Bulk, IsNextWide(MeshAddress.AnyGateway), bytes);
        for (int i = 0; i < count; i++)
        {
            int entry = _batch[i];
            _pending.DueMs[entry] = slot == MessageQueue.None ? _nowMs + PendingNoRoomMs : long.MaxValue;
            _pending.IsSent[entry] = slot != MessageQueue.None;
            _pending.Id[entry] = (uint)(slot + 1);
        }
    }

    private int PutDatagrams(int count, int sameLength, int samePort)
    {
        bool oneLength = sameLength > 0;
        bool onePort = samePort != MeshPort.Batch;
        _plain[0] = MeshPort.Batch;
        _plain[1] = (byte)(count | (oneLength ? BatchView.FormOneLength : 0) | (onePort ? BatchView.FormOnePort : 0));
        int at = 2;
        if (oneLength)
        {
            _plain[at] = (byte)(sameLength - 1);
            at++;
        }

        if (onePort)
        {
            _plain[at] = (byte)samePort;
            at++;
        }

        for (int i = 0; i < count; i++)
        {
            if (!oneLength)
            {
                _plain[at] = (byte)(_pending.PlainLength[_batch[i]] - 1);
                at++;
            }

            at = CopyHeld(_batch[i], at, !onePort);
        }

        return at;
    }

    // The plaintext of a pending datagram is its port and its payload.
    private int CopyHeld(int entry, int at, bool withPort)
    {
        int skip = withPort ? 0 : 1;
        int length = _pending.PlainLength[entry] - skip;
        System.Array.Copy(_pending.Plain, (entry * _pending.PlainCapacity) + skip, _plain, at, length);
        return at + length;
    }

    /// <summary>The datagrams that this queued message carries are done.</summary>
    private void EndHeldDatagrams(int slot, bool success)
    {
        for (int i = 0; i < _pending.Capacity; i++)
        {
            if (IsInBatch(i) && _pending.Id[i] == (uint)(slot + 1))
            {
                EndPending(i, success);
            }
        }
    }
}
