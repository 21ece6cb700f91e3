namespace IoTMesh.Core;

/// <content>Effects out: frames are built here, straight into the caller's buffer.</content>
public sealed partial class MeshNode
{
    private readonly int[] _batch;

    /// <summary>Takes the next effect; false when there is none.</summary>
    public bool Poll(MeshOutput output)
    {
        while (_effects.Pop())
        {
            if (Emit(_effects.Kind, _effects.A, _effects.B, output))
            {
                return true;
            }
        }

        output.Kind = OutputKind.None;
        return false;
    }

    private bool Emit(int effect, int a, int b, MeshOutput output)
    {
        switch (effect)
        {
            case Effect.Deliver:
                return EmitDeliver(a, output);
            case Effect.Store:
                output.Kind = OutputKind.Store;
                output.Token = a;
                output.Record = (byte)b;
                _record.Emit(output.Buffer);
                output.Length = CounterRecord.Length;
                output.IsAppend = false;
                return true;
            case Effect.StoreCustody:
                return EmitChunk(a, output);
            case Effect.StoreKeys:
                return EmitKeys(a, output);
            case Effect.KeyTaken:
            case Effect.Joined:
                return EmitMembership(effect, a, b, output);
            case Effect.SendJoin:
                return EmitJoin(a, b, output);
            case Effect.Completed:
                output.Kind = OutputKind.SendCompleted;
                output.Token = a;
                output.Success = b != 0;
                return true;
            case Effect.RouteChanged:
                output.Kind = OutputKind.RouteChanged;
                output.Destination = (ushort)a;
                output.NextHop = AddressOf(_routes.NextHop(b));
                output.Metric = _routes.Metric[b];
                return true;
            case Effect.NeighborChanged:
                output.Kind = OutputKind.NeighborChanged;
                output.Destination = (ushort)a;
                output.Success = b != 0;
                return true;
            default:
                return EmitFrame(effect, a, b, output);
        }
    }

    private bool EmitFrame(int effect, int a, int b, MeshOutput output)
    {
        // A frame's neighbor may have gone while its effect waited.
        bool needsNeighbor = effect != Effect.SendBeacon && effect != Effect.SendFlood && effect != Effect.SendRefusal
            && !(effect == Effect.SendRequest && a < 0);
        if (needsNeighbor && _neighbors.Address[a & 0xFF] == MeshAddress.None)
        {
            return false;
        }

        if (effect == Effect.SendAck)
        {
            return EmitAck(a, output);
        }

        if (effect == Effect.SendBusy)
        {
            return EmitBusy(a & 0xFF, (byte)(a >> 8), (uint)b, output);
        }

        if ((effect == Effect.SendRequest || effect == Effect.ForwardRequest) && !TakeRequest())
        {
            return false;
        }

        if (!_record.CanSendFrame || !_hop.HasKey)
        {
            Counters.TransmitFailures++;
            PostponeData(effect, a);
            return false;
        }

        switch (effect)
        {
            case Effect.SendBeacon:
                return EmitBeacon(a, b, output);
            case Effect.SendData:
                return EmitData(a, output);
            case Effect.SendFlood:
                return EmitFlood(a, output);
            case Effect.SendProbe:
                return EmitProbe(a, output);
            case Effect.SendProbeReply:
                return EmitProbeReply(a, output);
            case Effect.SendRefusal:
                return EmitRefusal((ushort)a, a >> 16, output);
            case Effect.SendPoll:
                return EmitPoll(a, output);
            case Effect.SendRequest:
                return EmitRequest(a, output);
            default:
                return EmitForwardedRequest(a, b, output);
        }
    }

