namespace IoTMesh.Core;

/// <content>Hop acks out: when they go, and when they are repeated. protocol.md 3.3.</content>
public sealed partial class MeshNode
{
    // A neighbor that sent its last frame so lately sends the next one as soon: one ack for some of them.
    private const int BusyWithinMs = 15;
    private const int BusyDelayFactor = 3;
    private long _sinceUnicastMs;

    private int AckDelayMs(byte messageClass)
    {
        bool isBusy = _sinceUnicastMs < BusyWithinMs && messageClass >= (byte)MeshClass.Normal;
        return isBusy ? Config.AckDelayMs * BusyDelayFactor : Config.AckDelayMs;
    }

    /// <summary>Queues every ack that is owed, and every repetition that is due.</summary>
    private void FlushAcks()
    {
        _timers.Stop(Timer.Ack);
        for (int n = 0; n < _neighbors.Capacity; n++)
        {
            if (_neighbors.Address[n] == MeshAddress.None)
            {
                continue;
            }

            if (_neighbors.AckOwed[n] || _neighbors.IsAckAgainDue(n, _nowMs))
            {
                _effects.PushOnce(Effect.SendAck, n, 0);
            }
            else if (_neighbors.IsAckAgainPlanned(n))
            {
                _timers.SetEarlier(Timer.Ack, _neighbors.AckAgainDueMs(n, _nowMs));
            }
        }
    }

    /// <summary>An ack for that neighbor is in the frame at hand, alone or riding.</summary>
    private void NoteAcked(int neighbor)
    {
        if (_neighbors.NoteAcked(neighbor, _nowMs + Config.AckRepeatMs))
        {
            _timers.SetEarlier(Timer.Ack, _nowMs + Config.AckRepeatMs);
        }
    }

    /// <summary>
    /// True where the frame that takes the first <paramref name="count"/> messages of the batch should be acknowledged twice: the link is
    /// seen to lose frames or acks, or one of them goes again. Acks are what is lost as often as data, and cost a tenth.
    /// </summary>
    private bool WantsAckTwice(int neighbor, int count)
    {
        bool twice = _neighbors.LosesTries(neighbor) && !IsLoaded;
        for (int i = 0; i < count; i++)
        {
            twice |= _queue.TriesHere[_batch[i]] > 0;
        }

        return twice;
    }
}
