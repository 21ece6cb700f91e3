namespace IoTMesh.Core;

/// <content>
/// Messages longer than one frame: cut into fragments at the origin, forwarded each on its own, put together at the destination,
/// and only what is missing sent again, in the shape of RFC 8930 and RFC 8931. protocol.md 7.3.
/// </content>
public sealed partial class MeshNode
{
    private const int FragmentWindow = 8;
    private const int FragmentLateMs = 250;
    private const int TransferMaxMs = 120_000;
    private readonly Reassembly[] _reassemblies;

    // The message going out: its content is in entries of the pending table that follow each other.
    private int _transferEntry = PendingTable.None;
    private int _transferEntries;
    private uint _transferAcked;
    private uint _transferBurst;
    private uint _transferEnd;
    private bool _transferAsked;
    private bool _transferIsAnycast;

    private int FragmentSize => _plainCapacity - FragmentFormat.Length;

    /// <summary>Longest payload that Send takes here, bytes.</summary>
    private int MaxSendLength
    {
        get
        {
            int most = Config.MaxTransferLength;
            int kept = (_pending.Capacity * _plainCapacity) - 1;
            int cut = (FragmentFormat.MaxFragments * FragmentSize) - 1;
            most = kept < most ? kept : most;
            most = cut < most ? cut : most;
            return most < Config.MaxPayloadLength ? Config.MaxPayloadLength : most;
        }
    }

    private static Reassembly[] CreateReassemblies(MeshConfig config)
    {
        bool isOn = config.MaxTransferLength > config.MaxPayloadLength;
        var reassemblies = new Reassembly[isOn ? config.MaxTransfers : 0];
        for (int i = 0; i < reassemblies.Length; i++)
        {
            reassemblies[i] = new Reassembly(config.MaxTransferLength);
        }

        return reassemblies;
    }

    /// <summary>Keeps a long message and sends its first fragments; one at a time.</summary>
    private SendResult SendTransfer(ushort destination, byte port, MeshClass messageClass, byte[] payload, int offset, int count, out int token)
    {
        token = 0;
        bool wraps = _pending.OldestId(_nextConfirmedId) + ReplayWindow.Length <= _nextConfirmedId;
        int entries = (count + _plainCapacity) / _plainCapacity;
        int entry = _transferEntry != PendingTable.None || wraps ? PendingTable.None : _pending.TakeRun(entries);
        if (entry == PendingTable.None)
        {
            return SendResult.QueueFull;
        }

        token = TakeToken();
        _transferEntry = entry;
        _transferEntries = entries;
        _transferIsAnycast = destination == MeshAddress.AnyGateway;
        _transferEnd = Stamp.Of(_nowMs + TransferMaxMs);
        _transferAcked = 0;
        _transferBurst = 0;
        _transferAsked = false;
        _pending.IsConfirmed[entry] = true;
        _pending.Destination[entry] = destination;
        _pending.Class[entry] = (byte)messageClass;
        _pending.Token[entry] = token;
        _pending.Id[entry] = _nextConfirmedId++;
        int at = entry * _plainCapacity;
        _pending.Plain[at] = port;
        System.Array.Copy(payload, offset, _pending.Plain, at + 1, count);
        _pending.PlainLength[entry] = count + 1;
        _pending.DueMs[entry] = _nowMs;
        StepPending(entry);
        _timers.SetEarlier(Timer.Pending, _pending.DueMs[entry]);
        return SendResult.Accepted;
    }

    private void StepTransfer()
    {
        int entry = _transferEntry;
        if (_pending.Tries[entry] > Config.ConfirmedRetries || Stamp.IsDue(_transferEnd, _nowMs))
        {
            EndPending(entry, false);
            return;
        }

        if (_transferIsAnycast)
        {
            ChooseTransferGateway(entry);
        }

        ushort destination = _pending.Destination[entry];
        int peer = MeshAddress.IsUnicast(destination) ? _peers.FindOrAdd(destination) : PeerTable.None;
        if (peer == PeerTable.None || _peers.Boot[peer] == 0)
        {
            if (peer != PeerTable.None)
            {
                SendHello(destination, 1);
            }

            _pending.Tries[entry]++;
            _pending.DueMs[entry] = _nowMs + ((long)HelloRetryMs << (_pending.Tries[entry] / 2));
            return;
        }

        if (!_pending.IsSent[entry] || _transferAsked)
        {
            // A first burst, or one whose ack did not come.
            _pending.Tries[entry] = _pending.IsSent[entry] ? (byte)(_pending.Tries[entry] + 1) : (byte)1;
            _pending.IsSent[entry] = true;
            _transferBurst = 0;
            _transferAsked = false;
        }

        SendBurst(entry, destination);
    }

