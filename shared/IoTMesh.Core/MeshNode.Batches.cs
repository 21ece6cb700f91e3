namespace IoTMesh.Core;

/// <content>Several readings or datagrams of one origin under one tag: in, and on to the application. protocol.md 4.4.</content>
public sealed partial class MeshNode
{
    private readonly BatchView _items = new BatchView();

    private bool IsBatch(int slot)
    {
        return _queue.Kind[slot] == MessageKind.Batch
            || (_queue.Kind[slot] == MessageKind.Datagram && _queue.Body[_queue.BodyOffset(slot)] == MeshPort.Batch);
    }

    /// <summary>A datagram to port Batch was opened: each of its items is a datagram.</summary>
    private void ReceiveDatagrams(int count, sbyte rssiDbm)
    {
        if (!_items.Begin(_plain, 1, count, false))
        {
            Counters.EndToEndMalformed++;
            return;
        }

        uint wanted = (uint)((1L << _items.Count) - 1);
        int slot = Deliver(0, count, rssiDbm);
        SetItemsLeft(slot, wanted);
    }

    /// <summary>A batch of readings was opened: each that is new is delivered.</summary>
    private void ReceiveBatch(int peer, int count, sbyte rssiDbm)
    {
        int headerLength = _header.IsWide ? ReadingWideLength : ReadingNarrowLength;
        int origin = _originSlot;
        if (!Config.IsGateway || !_peers.IsDevice[peer] || count < headerLength || (!_header.IsWide && !_peers.UptimeKnown[origin]))
        {
            Counters.EndToEndNoKey++;
            return;
        }

        if (!_items.Begin(_plain, headerLength, count, true))
        {
            Counters.EndToEndMalformed++;
            return;
        }

        uint first = ReadReadingHeader(origin, out long measuredMs, out long uptimeMs);
        uint wanted = 0;
        for (int i = 0; i < _items.Count; i++)
        {
            _items.Next();
            long sinceFirstMs = (long)_items.ItemTicks << UptimeShift;
            long knownMs = _header.IsWide ? uptimeMs : uptimeMs + sinceFirstMs;
            wanted |= TakeReading(origin, first + (uint)i, knownMs, false) ? 1u << i : 0;
        }

        if (wanted == 0)
        {
            return;
        }

        int slot = Deliver(headerLength, count - headerLength, rssiDbm);
        SetItemsLeft(slot, wanted);
        _queue.ReadingSeq[slot] = first;
        _queue.MeasuredMs[slot] = measuredMs;
        _queue.UptimeMs[slot] = uptimeMs;
        _queue.IsKept[slot] = false;
    }

    // Bit i stands for item i. A message to deliver is never sent, so the column for its frame's counter is free.
    private void SetItemsLeft(int slot, uint items)
    {
        _queue.FrameCounter[slot] = items;
    }

    /// <summary>Hands out the next item of a batch; the slot stays until its last one.</summary>
    private bool EmitDeliverItem(int slot, MeshOutput output)
    {
        bool readings = output.IsReading;
        int start = _queue.BodyOffset(slot);
        uint left = _queue.FrameCounter[slot];
        _items.Begin(_queue.Body, readings ? start : start + 1, start + _queue.BodyLength[slot], readings);
        int index = 0;
        _items.Next();
        while (((left >> index) & 1) == 0)
        {
            index++;
            _items.Next();
        }

        output.Port = readings ? MeshPort.Reading : _items.ItemPort;
        output.ReadingSeq = readings ? output.ReadingSeq + (uint)index : 0;
        output.MeasuredUptimeMs += readings ? (long)_items.ItemTicks << UptimeShift : 0;
        output.OriginUptimeMs = readings && output.OriginUptimeMs < output.MeasuredUptimeMs ? output.MeasuredUptimeMs : output.OriginUptimeMs;
        System.Array.Copy(_queue.Body, _items.ItemOffset, output.Buffer, 0, _items.ItemLength);
        output.Length = _items.ItemLength;
        left &= ~(1u << index);
        SetItemsLeft(slot, left);

        // This effect has just left the queue, so there is room for the next one.
        if (left == 0 || !_effects.Push(Effect.Deliver, slot, 0))
        {
            _queue.Free(slot);
        }

        Counters.Delivered++;
        return true;
    }
}
