namespace IoTMesh.Core;

/// <content>
/// Frames that wait at the link for a free channel: the wait for an ack begins once they are sent. A link that never tells is taken at the
/// core's word: the wait begins with the Transmit. protocol.md 6.3.
/// </content>
public sealed partial class MeshNode
{
    private const int AtLinkMaxMs = 500;
    private const int AtLinkLookMs = 20;
    private const int LoadedWaitMs = 4;
    private bool _linkTells;

    // How long data frames take at the link of late, in 1/16 ms.
    private int _linkWaitMs16;

    /// <summary>Frames wait for others on the channel: what is lost now, is lost by collisions.</summary>
    private bool IsLoaded => _linkWaitMs16 >= LoadedWaitMs * 16;

    /// <summary>The frame at hand, with the first messages of the batch, has been handed to the link.</summary>
    private void NoteHandedOut(int count, int token)
    {
        for (int i = 0; i < count; i++)
        {
            _queue.SendToken[_batch[i]] = (ushort)token;
            _queue.SetPlace(_batch[i], i);
        }
    }

    private void NoteTransmitted(int token)
    {
        _linkTells = true;
        ushort low = (ushort)token;
        bool any = false;
        for (int slot = 0; low != 0 && slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] == MessageQueue.StateInFlight && _queue.SendToken[slot] == low)
            {
                // What was drawn as the time to wait stays: it only begins later.
                int waitedMs = (ushort)((ushort)_nowMs - _queue.SentMs[slot]);
                _queue.DueMs[slot] += waitedMs;
                _queue.SentMs[slot] = (ushort)_nowMs;
                _queue.SendToken[slot] = 0;
                any = true;
                _linkWaitMs16 += _queue.IsFirstOfFrame(slot) ? waitedMs - (_linkWaitMs16 / 16) : 0;
                if (_queue.Class[slot] == (byte)MeshClass.Bulk && _queue.IsFirstOfFrame(slot))
                {
                    ChargeBulkUs(waitedMs * 1000L);
                }
            }
        }

        if (any)
        {
            WakeScheduled();
        }
    }

    /// <summary>True where a frame's ack is overdue only because the link has not sent it yet; bounded, as a link may lose its word.</summary>
    private bool WaitsAtLink(int slot)
    {
        ushort waited = (ushort)((ushort)_nowMs - _queue.SentMs[slot]);
        if (!_linkTells || _queue.SendToken[slot] == 0 || waited >= AtLinkMaxMs)
        {
            return false;
        }

        _queue.DueMs[slot] = _nowMs + AtLinkLookMs;
        return true;
    }
}
