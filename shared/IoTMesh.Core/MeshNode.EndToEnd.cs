namespace IoTMesh.Core;

/// <content>End-to-end protection: ciphers, nonces, replay windows, what arrives here. protocol.md 8.</content>
public sealed partial class MeshNode
{
    /// <summary>Longest header inside a plaintext: that of a reading in the wide form.</summary>
    private const int PlainOverhead = 14;

    private const int HelloMinIntervalMs = 300;
    private readonly Ccm _ccm;
    private readonly byte[] _plain;
    private readonly int _plainCapacity;
    private readonly byte[] _nonce = new byte[Ccm.NonceLength];
    private readonly MessageHeader _composed = new MessageHeader();
    private IBlockCipher _upCipher;
    private IBlockCipher _downCipher;
    private IBlockCipher _groupCipher;
    private bool _openedByGateway;
    private long _lastHelloMs = long.MinValue / 2;

    private void PrepareCiphers()
    {
        if (_keys.DeviceKey != null)
        {
            _upCipher = _crypto.CreateAes(KeySchedule.Derive(_crypto, _keys.DeviceKey, KeySchedule.LabelUp, 0));
            _downCipher = _crypto.CreateAes(KeySchedule.Derive(_crypto, _keys.DeviceKey, KeySchedule.LabelDown, 0));
        }
    }

    /// <summary>Makes the ciphers shared with a peer on first use; false where no key is known.</summary>
    private bool PreparePeer(int peer)
    {
        if (_peers.SendCipher[peer] != null)
        {
            return true;
        }

        if (Config.IsGateway && _keys.Devices != null && _keys.Devices.MayJoin(_peers.Address[peer]) == JoinVerdict.Revoked)
        {
            return false;
        }

        byte[] key = new byte[KeySchedule.KeyLength];
        if (Config.IsGateway && _keys.Devices != null && _keys.Devices.TryGetDeviceKey(_peers.Address[peer], key))
        {
            _peers.ReceiveCipher[peer] = _crypto.CreateAes(KeySchedule.Derive(_crypto, key, KeySchedule.LabelUp, 0));
            _peers.SendCipher[peer] = _crypto.CreateAes(KeySchedule.Derive(_crypto, key, KeySchedule.LabelDown, 0));
            _peers.IsDevice[peer] = true;
            return true;
        }

        if (_keys.PairwiseShare == null)
        {
            return false;
        }

        PairwiseKeys.Derive(_crypto, _keys.PairwiseShare, Address, _peers.Address[peer], key);
        _peers.SendCipher[peer] = _crypto.CreateAes(key);
        _peers.ReceiveCipher[peer] = _peers.SendCipher[peer];
        return true;
    }

    private bool IsGatewayPeer(int peer)
    {
        if (_peers.IsGateway[peer])
        {
            return true;
        }

        int route = _routes.Find(_peers.Address[peer]);
        return route != RouteTable.None && _routes.IsGateway[route];
    }

    /// <summary>The cipher for messages to that destination, or null where none is known.</summary>
    private IBlockCipher SendCipherFor(ushort destination, int peer)
    {
        if (destination == MeshAddress.AnyGateway)
        {
            return _upCipher;
        }

        if (destination == MeshAddress.All)
        {
            return _groupCipher;
        }

        if (peer == PeerTable.None)
        {
            return null;
        }

        if (_upCipher != null && IsGatewayPeer(peer))
        {
            return _upCipher;
        }

        return PreparePeer(peer) ? _peers.SendCipher[peer] : null;
    }

    // protocol.md 8.4: everything a receiver relies on is in the nonce, so that no additional data is needed.
    private void MakeNonce(byte kind, ushort origin, ushort destination, uint counter, ushort receiverBoot, ushort originBoot)
    {
        byte[] nonce = _nonce;
        nonce[0] = kind;
        Bytes.PutU16(nonce, 1, origin);
        Bytes.PutU16(nonce, 3, destination);
        Bytes.PutU32(nonce, 5, counter);
        Bytes.PutU16(nonce, 9, receiverBoot);
        Bytes.PutU16(nonce, 11, originBoot);
    }

