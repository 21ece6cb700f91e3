namespace IoTMesh.Core;

/// <content>Data frames out, and deliveries.</content>
public sealed partial class MeshNode
{
    /// <summary>One frame with as many of the messages for that neighbor as fit, of one class.</summary>
    private bool EmitData(int neighbor, MeshOutput output)
    {
        int messageClass = HighestScheduledClass(neighbor);
        if (messageClass == ClassCount || !MayHandOver(neighbor, messageClass))
        {
            return false;
        }

        bool ridingAck = _neighbors.AckOwed[neighbor];
        int costAndAge = messageClass == (int)MeshClass.RealTime ? 2 : 1;
        int used = FrameFormat.NarrowLength + costAndAge + FrameFormat.TagLength + (ridingAck ? FrameFormat.RidingAckLength : 0);
        int count = FillBatch(neighbor, messageClass, used);
        ushort destination = _neighbors.Address[neighbor];
        bool hasWaypoints = HasWaypoints(_batch[0]);
        int flags = (ridingAck ? FrameFormat.FlagAck : 0) | (hasWaypoints ? FrameFormat.FlagExtension : 0);
        flags |= WantsAckTwice(neighbor, count) ? FrameFormat.FlagAckTwice : 0;
        int at = BeginFrame(output, FrameFormat.TypeData, messageClass, flags, destination);
        at = hasWaypoints ? EmitWaypoints(_batch[0], output.Buffer, at, destination) : at;
        at = EmitRidingAck(output.Buffer, at, neighbor, ridingAck);
        output.Buffer[at] = (byte)CostByte(_queue.Destination[_batch[0]]);
        at++;
        at = EmitAge(count, output.Buffer, at);
        for (int i = 0; i < count; i++)
        {
            at = EmitMessage(_batch[i], output, at, i < count - 1);
            NoteSent(_batch[i], neighbor, output.Counter);
        }

        if (HighestScheduledClass(neighbor) != ClassCount)
        {
            _effects.PushOnce(Effect.SendData, neighbor, 0);
        }

        Counters.DataFramesSent++;
        FinishFrame(output, at);
        NoteHandedOut(count, output.Token);
        if (messageClass == (int)MeshClass.Bulk)
        {
            ChargeBulkUs(AirtimeUs(output.Length));
        }

        return true;
    }

    // No frame counter is left until a Store succeeds: the messages wait.
    private void PostponeData(int effect, int neighbor)
    {
        for (int slot = 0; effect == Effect.SendData && slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] == MessageQueue.StateScheduled && _queue.NextHop[slot] == neighbor)
            {
                _queue.State[slot] = MessageQueue.StateReady;
                _queue.DueMs[slot] = _nowMs + WaitForRouteMs;
                _timers.SetEarlier(Timer.Queue, _queue.DueMs[slot]);
            }
        }
    }

    private int HighestScheduledClass(int neighbor)
    {
        int messageClass = ClassCount;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            bool waits = _queue.State[slot] == MessageQueue.StateScheduled && _queue.NextHop[slot] == neighbor;
            if (waits && _queue.Class[slot] < messageClass)
            {
                messageClass = _queue.Class[slot];
            }
        }

        return messageClass;
    }

    private int EmitRidingAck(byte[] frame, int at, int neighbor, bool riding)
    {
        if (!riding)
        {
            return at;
        }

        Bytes.PutU16(frame, at, (ushort)_neighbors.AckHigh[neighbor]);
        frame[at + 2] = _neighbors.AckBits[neighbor];
        NoteAcked(neighbor);
        return at + FrameFormat.RidingAckLength;
    }

    private int EmitMessage(int slot, MeshOutput output, int at, bool withLength)
    {
        _queue.GetHeader(slot, _header);
        at = _header.Emit(output.Buffer, at, Address, withLength);
        System.Array.Copy(_queue.Body, _queue.BodyOffset(slot), output.Buffer, at, _queue.BodyLength[slot]);
        return at + _queue.BodyLength[slot];
    }

    private void NoteSent(int slot, int neighbor, uint counter)
    {
        _queue.FrameCounterBefore[slot] = _queue.FrameCounter[slot];
        _queue.FrameCounter[slot] = counter;
        _queue.State[slot] = MessageQueue.StateInFlight;
        _queue.SentMs[slot] = (ushort)_nowMs;
        _queue.DueMs[slot] = AckDueMs(slot, neighbor);
        _timers.SetEarlier(Timer.Queue, _queue.DueMs[slot]);
    }

    private bool EmitDeliver(int slot, MeshOutput output)
    {
        output.Kind = OutputKind.Deliver;
        output.Origin = _queue.Origin[slot];
        output.Destination = _queue.Destination[slot];
        output.Hops = (byte)(Config.HopLimit - _queue.HopLimit[slot] + 1);
        output.RssiDbm = _queue.RssiDbm[slot];
        output.IsFromGateway = _queue.IsFromGateway[slot];
        output.IsReading = _queue.Kind[slot] == MessageKind.Reading || _queue.Kind[slot] == MessageKind.Batch;
        output.Boot = _queue.Boot[slot];
        output.Counter = _queue.Counter[slot];
        output.ReadingSeq = _queue.ReadingSeq[slot];
        output.MeasuredUptimeMs = output.IsReading ? _queue.MeasuredMs[slot] : 0;
        output.OriginUptimeMs = output.IsReading ? _queue.UptimeMs[slot] : 0;
        output.IsKept = output.IsReading && _queue.IsKept[slot];
        if (_queue.Token[slot] != 0)
        {
            EmitDiagnosis(slot, output);
            return true;
        }

        output.Token = 0;
        if (IsBatch(slot))
        {
            return EmitDeliverItem(slot, output);
        }

        Reassembly whole = _queue.Kind[slot] == MessageKind.Service ? FindComplete(_queue.Origin[slot]) : null;
        byte[] content = whole == null ? _queue.Body : whole.Data;
        int start = whole == null ? _queue.BodyOffset(slot) : 0;
        int length = whole == null ? _queue.BodyLength[slot] : whole.Total;
        output.Port = MeshPort.Reading;
        if (!output.IsReading)
        {
            output.Port = content[start];
            start++;
            length--;
        }

        _queue.Free(slot);
        if (whole != null)
        {
            whole.Free();
        }

        if (length > output.Buffer.Length)
        {
            // Only for a buffer that is shorter than MeshOutput asks for.
            Counters.DroppedQueueFull++;
            return false;
        }

        System.Array.Copy(content, start, output.Buffer, 0, length);
        output.Length = length;
        Counters.Delivered++;
        return true;
    }
}
