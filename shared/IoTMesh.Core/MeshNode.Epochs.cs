namespace IoTMesh.Core;

/// <content>Network keys by epoch: told before they are used, taken into use by hearing them used. protocol.md 8.8.</content>
public sealed partial class MeshNode
{
    private const int NextKeyLength = 21;
    private const int NextKeyTakenLength = 5;

    // Of the other epochs' frames this many in so long show that the mesh has gone on without this node.
    private const int MissedFrames = 3;
    private const int MissedWindowMs = 150_000;

    // One who is behind is told by a beacon, but no outsider can make a node send more than one in so long.
    private const int StaleAnswerMs = 10_000;
    private byte[] _networkKey;
    private byte[] _nextKey;
    private uint _nextEpoch;
    private IBlockCipher _otherGroupCipher;
    private long _overlapUntilMs;
    private int _keysToken;
    private bool _keysChanged;
    private ushort _keyAskedBy;
    private int _missedFrames;
    private int _missedSinceMs;
    private int _staleAnsweredMs;

    /// <summary>True once this node has a network key; before, it can only join.</summary>
    public bool IsJoined => _hop.HasKey;

    /// <summary>Number of the network key in use; 0 before the node has joined.</summary>
    public uint Epoch => _hop.Epoch;

    /// <summary>The later epoch whose key this node holds ready, or 0.</summary>
    public uint NextEpoch => _nextKey == null ? 0 : _nextEpoch;

    /// <summary>True while frames of the epoch before are still taken.</summary>
    public bool IsOverlapping => _nextKey == null && _hop.HasOther;

    private void TakeKeys(MeshKeys keys)
    {
        if (keys.NetworkKey == null)
        {
            return;
        }

        _networkKey = keys.NetworkKey;
        _hop.SetCurrent(keys.NetworkKey, keys.Epoch);
        _groupCipher = CreateGroupCipher(keys.NetworkKey, keys.Epoch);
        if (keys.NextNetworkKey != null && keys.NextEpoch > keys.Epoch)
        {
            HoldNext(keys.NextEpoch, keys.NextNetworkKey);
        }
    }

    private IBlockCipher CreateGroupCipher(byte[] networkKey, uint epoch)
    {
        return _crypto.CreateAes(KeySchedule.Derive(_crypto, networkKey, KeySchedule.LabelGroup, (int)epoch));
    }

    private void HoldNext(uint epoch, byte[] key)
    {
        _nextKey = key;
        _nextEpoch = epoch;
        _hop.SetOther(key, epoch);
        _otherGroupCipher = CreateGroupCipher(key, epoch);
    }

    /// <summary>
    /// Gives this node the network key of a later epoch, to be used once <see cref="SwitchEpoch"/> is called or it is heard in use.
    /// </summary>
    /// <returns>False where the epoch is not one or two above the present one: two bits of it are on air.</returns>
    public bool SetNextKey(long nowMs, uint epoch, byte[] key)
    {
        Advance(nowMs);
        uint ahead = epoch - _hop.Epoch;
        if (!_hop.HasKey || ahead < 1 || ahead > 2)
        {
            return false;
        }

        if (_nextKey == null || _nextEpoch != epoch)
        {
            byte[] own = new byte[KeySchedule.KeyLength];
            System.Array.Copy(key, 0, own, 0, own.Length);
            HoldNext(epoch, own);
            StoreKeys();
        }

        return true;
    }

    /// <summary>Sends under the next key from now on. The key before is still taken for <see cref="MeshConfig.EpochOverlapMs"/>.</summary>
    /// <returns>False where this node holds no next key.</returns>
    public bool SwitchEpoch(long nowMs)
    {
        Advance(nowMs);
        if (_nextKey == null)
        {
            return false;
        }

        _hop.Swap();
        IBlockCipher before = _groupCipher;
        _groupCipher = _otherGroupCipher;
        _otherGroupCipher = before;
        _networkKey = _nextKey;
        _nextKey = null;
        _overlapUntilMs = _nowMs + Config.EpochOverlapMs;
        _missedFrames = 0;
        StoreKeys();

        // Neighbors follow when they hear it; they must not have to wait for traffic.
        AnnounceSoon(true);
        return true;
    }

    /// <summary>Gateways: tells a device the key of the next epoch; it answers once that is stored (<see cref="OutputKind.KeyTaken"/>).</summary>
    public SendResult SendNextKey(long nowMs, ushort device)
    {
        Advance(nowMs);
        int peer = _peers.FindOrAdd(device);
        if (!Config.IsGateway || _nextKey == null || !_started)
        {
            return SendResult.NotReady;
        }

        if (peer == PeerTable.None || !PreparePeer(peer) || !_peers.IsDevice[peer])
        {
            return SendResult.NoKey;
        }

        if (_peers.Boot[peer] == 0)
        {
            // Sealed for no boot it could not be opened: ask for the number, and be asked again later.
            SendHello(device, 1);
            return SendResult.NotReady;
        }

        _plain[0] = ServiceKind.NextKey;
        Bytes.PutU32(_plain, 1, _nextEpoch);
        System.Array.Copy(_nextKey, 0, _plain, NextKeyTakenLength, KeySchedule.KeyLength);
        int slot = Compose(MessageKind.Service, device, (byte)MeshClass.Control, true, NextKeyLength);
        return slot == MessageQueue.None ? SendResult.QueueFull : SendResult.Accepted;
    }

