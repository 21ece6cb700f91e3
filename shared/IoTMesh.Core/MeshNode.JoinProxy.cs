namespace IoTMesh.Core;

/// <content>Members pass on what joining devices and gateways say; gateways judge. Neither keeps state for a device. protocol.md 8.7.</content>
public sealed partial class MeshNode
{
    private const int OfferDelayMs = 4;
    private const int OfferSpreadMs = 30;
    private const int OfferEveryMs = 40;

    // A new member offers itself to those behind it as soon as it has a route, for which it waits so often and so long.
    private const int OfferWaitMs = 100;
    private const int OfferWaits = 50;

    // A gateway's challenge holds for one to two of these.
    private const int ChallengeShift = 14;
    private long _offerDueMs = long.MaxValue;
    private int _offeredMs;
    private byte _offerWaits;
    private int _joinTokensMs;
    private Cmac _challenges;

    private bool IsProxy => _hop.HasKey && _leaf == null && (Config.IsGateway || _routes.NearestGateway() != RouteTable.None);

    private ParseError ReceiveSolicit()
    {
        if (!IsProxy)
        {
            return ParseError.NotForMe;
        }

        if (_offerDueMs == long.MaxValue)
        {
            // One offer, to all, serves everyone who asked meanwhile.
            int sinceMs = (int)_nowMs - _offeredMs;
            _offerDueMs = _nowMs + OfferDelayMs + _prng.Next(OfferSpreadMs) + (sinceMs >= 0 && sinceMs < OfferEveryMs ? OfferEveryMs - sinceMs : 0);
            _timers.SetEarlier(Timer.Join, _offerDueMs);
        }

        return ParseError.None;
    }

    private void OfferFirst()
    {
        _offerWaits = OfferWaits;
        _offerDueMs = _nowMs + OfferWaitMs;
        _timers.SetEarlier(Timer.Join, _offerDueMs);
    }

    private void OfferOrWait()
    {
        _offerDueMs = long.MaxValue;
        if (IsProxy)
        {
            _offerWaits = 0;
            _effects.PushOnce(Effect.SendJoin, JoinFormat.StepOffer, 0);
        }
        else if (_offerWaits > 0)
        {
            _offerWaits--;
            _offerDueMs = _nowMs + OfferWaitMs;
        }
    }

    /// <summary>A bucket of <see cref="MeshConfig.JoinBurst"/>, one more each <see cref="MeshConfig.JoinIntervalMs"/>.</summary>
    private bool TakeJoinToken()
    {
        int full = Config.JoinBurst * Config.JoinIntervalMs;
        int passedMs = (int)_nowMs - _joinTokensMs;
        passedMs = passedMs > full || passedMs < 0 ? full : passedMs;
        if (passedMs < Config.JoinIntervalMs)
        {
            Counters.JoinsRefused++;
            return false;
        }

        _joinTokensMs = (int)_nowMs - passedMs + Config.JoinIntervalMs;
        return true;
    }

    private ParseError PassOnUp(ushort source, ushort destination, byte[] buffer, int at, int length)
    {
        if (destination != Address || !IsProxy)
        {
            return ParseError.NotForMe;
        }

        bool known = length >= 1 && (buffer[at] == JoinFormat.Ask || buffer[at] == JoinFormat.Prove);
        if (!known || length != JoinFormat.LengthOf(buffer[at]))
        {
            return ParseError.BadLength;
        }

        if (Bytes.GetU16(buffer, at + JoinFormat.OffsetDevice) != source)
        {
            return ParseError.BadAddress;
        }

        if (!TakeJoinToken())
        {
            return ParseError.TableFull;
        }

        System.Array.Copy(buffer, at, _plain, 1, length);
        if (Config.IsGateway)
        {
            JudgeJoin(Address, length);
            return ParseError.None;
        }

        _plain[0] = ServiceKind.JoinUp;
        Compose(MessageKind.Service, MeshAddress.AnyGateway, (byte)MeshClass.Normal, true, length + 1);
        return ParseError.None;
    }

