namespace IoTMesh.Core;

/// <content>Who may use the queue, the link and the air how far: origins, classes, neighbors. protocol.md 6.2, 6.3.</content>
public sealed partial class MeshNode
{
    /// <summary>Frames to one neighbor that wait for an ack; what is due beyond that waits, and shares frames.</summary>
    private const int FramesToNeighborMax = 4;

    /// <summary>Frames that the link may hold unsent, so that what is urgent has few before it.</summary>
    private const int FramesAtLinkMax = 2;
    private const int BlockedLookMs = 20;

    /// <summary>Places that only control and real-time messages take.</summary>
    private const int PlacesForUrgent = 2;

    /// <summary>Bulk frames may go in a row for this long before their share holds.</summary>
    private const int BulkBurstUs = 200_000;
    private ushort _servedOrigin;

    // When the bucket is full again (a leaky bucket as one time).
    private long _bulkPacedUs;

    /// <summary>
    /// True where the queue has a place for a message of that origin and class. A message that waits for a route makes room for one
    /// that may have one: a few dead destinations must not stop everybody's traffic.
    /// </summary>
    private bool MayTake(ushort origin, int messageClass)
    {
        int places = messageClass < (int)MeshClass.Normal ? _queue.Capacity
            : messageClass == (int)MeshClass.Normal ? _queue.Capacity - PlacesForUrgent : _queue.Capacity / 2;
        if (messageClass >= (int)MeshClass.Normal && _queue.Used >= _queue.Capacity / 2)
        {
            int used = _queue.CountShares(origin, messageClass, out int own, out int others);
            if (used >= places * 3 / 4 && own * (others + 2) >= places)
            {
                return false;
            }
        }

        return _queue.Used < places || EvictWithoutRoute();
    }

    private bool EvictWithoutRoute()
    {
        int victim = _queue.OldestWithoutRoute();
        if (victim == MessageQueue.None)
        {
            return false;
        }

        Counters.DroppedNoRoute++;
        GiveUp(victim);
        return true;
    }

    /// <summary>True where a data frame of that class may go to that neighbor now; else it is looked at again soon.</summary>
    private bool MayHandOver(int neighbor, int messageClass)
    {
        if (messageClass < (int)MeshClass.Normal)
        {
            return true;
        }

        bool may = !_queue.IsPaused(neighbor, messageClass, _nowMs) && _queue.CountFramesTo(neighbor) < FramesToNeighborMax
            && (!_linkTells || _queue.CountFramesAtLink((ushort)_nowMs, AtLinkMaxMs) < FramesAtLinkMax)
            && (messageClass != (int)MeshClass.Bulk || _bulkPacedUs - BulkBurstUs <= _nowMs * 1000);
        if (!may)
        {
            _timers.SetEarlier(Timer.Queue, _nowMs + BlockedLookMs);
        }

        return may;
    }

    /// <summary>Something ended that messages may have waited for behind it: they are looked at again.</summary>
    private void WakeScheduled()
    {
        if (_queue.HasScheduled())
        {
            _timers.SetEarlier(Timer.Queue, _nowMs);
        }
    }

    /// <summary>A bulk frame took the air, or waited for it behind others, for so long.</summary>
    private void ChargeBulkUs(long us)
    {
        long nowUs = _nowMs * 1000;
        _bulkPacedUs = (_bulkPacedUs > nowUs ? _bulkPacedUs : nowUs) + (us * 100 / Config.BulkPercent);
    }

    /// <summary>
    /// Fills _batch with messages for that neighbor, of one class, as many as fit into a frame; returns their number. Origins take
    /// turns, and each origin's oldest goes first.
    /// </summary>
    private int FillBatch(int neighbor, int messageClass, int used)
    {
        int count = 0;
        while (true)
        {
            int best = MessageQueue.None;
            int bestLength = 0;
            for (int slot = 0; slot < _queue.Capacity; slot++)
            {
                if (_queue.State[slot] != MessageQueue.StateScheduled || _queue.NextHop[slot] != neighbor || _queue.Class[slot] != messageClass)
                {
                    continue;
                }

                _queue.GetHeader(slot, _header);
                int waypoints = WaypointsLength(slot);
                int length = _header.EmitLength(Address, true) + _queue.BodyLength[slot] + waypoints;

                // Waypoints are the frame's, so a message that has some goes alone.
                bool joins = count == 0 || (waypoints == 0 && used + length <= Config.MaxFrameLength && IsOfOneAge(_batch[0], slot));
                if (joins && (best == MessageQueue.None || _queue.IsServedBefore(slot, best, _servedOrigin)))
                {
                    best = slot;
                    bestLength = length;
                }
            }

            if (best == MessageQueue.None)
            {
                return count;
            }

            used += bestLength;
            _servedOrigin = _queue.Origin[best];
            _queue.State[best] = MessageQueue.StateInFlight;
            _batch[count] = best;
            count++;
            if (HasWaypoints(best))
            {
                return count;
            }
        }
    }
}