    // The gateway that has the first fragments must get them all, so the message keeps to it until it is out of reach or silent.
    private void ChooseTransferGateway(int entry)
    {
        ushort chosen = _pending.Destination[entry];
        ushort nearest = NearestGateway;
        bool isLost = !MeshAddress.IsUnicast(chosen) || GetNextHop(chosen) == MeshAddress.None || _pending.Tries[entry] > 2;
        if (isLost && nearest != MeshAddress.None && nearest != chosen)
        {
            _pending.Destination[entry] = nearest;
            _pending.IsSent[entry] = false;
            _transferAcked = 0;
        }
    }

    /// <summary>Sends what the destination lacks, up to a window, of which the last asks for an ack; a single one after a silence.</summary>
    private void SendBurst(int entry, ushort destination)
    {
        int count = FragmentFormat.CountOf(_pending.PlainLength[entry], FragmentSize);
        uint missing = FragmentFormat.AllOf(count) & ~_transferAcked & ~_transferBurst;
        int window = (_pending.Tries[entry] > 1 ? 1 : FragmentWindow) - CountBits(_transferBurst);
        for (int index = 0; index < count; index++)
        {
            if (((missing >> index) & 1) == 0)
            {
                continue;
            }

            missing &= ~(1U << index);
            bool asks = window <= 1 || missing == 0;
            bool hasRoom = _queue.Used < _queue.Capacity * 2 / 3;
            if (!hasRoom || !SendFragment(entry, destination, index, asks))
            {
                _pending.DueMs[entry] = _nowMs + PendingNoRoomMs;
                return;
            }

            _transferBurst |= 1U << index;
            window--;
            if (asks)
            {
                break;
            }
        }

        _transferAsked = true;
        int timeoutMs = Config.ConfirmTimeoutMs << (_pending.Tries[entry] - 1);
        _pending.DueMs[entry] = _nowMs + timeoutMs + _prng.Next(timeoutMs / 4);
    }

    private bool SendFragment(int entry, ushort destination, int index, bool asks)
    {
        int total = _pending.PlainLength[entry];
        int start = index * FragmentSize;
        int count = total - start < FragmentSize ? total - start : FragmentSize;
        _plain[0] = ServiceKind.Fragment;
        Bytes.PutU32(_plain, FragmentFormat.OffsetId, _pending.Id[entry]);
        Bytes.PutU16(_plain, FragmentFormat.OffsetTotal, (ushort)total);
        _plain[FragmentFormat.OffsetSize] = (byte)FragmentSize;
        _plain[FragmentFormat.OffsetIndex] = (byte)(index | (asks ? FragmentFormat.FlagAsk : 0));
        System.Array.Copy(_pending.Plain, (entry * _plainCapacity) + start, _plain, FragmentFormat.Length, count);
        return Compose(MessageKind.Service, destination, _pending.Class[entry], true, FragmentFormat.Length + count) != MessageQueue.None;
    }

    private void ReceiveFragmentAck(int peer, int count)
    {
        int entry = _transferEntry;
        bool isMine = entry != PendingTable.None && count == FragmentFormat.AckLength
            && _pending.Destination[entry] == _peers.Address[peer]
            && _pending.Id[entry] == Bytes.GetU32(_plain, FragmentFormat.OffsetId)
            && (!_transferIsAnycast || _openedByGateway);
        if (!isMine)
        {
            return;
        }

        byte status = _plain[FragmentFormat.AckOffsetStatus];
        if (status == FragmentFormat.StatusComplete || status >= FragmentFormat.StatusRefused)
        {
            EndPending(entry, status == FragmentFormat.StatusComplete);
            return;
        }

        if (status == FragmentFormat.StatusBusy)
        {
            // What was sent is gone; the next try comes as after a silence.
            _transferAcked = 0;
            return;
        }

        uint here = Bytes.GetU32(_plain, FragmentFormat.AckOffsetBitmap);
        bool hasNews = (here & ~_transferAcked) != 0;
        bool hasLate = (_transferBurst & ~here) != 0;
        _transferAcked = here;
        if (hasNews)
        {
            // A fragment that is tried again on some hop was overtaken by the one that asked: it gets a moment.
            _pending.Tries[entry] = 1;
            _transferBurst = 0;
            _transferAsked = false;
            _pending.DueMs[entry] = hasLate ? _nowMs + FragmentLateMs : _nowMs;
            _timers.SetEarlier(Timer.Pending, _pending.DueMs[entry]);
        }
    }