    private void ReceiveJoinUp(int peer, int count)
    {
        if (Config.IsGateway && _peers.IsDevice[peer] && count >= 2 && count - 1 == JoinFormat.LengthOf(_plain[1]) && TakeJoinToken())
        {
            JudgeJoin(_header.Origin, count - 1);
        }
    }

    /// <summary>Gateway: what stands at _plain[1..] came over that member.</summary>
    private void JudgeJoin(ushort proxy, int length)
    {
        byte[] message = new byte[JoinFormat.ProveLength];
        System.Array.Copy(_plain, 1, message, 0, length);
        ushort device = Bytes.GetU16(message, JoinFormat.OffsetDevice);
        byte[] key = new byte[KeySchedule.KeyLength];
        if (_keys.Devices == null || !_keys.Devices.TryGetDeviceKey(device, key))
        {
            TellJoin(device, JoinVerdict.NotEnrolled, proxy);
            return;
        }

        JoinProof proof = new JoinProof(_crypto, key);
        if (!proof.Check(message, 0, length - JoinFormat.TagLength, null))
        {
            TellJoin(device, JoinVerdict.BadProof, proxy);
            return;
        }

        bool proves = message[0] == JoinFormat.Prove;
        byte[] nonce = new byte[JoinFormat.NonceLength];
        System.Array.Copy(message, proves ? JoinFormat.ProveOffsetNonce : JoinFormat.AskOffsetNonce, nonce, 0, nonce.Length);
        JoinVerdict verdict = _keys.Devices.MayJoin(device);
        if (verdict == JoinVerdict.Accepted && proves && HasLostCounters(device, message))
        {
            verdict = JoinVerdict.CountersLost;
        }

        if (verdict != JoinVerdict.Accepted)
        {
            TellJoin(device, verdict, proxy);
            SendRefusal(proxy, device, verdict, proof, nonce);
        }
        else if (proves && IsOwnChallenge(device, message, nonce))
        {
            TellJoin(device, verdict, proxy);
            SendAdmit(proxy, device, message, proof, nonce);
        }
        else
        {
            SendChallenge(proxy, device, proof, nonce);
        }
    }

    // Counters that went back would bring nonces back: its storage was erased while it kept its key.
    private bool HasLostCounters(ushort device, byte[] message)
    {
        int peer = _peers.FindOrSpare(device);
        if (peer == PeerTable.None || _peers.Address[peer] != device || _peers.Boot[peer] == 0)
        {
            return false;
        }

        ushort boot = Bytes.GetU16(message, JoinFormat.ProveOffsetBoot);
        return SeqNo.IsNewer(_peers.Boot[peer], boot) || Bytes.GetU32(message, JoinFormat.ProveOffsetCounter) <= _peers.CounterHigh[peer];
    }

    private bool IsOwnChallenge(ushort device, byte[] message, byte[] nonce)
    {
        if (Bytes.GetU16(message, JoinFormat.OffsetGateway) != Address)
        {
            return false;
        }

        int slot = (int)(_nowMs >> ChallengeShift);
        return IsChallenge(slot, device, nonce, message) || IsChallenge(slot - 1, device, nonce, message);
    }

    private bool IsChallenge(int slot, ushort device, byte[] nonce, byte[] message)
    {
        ComputeChallenge(slot, device, nonce);
        int difference = 0;
        for (int i = 0; i < JoinFormat.NonceLength; i++)
        {
            difference |= _challenges.Mac[i] ^ message[JoinFormat.ProveOffsetGatewayNonce + i];
        }

        return difference == 0;
    }

