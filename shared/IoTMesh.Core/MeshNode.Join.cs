namespace IoTMesh.Core;

/// <content>A device without (the present) network key finds a member and proves itself to a gateway over it. protocol.md 8.7.</content>
public sealed partial class MeshNode
{
    private const int JoinSearchMs = 60;
    private const int JoinWakeMs = 15;
    private const int JoinRestMs = 250;
    private const int JoinRestShiftMax = 7;
    private const int JoinRestsEach = 6;
    private const int JoinAnswerMs = 200;
    private const int JoinTriesMax = 4;
    private const int JoinRefusedMs = 60_000;
    private const int JoinWeakDbm = -85;
    private const int JoinWeakCost = 16;
    private JoinState _join;

    /// <summary>Why a gateway refused this device last, or Accepted.</summary>
    public JoinVerdict LastJoinVerdict { get; private set; }

    private void BeginJoin()
    {
        if (_join != null || _keys.DeviceKey == null)
        {
            return;
        }

        _join = new JoinState(_crypto, _keys.DeviceKey);
        SearchProxy(_prng.Next(JoinRestMs / 2));
    }

    private void SearchProxy(int delayMs)
    {
        _join.Step = JoinState.Resting;
        _join.DueMs = _nowMs + delayMs;
        _timers.SetEarlier(Timer.Join, _join.DueMs);
    }

    /// <summary>The timer of joining: of the device that joins, and of the member that is to make an offer.</summary>
    private void StepJoin()
    {
        _timers.Stop(Timer.Join);
        if (_offerDueMs <= _nowMs)
        {
            OfferOrWait();
        }

        if (_join != null && _join.DueMs <= _nowMs)
        {
            StepJoining();
        }

        _timers.SetEarlier(Timer.Join, _offerDueMs);
        if (_join != null)
        {
            _timers.SetEarlier(Timer.Join, _join.DueMs);
        }
    }

    private void StepJoining()
    {
        JoinState join = _join;
        switch (join.Step)
        {
            case JoinState.Resting:
                BeginSearch(JoinSearchMs);
                _effects.PushOnce(Effect.SendJoin, JoinFormat.StepSolicit, 0);
                break;
            case JoinState.Searching:
                if (join.Proxy != MeshAddress.None && _record.CanSendMessage)
                {
                    join.Searches = 0;
                    AskToJoin();
                    break;
                }

                // Many boards that lost power together must not ask in step.
                int restMs = JoinRestMs << (join.Searches / JoinRestsEach);
                join.Searches += join.Searches < JoinRestShiftMax * JoinRestsEach ? (byte)1 : (byte)0;
                join.Avoided = MeshAddress.None;
                SearchProxy((restMs / 2) + _prng.Next(restMs));
                break;
            default:
                RepeatJoin();
                break;
        }
    }

    private void BeginSearch(int forMs)
    {
        _join.Step = JoinState.Searching;
        _join.Proxy = MeshAddress.None;
        _join.Worth = int.MaxValue;
        _join.DueMs = _nowMs + forMs;
        _timers.Set(Timer.Join, _offerDueMs < _join.DueMs ? _offerDueMs : _join.DueMs);
    }

    private void AskToJoin()
    {
        _join.Proof.MakeNonce(_record.Boot, _record.NextMessage++, _join.Nonce);
        StoreIfNeeded();
        _join.Tries = 0;
        EnterJoin(JoinState.Asking);
    }

    private void EnterJoin(byte step)
    {
        _join.Step = step;
        _join.DueMs = _nowMs + (JoinAnswerMs << _join.Tries) + _prng.Next(JoinAnswerMs / 4);
        _timers.SetEarlier(Timer.Join, _join.DueMs);
        _effects.PushOnce(Effect.SendJoin, JoinFormat.StepUp, 0);
    }

    private void RepeatJoin()
    {
        if (++_join.Tries < JoinTriesMax)
        {
            EnterJoin(_join.Step);
            return;
        }

        _join.Avoided = _join.Proxy;
        SearchProxy(_prng.Next(JoinRestMs));
    }

    private ParseError ReceiveJoin(byte[] buffer, int offset, int count, sbyte rssiDbm)
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