    private static bool IsBoundToBoot(byte kind, ushort destination)
    {
        return MeshAddress.IsUnicast(destination) && kind != MessageKind.Hello;
    }

    /// <summary>Seals _plain[0..count) into a queue slot; None where there is no room, no key, or no stored counter.</summary>
    private int Compose(byte kind, ushort destination, byte messageClass, bool wide, int count)
    {
        int peer = PeerTable.None;
        if (MeshAddress.IsUnicast(destination))
        {
            // A Hello may answer a made-up origin, so it alone earns nobody a place in the table.
            peer = kind == MessageKind.Hello ? _peers.FindOrSpare(destination) : _peers.FindOrAdd(destination);
        }

        return ComposeTo(kind, destination, peer, peer == PeerTable.None ? (ushort)0 : _peers.Boot[peer], messageClass, wide, count);
    }

    /// <param name="boot">Of the receiver, where it is one node.</param>
    private int ComposeTo(byte kind, ushort destination, int peer, ushort boot, byte messageClass, bool wide, int count)
    {
        IBlockCipher cipher = SendCipherFor(destination, peer);
        if (cipher == null || !_record.CanSendMessage || !HasRoom())
        {
            return MessageQueue.None;
        }

        MessageHeader header = _composed;
        header.Kind = kind;
        header.HopLimit = Config.HopLimit;
        header.Origin = Address;
        header.Destination = destination;
        header.Via = MeshAddress.None;
        header.IsWide = wide;
        header.Counter = _record.NextMessage++;
        header.Boot = _record.Boot;
        header.BodyLength = count + MessageHeader.TagLength;
        MakeNonce(kind, Address, destination, header.Counter, IsBoundToBoot(kind, destination) ? boot : (ushort)0, _record.Boot);
        _ccm.Seal(cipher, _nonce, null, 0, _plain, 0, count);
        bool flood = destination == MeshAddress.All;
        int slot = _queue.Take(header, messageClass, flood ? MessageQueue.StateFlood : MessageQueue.StateReady, _nowMs);
        System.Array.Copy(_plain, 0, _queue.Body, _queue.BodyOffset(slot), header.BodyLength);
        _queue.GiveUpMs[slot] = _nowMs + (messageClass == (byte)MeshClass.RealTime ? Config.RealTimeDeadlineMs : HoldOwnMs);
        _timers.SetEarlier(Timer.Queue, _nowMs);
        Counters.Originated++;
        StoreIfNeeded();

        return slot;
    }