    /// <summary>Writes the header and takes a frame counter into output.Counter; returns the offset of the body.</summary>
    private int BeginFrame(MeshOutput output, int type, int low, int flags, ushort destination)
    {
        uint counter = _record.NextFrame++;
        byte[] frame = output.Buffer;
        frame[FrameFormat.OffsetKind] = FrameFormat.MakeKind(type, low);
        frame[FrameFormat.OffsetNetwork] = FrameFormat.MakeNetwork(_network, (int)_hop.Epoch, flags);
        Bytes.PutU16(frame, FrameFormat.OffsetSource, Address);
        Bytes.PutU16(frame, FrameFormat.OffsetDestination, destination);
        Bytes.PutU16(frame, FrameFormat.OffsetCounter, (ushort)counter);
        if (type != FrameFormat.TypeData)
        {
            Bytes.PutU16(frame, FrameFormat.OffsetCounterHigh, (ushort)(counter >> 16));
        }

        output.LinkDestination = destination;
        output.Counter = counter;
        return FrameFormat.HeaderLength(type);
    }

    private bool FinishFrame(MeshOutput output, int length)
    {
        _hop.Sign(output.Buffer, length, output.Counter);
        StoreIfNeeded();

        return FinishTransmit(output, length + FrameFormat.TagLength);
    }

    private bool FinishTransmit(MeshOutput output, int length)
    {
        output.Kind = OutputKind.Transmit;
        output.Length = length;
        output.Token = TakeToken();
        Counters.FramesSent++;
        Counters.BytesSent += length;
        NoteAirtime(length);
        return true;
    }

    private bool EmitAck(int neighbor, MeshOutput output)
    {
        if (!_neighbors.AckOwed[neighbor] && !_neighbors.IsAckAgainDue(neighbor, _nowMs))
        {
            return false;
        }

        byte[] frame = output.Buffer;
        uint counter = _neighbors.AckHigh[neighbor];
        bool isLong = _neighbors.AckLong[neighbor];
        byte bitmap = isLong ? _neighbors.AckBits[neighbor] : (byte)0;
        bool hasMail = _children.IsChild(neighbor) && HasMail(neighbor);
        int type = hasMail ? FrameFormat.TypeAckMail : FrameFormat.TypeAck;
        frame[0] = FrameFormat.MakeKind(type, (int)_hop.Epoch);
        frame[FrameFormat.AckOffsetCounter] = (byte)counter;
        frame[FrameFormat.AckOffsetBitmap] = bitmap;
        int length = (isLong ? FrameFormat.AckLongLength : FrameFormat.AckShortLength) - FrameFormat.TagLength;
        _hop.SignAck(frame, length, Address, _neighbors.Address[neighbor], counter, bitmap, type);
        NoteAcked(neighbor);
        if (!hasMail)
        {
            _children.Dismiss(neighbor);
        }

        output.LinkDestination = _neighbors.Address[neighbor];
        Counters.AcksSent++;
        return FinishTransmit(output, length + FrameFormat.TagLength);
    }

    private bool EmitBeacon(int part, int since, MeshOutput output)
    {
        int parts = BeaconParts(since);
        if (part >= parts)
        {
            return false;
        }

        int at = BeginFrame(output, FrameFormat.TypeBeacon, 0, 0, MeshAddress.All);
        byte[] frame = output.Buffer;
        Bytes.PutU16(frame, at + BeaconFormat.OffsetBoot, _record.Boot);
        Bytes.PutU16(frame, at + BeaconFormat.OffsetVersion, (ushort)_routes.Version);
        frame[at + BeaconFormat.OffsetSince] = since < 0 ? (byte)BeaconFormat.SinceFull : (byte)(_routes.Version - since);
        frame[at + BeaconFormat.OffsetPart] = (byte)((part << 4) | parts);
        Bytes.PutU16(frame, at + BeaconFormat.OffsetSeqNo, _record.SeqNo);
        frame[at + BeaconFormat.OffsetFlags] = (byte)((Config.IsGateway ? BeaconFormat.FlagGateway : 0)
            | (_routes.IsShort ? BeaconFormat.FlagShortTable : 0));
        frame[at + BeaconFormat.OffsetBeaconNumber] = _beaconNumber;
        int timeLength = BeginTimeField(frame, at, part);
        int time = at + BeaconFormat.FixedLength;
        at = time + timeLength;
        int skip = part * EntriesPerBeacon;
        int room = EntriesPerBeacon;
        for (int r = 0; r < _routes.Count && room > 0; r++)
        {
            if (!IsInBeacon(r, since) || skip-- > 0)
            {
                continue;
            }

            Bytes.PutU16(frame, at, _routes.Destination[r]);
            Bytes.PutU16(frame, at + BeaconFormat.EntryOffsetSeqNo, _routes.SeqNoAdvertised[r]);
            int gateway = _routes.IsGateway[r] ? BeaconFormat.EntryGatewayBit : 0;
            Bytes.PutU16(frame, at + BeaconFormat.EntryOffsetMetric, (ushort)(_routes.Metric[r] | gateway));
            at += BeaconFormat.EntryLength;
            room--;
        }

        if (timeLength != 0)
        {
            PutTimeField(frame, time, at + FrameFormat.TagLength);
        }

        Counters.BeaconsSent++;
        return FinishFrame(output, at);
    }