    private void ReceiveNextKey(int count)
    {
        if (!_openedByGateway || count != NextKeyLength)
        {
            return;
        }

        uint epoch = Bytes.GetU32(_plain, 1);
        if (epoch != _hop.Epoch)
        {
            byte[] key = new byte[KeySchedule.KeyLength];
            System.Array.Copy(_plain, NextKeyTakenLength, key, 0, key.Length);
            if (!SetNextKey(_nowMs, epoch, key))
            {
                return;
            }
        }

        _keyAskedBy = _header.Origin;
        TellKeyTaken();
    }

    // What is not stored yet is not told: the gateway must be able to count on it after a power cut.
    private void TellKeyTaken()
    {
        if (_keyAskedBy == MeshAddress.None || _keysToken != 0 || _keysChanged)
        {
            return;
        }

        _plain[0] = ServiceKind.NextKeyTaken;
        Bytes.PutU32(_plain, 1, _nextKey != null ? _nextEpoch : _hop.Epoch);
        Compose(MessageKind.Service, _keyAskedBy, (byte)MeshClass.Control, true, NextKeyTakenLength);
        _keyAskedBy = MeshAddress.None;
    }

    private void ReceiveNextKeyTaken(int peer, int count)
    {
        if (Config.IsGateway && _peers.IsDevice[peer] && count == NextKeyTakenLength)
        {
            _effects.Push(Effect.KeyTaken, _header.Origin, (int)Bytes.GetU32(_plain, 1));
        }
    }

    private void StoreKeys()
    {
        _keysChanged = true;
        if (_keysToken == 0)
        {
            int token = TakeToken();
            if (_effects.Push(Effect.StoreKeys, token, 0))
            {
                _keysToken = token;
                _keysChanged = false;
            }
        }
    }

    private void HandleKeysStored(bool ok)
    {
        _keysToken = 0;
        _keysChanged |= !ok;
        if (!_keysChanged)
        {
            TellKeyTaken();
        }
    }

    private bool EmitKeys(int token, MeshOutput output)
    {
        output.Kind = OutputKind.Store;
        output.Token = token;
        output.Record = StoreRecord.Keys;
        output.IsAppend = false;
        KeysRecord.Emit(output.Buffer, _keys.NetworkId, _hop.Epoch, _networkKey, _nextEpoch, _nextKey);
        output.Length = KeysRecord.Length;
        return true;
    }

    /// <summary>By housekeeping: ends the overlap, and stores what could not be stored.</summary>
    private void StepEpochs()
    {
        if (IsOverlapping && _nowMs >= _overlapUntilMs)
        {
            _hop.DropOther();
            _otherGroupCipher = null;
        }

        if (_keysChanged && _keysToken == 0 && _networkKey != null)
        {
            StoreKeys();
        }
    }

    /// <summary>An authentic frame came under the key that was selected for it.</summary>
    private void NoteEpochHeard()
    {
        if (_nextKey != null && _hop.IsOtherSelected)
        {
            SwitchEpoch(_nowMs);
        }
    }

    /// <summary>A frame of this network under a key that this node does not have: a later one, or an outsider's noise.</summary>
    private void NoteMissedEpoch(int epochBits, byte[] buffer, int offset, int count, int type)
    {
        int ahead = (epochBits - (int)(_hop.Epoch & 3)) & 3;
        if (ahead == 3 && _hop.HasKey && (uint)((int)_nowMs - _staleAnsweredMs) > StaleAnswerMs)
        {
            _staleAnsweredMs = (int)_nowMs;
            AnnounceSoon(true);
        }

        if (!_hop.HasKey || ahead == 0 || ahead == 3 || TryOwnKeys(buffer, offset, count, type))
        {
            return;
        }

        if ((int)_nowMs - _missedSinceMs > MissedWindowMs)
        {
            _missedSinceMs = (int)_nowMs;
            _missedFrames = 0;
        }

        // Asking again for membership does no harm: what this node has goes on until a gateway gives it a later key.
        if (++_missedFrames >= MissedFrames)
        {
            _missedFrames = 0;
            BeginJoin();
        }
    }

    // A gateway can make the key itself; that another one raised the epoch is shown by the tag alone.
    private bool TryOwnKeys(byte[] buffer, int offset, int count, int type)
    {
        if (!Config.IsGateway || _keys.Devices == null || type == FrameFormat.TypeData || _nextKey != null)
        {
            return Config.IsGateway;
        }

        byte[] key = new byte[KeySchedule.KeyLength];
        int epochBits = (buffer[offset + FrameFormat.OffsetNetwork] >> 3) & 3;
        uint epoch = _hop.Epoch + (uint)((epochBits - (int)(_hop.Epoch & 3)) & 3);
        if (_keys.Devices.TryGetNetworkKey(epoch, key))
        {
            uint counter = Bytes.GetU32(buffer, offset + FrameFormat.OffsetCounter);
            HoldNext(epoch, key);
            if (_hop.Select(epochBits) && _hop.Check(buffer, offset, count - FrameFormat.TagLength, counter))
            {
                SwitchEpoch(_nowMs);
            }
            else
            {
                _nextKey = null;
                _hop.DropOther();
                _otherGroupCipher = null;
            }
        }

        return true;
    }
}