    private void ReceiveFragment(int peer, byte messageClass, int count, sbyte rssiDbm)
    {
        int length = count - FragmentFormat.Length;
        if (length <= 0)
        {
            return;
        }

        uint id = Bytes.GetU32(_plain, FragmentFormat.OffsetId);
        ushort total = Bytes.GetU16(_plain, FragmentFormat.OffsetTotal);
        byte size = _plain[FragmentFormat.OffsetSize];
        bool asks = (_plain[FragmentFormat.OffsetIndex] & FragmentFormat.FlagAsk) != 0;
        int index = _plain[FragmentFormat.OffsetIndex] & FragmentFormat.IndexMask;
        int rest = total - (index * size);
        if (size == 0 || total > FragmentFormat.MaxFragments * size || rest <= 0 || length != (rest < size ? rest : size))
        {
            Counters.Refused[(int)ParseError.Malformed]++;
            return;
        }

        byte status = FragmentFormat.StatusBusy;
        uint have = 0;
        bool isFresh = ReplayWindow.IsFresh(_peers.ConfirmedHigh[peer], _peers.ConfirmedSeen[peer], id);
        Reassembly reassembly = isFresh && total - 1 <= Config.MaxTransferLength ? FindReassembly(_peers.Address[peer], id, total, size) : null;
        if (!isFresh)
        {
            status = FragmentFormat.StatusComplete;
        }
        else if (_reassemblies.Length == 0 || total - 1 > Config.MaxTransferLength)
        {
            status = FragmentFormat.StatusRefused;
        }
        else if (reassembly != null && reassembly.Put(total, size, index, _plain, FragmentFormat.Length, length, _nowMs))
        {
            status = FragmentFormat.StatusUnderWay;
            have = reassembly.Have;
            if (reassembly.IsComplete)
            {
                AcceptConfirmedId(peer, id);
                Deliver(0, 0, rssiDbm);
                status = FragmentFormat.StatusComplete;
                asks = true;
            }
        }

        if (asks)
        {
            SendFragmentAck(peer, messageClass, id, status, have);
        }
    }

    private void SendFragmentAck(int peer, byte messageClass, uint id, byte status, uint have)
    {
        _plain[0] = ServiceKind.FragmentAck;
        Bytes.PutU32(_plain, FragmentFormat.OffsetId, id);
        _plain[FragmentFormat.AckOffsetStatus] = status;
        Bytes.PutU32(_plain, FragmentFormat.AckOffsetBitmap, have);
        Compose(MessageKind.Service, _peers.Address[peer], messageClass, true, FragmentFormat.AckLength);
    }

    /// <summary>The buffer of that message, or one for it, or null where all are taken.</summary>
    private Reassembly FindReassembly(ushort origin, uint id, ushort total, byte size)
    {
        Reassembly free = null;
        for (int i = 0; i < _reassemblies.Length; i++)
        {
            Reassembly entry = _reassemblies[i];
            if (entry.Origin == origin && !entry.IsComplete)
            {
                if (entry.Id == id)
                {
                    return entry;
                }

                // An origin sends one at a time, so the later one tells that it has given up the other.
                if (id < entry.Id)
                {
                    return null;
                }

                free = entry;
                break;
            }

            free = free == null && entry.GivesWay(_nowMs) ? entry : free;
        }

        if (free != null)
        {
            free.Begin(origin, id, total, size, _nowMs);
        }

        return free;
    }

    /// <summary>The long message of that origin that is all here; null for none.</summary>
    private Reassembly FindComplete(ushort origin)
    {
        for (int i = 0; i < _reassemblies.Length; i++)
        {
            if (_reassemblies[i].Origin == origin && _reassemblies[i].IsComplete)
            {
                return _reassemblies[i];
            }
        }

        return null;
    }

    /// <summary>The origin has restarted: its numbers begin anew, and what it was sending is gone.</summary>
    private void ForgetTransfersOf(ushort origin)
    {
        for (int i = 0; i < _reassemblies.Length; i++)
        {
            if (_reassemblies[i].Origin == origin && !_reassemblies[i].IsComplete)
            {
                _reassemblies[i].Free();
            }
        }
    }
}