    private bool EmitProbe(int neighbor, MeshOutput output)
    {
        int at = BeginFrame(output, FrameFormat.TypeProbe, 0, 0, _neighbors.Address[neighbor]);
        _neighbors.ProbeNonce[neighbor] = output.Counter;
        Bytes.PutU16(output.Buffer, at, _record.Boot);
        if (_leaf == null)
        {
            return FinishFrame(output, at + ProbeFormat.Length);
        }

        output.Buffer[at + ProbeFormat.OffsetFlags] = ProbeFormat.FlagLeaf;
        return FinishFrame(output, at + ProbeFormat.LeafLength);
    }

    private bool EmitProbeReply(int neighbor, MeshOutput output)
    {
        int at = BeginFrame(output, FrameFormat.TypeProbeReply, 0, 0, _neighbors.Address[neighbor]);
        Bytes.PutU32(output.Buffer, at + ProbeFormat.ReplyOffsetChallenge, _neighbors.ReplyNonce[neighbor]);
        Bytes.PutU16(output.Buffer, at + ProbeFormat.ReplyOffsetBoot, _record.Boot);
        return FinishFrame(output, at + ProbeFormat.ReplyLength);
    }

    /// <summary>To one neighbor: its whole table. To all: a newer seqno for each starving route.</summary>
    private bool EmitRequest(int neighbor, MeshOutput output)
    {
        int at = BeginFrame(output, FrameFormat.TypeRequest, 0, 0, neighbor < 0 ? MeshAddress.All : _neighbors.Address[neighbor]);
        int start = at;
        if (neighbor >= 0 || neighbor == Solicit)
        {
            at = PutRequest(output.Buffer, at, MeshAddress.None, 0, 1);
            return FinishFrame(output, at);
        }

        for (int r = 0; r < _routes.Count && at + RequestFormat.EntryLength + FrameFormat.TagLength <= Config.MaxFrameLength; r++)
        {
            if (_routes.RequestNow[r])
            {
                _routes.RequestNow[r] = false;
                at = PutRequest(output.Buffer, at, _routes.Destination[r], (ushort)(_routes.NewestSeqNo(r) + 1), RequestHopLimit);
            }
        }

        if (at == start)
        {
            return false;
        }

        Counters.SeqNoRequestsSent++;
        return FinishFrame(output, at);
    }

    private bool EmitForwardedRequest(int a, int b, MeshOutput output)
    {
        int at = BeginFrame(output, FrameFormat.TypeRequest, 0, 0, _neighbors.Address[a & 0xFF]);
        at = PutRequest(output.Buffer, at, (ushort)(b >> 16), (ushort)b, (byte)(a >> 8));
        Counters.SeqNoRequestsSent++;
        return FinishFrame(output, at);
    }

    private static int PutRequest(byte[] frame, int at, ushort destination, ushort seqNo, byte hopLimit)
    {
        Bytes.PutU16(frame, at, destination);
        Bytes.PutU16(frame, at + RequestFormat.OffsetSeqNo, seqNo);
        frame[at + RequestFormat.OffsetHopLimit] = hopLimit;
        return at + RequestFormat.EntryLength;
    }
}
