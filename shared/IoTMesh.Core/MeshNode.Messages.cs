namespace IoTMesh.Core;

/// <content>Messages of the application: sending, confirmation. protocol.md 7.</content>
public sealed partial class MeshNode
{
    private const int HelloRetryMs = 800;
    private const int HelloTries = 8;
    private const int PendingNoRoomMs = 100;
    private uint _nextConfirmedId = 1;

    /// <summary>
    /// Sends a message end to end, encrypted for the destination. A confirmed one is repeated until the destination's
    /// confirmation arrives or its retries end; SendCompleted tells with the token. <see cref="MeshAddress.All"/> reaches
    /// every node, protected by the group key only and never confirmed. A payload longer than <see cref="MeshConfig.MaxPayloadLength"/>,
    /// up to <see cref="MeshConfig.MaxTransferLength"/>, goes to one node or any gateway in fragments, one such message at a time, and is
    /// always confirmed.
    /// </summary>
    public SendResult Send(
        long nowMs, ushort destination, byte port, MeshClass messageClass, bool confirmed, byte[] payload, int offset, int count, out int token)
    {
        token = 0;
        Advance(nowMs);
        if (!_started || !_record.CanSendMessage)
        {
            return SendResult.NotReady;
        }

        bool isLong = count > Config.MaxPayloadLength;
        if (isLong && (count > MaxSendLength || destination == MeshAddress.All))
        {
            return SendResult.TooLong;
        }

        bool unicast = MeshAddress.IsUnicast(destination);
        bool anyGateway = destination == MeshAddress.AnyGateway && !Config.IsGateway;
        bool valid = (unicast && destination != Address) || anyGateway || (destination == MeshAddress.All && !confirmed);
        if (!valid)
        {
            return SendResult.InvalidDestination;
        }

        int peer = unicast ? _peers.FindOrAdd(destination) : PeerTable.None;
        if (SendCipherFor(destination, peer) == null)
        {
            return SendResult.NoKey;
        }

        if (isLong)
        {
            return SendTransfer(destination, port, messageClass, payload, offset, count, out token);
        }

        bool bootUnknown = unicast && _peers.Boot[peer] == 0;
        if (confirmed || bootUnknown)
        {
            return SendPending(destination, port, messageClass, confirmed, payload, offset, count, out token);
        }

        if (messageClass == MeshClass.Bulk && HoldDatagram(destination, port, payload, offset, count, out token))
        {
            return SendResult.Accepted;
        }

        if (!MayTake(Address, (int)messageClass))
        {
            return SendResult.QueueFull;
        }

        _plain[0] = port;
        System.Array.Copy(payload, offset, _plain, 1, count);
        int slot = Compose(MessageKind.Datagram, destination, (byte)messageClass, IsNextWide(destination), count + 1);
        if (slot == MessageQueue.None)
        {
            return SendResult.QueueFull;
        }

        token = TakeToken();
        _queue.Token[slot] = token;
        AddCopy(slot);
        return SendResult.Accepted;
    }

    private SendResult SendPending(
        ushort destination, byte port, MeshClass messageClass, bool confirmed, byte[] payload, int offset, int count, out int token)
    {
        token = 0;
        if (confirmed && _pending.OldestId(_nextConfirmedId) + ReplayWindow.Length <= _nextConfirmedId)
        {
            // The destination tells repetitions from news within so many numbers.
            return SendResult.QueueFull;
        }

        int entry = _pending.Take();
        if (entry == PendingTable.None)
        {
            return SendResult.QueueFull;
        }

        NotePending();
        token = TakeToken();
        _pending.IsConfirmed[entry] = confirmed;
        _pending.Destination[entry] = destination;
        _pending.Class[entry] = (byte)messageClass;
        _pending.Token[entry] = token;
        int at = entry * _pending.PlainCapacity;
        int length = 0;
        if (confirmed)
        {
            // One number through all repetitions, each of which has a message counter of its own.
            _pending.Id[entry] = _nextConfirmedId++;
            Bytes.PutU32(_pending.Plain, at, _pending.Id[entry]);
            length = 4;
        }

        _pending.Plain[at + length] = port;
        System.Array.Copy(payload, offset, _pending.Plain, at + length + 1, count);
        _pending.PlainLength[entry] = length + 1 + count;
        _pending.DueMs[entry] = _nowMs;
        StepPending(entry);
        _timers.SetEarlier(Timer.Pending, _pending.DueMs[entry]);
        return SendResult.Accepted;
    }