    // Computed again when the proof comes: so a flood of requests fills no table.
    private void ComputeChallenge(int slot, ushort device, byte[] nonce)
    {
        if (_challenges == null)
        {
            byte[] key = new byte[KeySchedule.KeyLength];
            _crypto.FillRandom(key);
            _challenges = new Cmac(_crypto.CreateAes(key), JoinFormat.NonceLength + 6);
        }

        byte[] input = new byte[JoinFormat.NonceLength + 6];
        Bytes.PutU32(input, 0, (uint)slot);
        Bytes.PutU16(input, 4, device);
        System.Array.Copy(nonce, 0, input, 6, nonce.Length);
        _challenges.Compute(input, 0, input.Length);
    }

    private void SendChallenge(ushort proxy, ushort device, JoinProof proof, byte[] nonce)
    {
        byte[] answer = BeginAnswer(JoinFormat.Challenge, device);
        Bytes.PutU16(answer, JoinFormat.OffsetGateway, Address);
        ComputeChallenge((int)(_nowMs >> ChallengeShift), device, nonce);
        System.Array.Copy(_challenges.Mac, 0, answer, JoinFormat.ChallengeOffsetNonce, JoinFormat.NonceLength);
        proof.Sign(answer, JoinFormat.ChallengeLength - JoinFormat.TagLength, nonce);
        SendDown(proxy, answer);
    }

    private void SendRefusal(ushort proxy, ushort device, JoinVerdict verdict, JoinProof proof, byte[] nonce)
    {
        byte[] answer = BeginAnswer(JoinFormat.Refuse, device);
        answer[JoinFormat.RefuseOffsetVerdict] = (byte)verdict;
        proof.Sign(answer, JoinFormat.RefuseLength - JoinFormat.TagLength, nonce);
        SendDown(proxy, answer);
    }

    private void SendAdmit(ushort proxy, ushort device, byte[] prove, JoinProof proof, byte[] nonce)
    {
        byte[] gatewayNonce = new byte[JoinFormat.NonceLength];
        System.Array.Copy(prove, JoinFormat.ProveOffsetGatewayNonce, gatewayNonce, 0, gatewayNonce.Length);
        byte[] answer = BeginAnswer(JoinFormat.Admit, device);
        Bytes.PutU32(answer, JoinFormat.AdmitOffsetEpoch, _hop.Epoch);
        System.Array.Copy(_networkKey, 0, answer, JoinFormat.AdmitOffsetKey, KeySchedule.KeyLength);
        proof.CryptAdmit(answer, 0, nonce, gatewayNonce, true);
        SendDown(proxy, answer);
    }

    private static byte[] BeginAnswer(byte type, ushort device)
    {
        byte[] answer = new byte[JoinFormat.LengthOf(type)];
        answer[0] = type;
        Bytes.PutU16(answer, JoinFormat.OffsetDevice, device);
        return answer;
    }

    private void SendDown(ushort proxy, byte[] answer)
    {
        System.Array.Copy(answer, 0, _plain, 1, answer.Length);
        if (proxy == Address)
        {
            QueueDown(answer.Length);
            return;
        }

        _plain[0] = ServiceKind.JoinDown;
        Compose(MessageKind.Service, proxy, (byte)MeshClass.Normal, true, answer.Length + 1);
    }

    private void ReceiveJoinDown(int count)
    {
        if (_openedByGateway && count >= 2 && count - 1 == JoinFormat.LengthOf(_plain[1]))
        {
            QueueDown(count - 1);
        }
    }

    /// <summary>_plain[1..] is for a device in range.</summary>
    private void QueueDown(int length)
    {
        if (!HasRoom())
        {
            Counters.DroppedQueueFull++;
            return;
        }

        _composed.Kind = MessageKind.Service;
        _composed.Origin = Address;
        _composed.Destination = Bytes.GetU16(_plain, 1 + JoinFormat.OffsetDevice);
        _composed.BodyLength = length;
        int slot = _queue.Take(_composed, 0, MessageQueue.StateDeliver, _nowMs);
        System.Array.Copy(_plain, 1, _queue.Body, _queue.BodyOffset(slot), length);
        _queue.DueMs[slot] = long.MaxValue;
        if (!_effects.Push(Effect.SendJoin, JoinFormat.StepDown, slot))
        {
            _queue.Free(slot);
        }
    }