    /// <summary>Opens the message in _header, which is for this node; false only where there is no room to deliver it.</summary>
    private bool ReceiveEndToEnd(byte messageClass, byte[] buffer, sbyte rssiDbm)
    {
        if (_effects.Free < 4 || !HasRoom())
        {
            Counters.DroppedQueueFull++;
            return false;
        }

        int peer = _peers.FindOrSpare(_header.Origin);
        bool unknown = peer != PeerTable.None && !_header.IsWide && (_peers.CounterHigh[peer] == 0 || _peers.Boot[peer] == 0);
        if (peer == PeerTable.None || unknown)
        {
            // A full table refuses the newcomer; a short counter cannot be completed for one never heard.
            Counters.EndToEndNoKey += unknown && HoldUntilKnown(peer, messageClass, buffer, rssiDbm) ? 0 : 1;
            return true;
        }

        uint counter = _header.IsWide ? _header.Counter : ReplayWindow.Expand(_peers.CounterHigh[peer], (ushort)_header.Counter);
        bool isOlder = _header.IsWide && _peers.Boot[peer] != 0 && SeqNo.IsNewer(_peers.Boot[peer], _header.Boot);
        bool isFresh = !isOlder && ReplayWindow.IsFresh(_peers.CounterHigh[peer], _peers.CounterSeen[peer], counter);
        _originSlot = isOlder && Config.IsGateway ? _peers.FindBoot(peer, _header.Boot) : peer;
        if (!isFresh && (!IsReadingHere() || _originSlot == PeerTable.None))
        {
            Counters.EndToEndReplayed++;
            return true;
        }

        if (!OpenFrom(peer, counter, buffer) && !OpenOlder(peer, ref counter, buffer))
        {
            if (HoldUntilKnown(peer, messageClass, buffer, rssiDbm))
            {
                return true;
            }

            Counters.EndToEndBadTag++;
            if (_header.IsWide && _header.Destination == Address && _header.Kind != MessageKind.Hello)
            {
                // Most likely it was sealed for an earlier boot of ours: tell the origin the present one.
                SendHello(_header.Origin, 0);
            }

            return true;
        }

        if (_header.Kind != MessageKind.Service || _plain[0] != ServiceKind.TraceAnswer)
        {
            // Hops of a trace would fill the table.
            _peers.Keep(peer);
        }

        if (_header.IsWide && _originSlot == peer && _peers.Boot[peer] != _header.Boot)
        {
            _peers.BeginBoot(peer, _header.Boot);
            ForgetTransfersOf(_header.Origin);
            WakePending(_header.Origin);
            WakeDiagnosis(_header.Origin);
        }

        if (isFresh && _originSlot == peer)
        {
            _peers.CounterSeen[peer] = ReplayWindow.Accept(_peers.CounterHigh[peer], _peers.CounterSeen[peer], counter);
            _peers.CounterHigh[peer] = counter > _peers.CounterHigh[peer] ? counter : _peers.CounterHigh[peer];
        }

        _header.Counter = counter;
        _header.Boot = _originSlot == peer ? _peers.Boot[peer] : _peers.BootOf(_originSlot);
        HandleOpened(peer, messageClass, rssiDbm);
        return true;
    }

    /// <summary>Tries the key that this peer should use, then the other kind; the plaintext is in _plain afterwards.</summary>
    private bool OpenFrom(int peer, uint counter, byte[] buffer)
    {
        if (_header.BodyLength > _plain.Length)
        {
            return false;
        }

        ushort boot = IsBoundToBoot(_header.Kind, _header.Destination) ? _record.Boot : (ushort)0;
        ushort originBoot = _header.IsWide ? _header.Boot : _peers.Boot[peer];
        MakeNonce(_header.Kind, _header.Origin, _header.Destination, counter, boot, originBoot);
        _openedByGateway = false;
        if (_header.Destination == MeshAddress.All)
        {
            return (_groupCipher != null && OpenWith(_groupCipher, buffer)) || (_otherGroupCipher != null && OpenWith(_otherGroupCipher, buffer));
        }

        bool expectGateway = _downCipher != null && IsGatewayPeer(peer);
        if (expectGateway && OpenWith(_downCipher, buffer))
        {
            return NoteGatewayPeer(peer);
        }

        if (PreparePeer(peer) && OpenWith(_peers.ReceiveCipher[peer], buffer))
        {
            // A gateway whose service has stopped is a plain node again, and has no device keys.
            _peers.IsGateway[peer] = false;
            return true;
        }

        return !expectGateway && _downCipher != null && OpenWith(_downCipher, buffer) && NoteGatewayPeer(peer);
    }

    // Only a gateway has this device's key, so what it opened came from one.
    private bool NoteGatewayPeer(int peer)
    {
        _openedByGateway = true;
        _peers.IsGateway[peer] = true;
        return true;
    }

    private bool OpenWith(IBlockCipher cipher, byte[] buffer)
    {
        System.Array.Copy(buffer, _header.BodyOffset, _plain, 0, _header.BodyLength);
        return _ccm.Open(cipher, _nonce, null, 0, _plain, 0, _header.BodyLength - MessageHeader.TagLength);
    }