    private void HandlePendingTimer()
    {
        for (int entry = 0; entry < _pending.Capacity; entry++)
        {
            if (_pending.Used[entry] && _pending.DueMs[entry] <= _nowMs)
            {
                StepPending(entry);
            }
        }

        _timers.Set(Timer.Pending, _pending.EarliestDueMs());
    }

    private void StepPending(int entry)
    {
        if (entry == _transferEntry)
        {
            StepTransfer();
            return;
        }

        if (IsHeldDatagram(entry))
        {
            SendHeldDatagrams();
            return;
        }

        ushort destination = _pending.Destination[entry];
        int peer = MeshAddress.IsUnicast(destination) ? _peers.FindOrAdd(destination) : PeerTable.None;
        bool bootUnknown = peer != PeerTable.None && _peers.Boot[peer] == 0;
        int limit = bootUnknown ? HelloTries : Config.ConfirmedRetries;

        // The hellos before do not count against the message itself.
        if (_pending.Tries[entry] > limit && (bootUnknown || _pending.IsSent[entry]))
        {
            EndPending(entry, false);
            return;
        }

        if (bootUnknown)
        {
            SendHello(destination, 1);
            _pending.Tries[entry]++;
            _pending.DueMs[entry] = _nowMs + (HelloRetryMs << (_pending.Tries[entry] / 3));
            return;
        }

        System.Array.Copy(_pending.Plain, entry * _pending.PlainCapacity, _plain, 0, _pending.PlainLength[entry]);
        byte kind = _pending.IsConfirmed[entry] ? MessageKind.Confirmed : MessageKind.Datagram;
        int slot = Compose(kind, destination, _pending.Class[entry], true, _pending.PlainLength[entry]);
        if (slot == MessageQueue.None)
        {
            _pending.DueMs[entry] = _nowMs + PendingNoRoomMs;
            return;
        }

        if (!_pending.IsConfirmed[entry])
        {
            _queue.Token[slot] = _pending.Token[entry];
            _pending.Used[entry] = false;
            return;
        }

        _pending.Tries[entry] = _pending.IsSent[entry] ? (byte)(_pending.Tries[entry] + 1) : (byte)1;
        _pending.IsSent[entry] = true;
        _pending.DueMs[entry] = _nowMs + ((long)Config.ConfirmTimeoutMs << (_pending.Tries[entry] - 1));
    }

    /// <summary>The destination's boot number is known or changed: what waits for it goes out now.</summary>
    private void WakePending(ushort destination)
    {
        for (int entry = 0; entry < _pending.Capacity; entry++)
        {
            if (_pending.Used[entry] && _pending.Destination[entry] == destination)
            {
                _pending.DueMs[entry] = _nowMs;
                _timers.SetEarlier(Timer.Pending, _nowMs);
            }
        }
    }

    private void CompletePending(ushort origin, uint id)
    {
        int entry = _pending.FindById(origin, id);
        if (entry == PendingTable.None && _openedByGateway)
        {
            entry = _pending.FindById(MeshAddress.AnyGateway, id);
        }

        if (entry != PendingTable.None)
        {
            EndPending(entry, true);
        }
    }

    private void EndPending(int entry, bool success)
    {
        _pending.Used[entry] = false;
        if (entry == _transferEntry)
        {
            for (int i = 1; i < _transferEntries; i++)
            {
                _pending.Used[entry + i] = false;
            }

            _transferEntry = PendingTable.None;
        }

        _effects.Push(Effect.Completed, _pending.Token[entry], success ? 1 : 0);
    }
}