    private void TellJoin(ushort device, JoinVerdict verdict, ushort proxy)
    {
        _effects.Push(Effect.Joined, device | ((byte)verdict << 16), proxy);
    }

    private bool EmitMembership(int effect, int a, int b, MeshOutput output)
    {
        output.Destination = (ushort)a;
        output.Kind = effect == Effect.KeyTaken ? OutputKind.KeyTaken : OutputKind.Joined;
        output.Epoch = effect == Effect.KeyTaken ? (uint)b : _hop.Epoch;
        output.Verdict = effect == Effect.KeyTaken ? JoinVerdict.Accepted : (JoinVerdict)(a >> 16);
        output.Success = output.Verdict == JoinVerdict.Accepted;
        output.Origin = effect == Effect.KeyTaken ? output.Destination : (ushort)b;
        return true;
    }

    private bool EmitJoin(int step, int slot, MeshOutput output)
    {
        byte[] frame = output.Buffer;
        int length = JoinFormat.HeaderLength;
        ushort destination = MeshAddress.All;
        switch (step)
        {
            case JoinFormat.StepOffer:
                int route = Config.IsGateway ? RouteTable.None : _routes.NearestGateway();
                int cost = route == RouteTable.None ? 0 : _routes.Metric[route] >> FrameFormat.CostShift;
                frame[length++] = (byte)(cost > byte.MaxValue ? byte.MaxValue : cost);
                _offeredMs = (int)_nowMs;
                break;
            case JoinFormat.StepUp:
                if (_join == null || _join.Proxy == MeshAddress.None)
                {
                    return false;
                }

                destination = _join.Proxy;
                length += PutOwnJoin(frame, length);
                break;
            case JoinFormat.StepDown:
                destination = _queue.Destination[slot];
                System.Array.Copy(_queue.Body, _queue.BodyOffset(slot), frame, length, _queue.BodyLength[slot]);
                length += _queue.BodyLength[slot];
                _queue.Free(slot);
                break;
        }

        frame[FrameFormat.OffsetKind] = FrameFormat.MakeKind(FrameFormat.TypeJoin, step);
        frame[FrameFormat.OffsetNetwork] = FrameFormat.MakeNetwork(_network, 0, 0);
        Bytes.PutU16(frame, FrameFormat.OffsetSource, Address);
        Bytes.PutU16(frame, FrameFormat.OffsetDestination, destination);
        output.LinkDestination = destination;
        return FinishTransmit(output, length);
    }

    /// <summary>Ask or Prove, behind the header at <paramref name="at"/>; returns its length.</summary>
    private int PutOwnJoin(byte[] frame, int at)
    {
        bool proves = _join.Step == JoinState.Proving;
        byte[] message = new byte[proves ? JoinFormat.ProveLength : JoinFormat.AskLength];
        message[0] = proves ? JoinFormat.Prove : JoinFormat.Ask;
        Bytes.PutU16(message, JoinFormat.OffsetDevice, Address);
        System.Array.Copy(_join.Nonce, 0, message, proves ? JoinFormat.ProveOffsetNonce : JoinFormat.AskOffsetNonce, JoinFormat.NonceLength);
        if (proves)
        {
            Bytes.PutU16(message, JoinFormat.OffsetGateway, _join.Gateway);
            System.Array.Copy(_join.GatewayNonce, 0, message, JoinFormat.ProveOffsetGatewayNonce, JoinFormat.NonceLength);
            Bytes.PutU16(message, JoinFormat.ProveOffsetBoot, _record.Boot);
            Bytes.PutU32(message, JoinFormat.ProveOffsetCounter, _record.NextMessage);
        }

        _join.Proof.Sign(message, message.Length - JoinFormat.TagLength, null);
        System.Array.Copy(message, 0, frame, at, message.Length);
        return message.Length;
    }
}
