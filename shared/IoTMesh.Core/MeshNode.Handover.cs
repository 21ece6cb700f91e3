namespace IoTMesh.Core;

/// <content>Messages that wait for a way, readings longer than others. protocol.md 6.3.</content>
public sealed partial class MeshNode
{
    private bool IsReading(int slot)
    {
        return _queue.Kind[slot] == MessageKind.Reading || _queue.Kind[slot] == MessageKind.Batch;
    }

    /// <summary>
    /// The message waits for a way. Readings of others may take half of the queue like that, or all that waits would start at once when
    /// the way is back and leave no room to take anything over; the one that has waited longest goes.
    /// </summary>
    private void Hold(int slot)
    {
        if (_queue.HasNoRoute[slot])
        {
            return;
        }

        _queue.HasNoRoute[slot] = true;
        int held = 0;
        int oldest = MessageQueue.None;
        for (int i = 0; i < _queue.Capacity; i++)
        {
            if (_queue.State[i] == MessageQueue.StateReady && _queue.HasNoRoute[i] && IsReading(i) && _queue.Origin[i] != Address)
            {
                held++;
                oldest = oldest == MessageQueue.None || _queue.GiveUpMs[i] < _queue.GiveUpMs[oldest] ? i : oldest;
            }
        }

        if (held > _queue.Capacity / 2)
        {
            Counters.DroppedNoRoute++;
            GiveUp(oldest);
        }
    }
}