        int at = offset + JoinFormat.HeaderLength;
        int length = count - JoinFormat.HeaderLength;
        switch (buffer[offset] & 3)
        {
            case JoinFormat.StepSolicit:
                return ReceiveSolicit();
            case JoinFormat.StepOffer:
                return ReceiveOffer(source, buffer, at, length, rssiDbm);
            case JoinFormat.StepUp:
                return PassOnUp(source, destination, buffer, at, length);
            default:
                return ReceiveDown(destination, buffer, at, length);
        }
    }

    private ParseError ReceiveOffer(ushort source, byte[] buffer, int at, int length, sbyte rssiDbm)
    {
        bool mayWake = _join != null && _join.Step == JoinState.Resting && LastJoinVerdict == JoinVerdict.Accepted;
        if (_join == null || (_join.Step != JoinState.Searching && !mayWake))
        {
            return ParseError.NotForMe;
        }

        if (length < 1)
        {
            return ParseError.BadLength;
        }

        if (mayWake)
        {
            // A member that came up next door: no need to wait for the own turn to ask.
            BeginSearch(JoinWakeMs + _prng.Next(JoinWakeMs * 3));
        }

        int worth = buffer[at] + (rssiDbm != 0 && rssiDbm < JoinWeakDbm ? JoinWeakCost : 0) + (source == _join.Avoided ? byte.MaxValue : 0);
        if (worth < _join.Worth)
        {
            _join.Worth = worth;
            _join.Proxy = source;
        }

        return ParseError.None;
    }

    private ParseError ReceiveDown(ushort destination, byte[] buffer, int at, int length)
    {
        if (_join == null || destination != Address || (_join.Step != JoinState.Asking && _join.Step != JoinState.Proving))
        {
            return ParseError.NotForMe;
        }

        if (length < 1 || length != JoinFormat.LengthOf(buffer[at]))
        {
            return ParseError.BadLength;
        }

        if (Bytes.GetU16(buffer, at + JoinFormat.OffsetDevice) != Address)
        {
            return ParseError.BadAddress;
        }

        switch (buffer[at])
        {
            case JoinFormat.Challenge:
                return ReceiveChallenge(buffer, at);
            case JoinFormat.Admit:
                return ReceiveAdmit(buffer, at);
            case JoinFormat.Refuse:
                return ReceiveRefusal(buffer, at);
            default:
                return ParseError.Malformed;
        }
    }

    // Another gateway than the one that was asked may have got the proof; it challenges anew, and that is as good.
    private ParseError ReceiveChallenge(byte[] buffer, int at)
    {
        if (!_join.Proof.Check(buffer, at, JoinFormat.ChallengeLength - JoinFormat.TagLength, _join.Nonce))
        {
            return ParseError.BadTag;
        }

        _join.Gateway = Bytes.GetU16(buffer, at + JoinFormat.OffsetGateway);
        System.Array.Copy(buffer, at + JoinFormat.ChallengeOffsetNonce, _join.GatewayNonce, 0, JoinFormat.NonceLength);
        if (_join.Step == JoinState.Asking)
        {
            _join.Tries = 0;
        }

        EnterJoin(JoinState.Proving);
        return ParseError.None;
    }

    private ParseError ReceiveRefusal(byte[] buffer, int at)
    {
        if (!_join.Proof.Check(buffer, at, JoinFormat.RefuseLength - JoinFormat.TagLength, _join.Nonce))
        {
            return ParseError.BadTag;
        }

        LastJoinVerdict = (JoinVerdict)buffer[at + JoinFormat.RefuseOffsetVerdict];
        _effects.Push(Effect.Joined, Address | (buffer[at + JoinFormat.RefuseOffsetVerdict] << 16), MeshAddress.None);
        SearchProxy(JoinRefusedMs + _prng.Next(JoinRefusedMs / 4));
        return ParseError.None;
    }

    private ParseError ReceiveAdmit(byte[] buffer, int at)
    {
        // Opened in a copy: the caller's bytes are the caller's.
        byte[] message = new byte[JoinFormat.AdmitLength];
        System.Array.Copy(buffer, at, message, 0, message.Length);
        if (_join.Step != JoinState.Proving || !_join.Proof.CryptAdmit(message, 0, _join.Nonce, _join.GatewayNonce, false))
        {
            return ParseError.BadTag;
        }

        uint epoch = Bytes.GetU32(message, JoinFormat.AdmitOffsetEpoch);
        byte[] key = new byte[KeySchedule.KeyLength];
        System.Array.Copy(message, JoinFormat.AdmitOffsetKey, key, 0, key.Length);
        _join = null;
        LastJoinVerdict = JoinVerdict.Accepted;
        if (_hop.HasKey && epoch <= _hop.Epoch)
        {
            // What was heard was noise, or the gateway is behind.
            return ParseError.None;
        }

        EnterEpoch(epoch, key);
        _effects.Push(Effect.Joined, Address, MeshAddress.None);
        return ParseError.None;
    }

    private void EnterEpoch(uint epoch, byte[] key)
    {
        if (_hop.HasKey && epoch - _hop.Epoch <= 2)
        {
            // Neighbors that have missed it too are still understood for a while, and pass on what waits here.
            HoldNext(epoch, key);
            SwitchEpoch(_nowMs);
            return;
        }

        bool isNew = !_hop.HasKey;
        _hop.DropOther();
        _hop.SetCurrent(key, epoch);
        _networkKey = key;
        _nextKey = null;
        _groupCipher = CreateGroupCipher(key, epoch);
        _otherGroupCipher = null;
        StoreKeys();
        if (isNew)
        {
            EnterMesh();
            OfferFirst();
        }
        else
        {
            AnnounceSoon(true);
        }
    }
}