    private void HandleOpened(int peer, byte messageClass, sbyte rssiDbm)
    {
        int count = _header.BodyLength - MessageHeader.TagLength;
        ushort origin = _header.Origin;
        switch (_header.Kind)
        {
            case MessageKind.Reading:
                ReceiveReading(peer, count, rssiDbm);
                break;
            case MessageKind.Batch:
                ReceiveBatch(peer, count, rssiDbm);
                break;
            case MessageKind.Datagram:
                if (count >= 1 && _plain[0] == MeshPort.Batch)
                {
                    ReceiveDatagrams(count, rssiDbm);
                }
                else if (count >= 1)
                {
                    Deliver(0, count, rssiDbm);
                }

                break;
            case MessageKind.Confirmed:
                ReceiveConfirmed(peer, messageClass, count, rssiDbm);
                break;
            case MessageKind.Confirm:
                if (count == 4)
                {
                    CompletePending(origin, Bytes.GetU32(_plain, 0));
                }

                break;
            case MessageKind.Watermark:
                if (_openedByGateway)
                {
                    ReceiveWatermark(count);
                }

                break;
            case MessageKind.Hello:
                if (count >= 1 && _plain[0] != 0)
                {
                    SendHello(origin, 0);
                }

                OpenHeld(origin);
                break;
            case MessageKind.Service:
                ReceiveService(peer, messageClass, count, rssiDbm);
                break;
        }
    }

    /// <summary>Queues _plain[start..start+count) for delivery; ReceiveEndToEnd has made sure of the room. Returns the slot.</summary>
    private int Deliver(int start, int count, sbyte rssiDbm)
    {
        _header.BodyLength = count;
        int slot = _queue.Take(_header, 0, MessageQueue.StateDeliver, _nowMs);
        System.Array.Copy(_plain, start, _queue.Body, _queue.BodyOffset(slot), count);
        _queue.RssiDbm[slot] = rssiDbm;
        _queue.IsFromGateway[slot] = _openedByGateway;
        _queue.DueMs[slot] = long.MaxValue;
        _effects.Push(Effect.Deliver, slot, 0);
        return slot;
    }

    private void ReceiveConfirmed(int peer, byte messageClass, int count, sbyte rssiDbm)
    {
        if (count < 5)
        {
            return;
        }

        uint id = Bytes.GetU32(_plain, 0);
        if (ReplayWindow.IsFresh(_peers.ConfirmedHigh[peer], _peers.ConfirmedSeen[peer], id))
        {
            AcceptConfirmedId(peer, id);
            Deliver(4, count - 4, rssiDbm);
        }

        Bytes.PutU32(_plain, 0, id);
        Compose(MessageKind.Confirm, _peers.Address[peer], messageClass, true, 4);
    }

    private void AcceptConfirmedId(int peer, uint id)
    {
        _peers.ConfirmedSeen[peer] = ReplayWindow.Accept(_peers.ConfirmedHigh[peer], _peers.ConfirmedSeen[peer], id);
        _peers.ConfirmedHigh[peer] = id > _peers.ConfirmedHigh[peer] ? id : _peers.ConfirmedHigh[peer];
    }

    /// <summary>Tells a peer this boot's number; <paramref name="answer"/> 1 asks for the peer's in return.</summary>
    private void SendHello(ushort destination, byte answer)
    {
        // One that waits for a route is as good as a second one.
        bool waits = _queue.HoldsKind(MessageKind.Hello, Address, destination);
        if (waits || (_nowMs - _lastHelloMs < HelloMinIntervalMs && answer == 0))
        {
            return;
        }

        _lastHelloMs = answer == 0 ? _nowMs : _lastHelloMs;
        _plain[0] = answer;
        Compose(MessageKind.Hello, destination, (byte)MeshClass.Control, true, 1);
    }
}
