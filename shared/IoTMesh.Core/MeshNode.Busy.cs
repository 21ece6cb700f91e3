namespace IoTMesh.Core;

/// <content>
/// Answers to frames for which there is no room. Silence would say that the link is bad: routes would flap for load. protocol.md 3.3, 6.3.
/// </content>
public sealed partial class MeshNode
{
    private const int BusyPauseMs = 20;
    private const int BusyShiftMax = 4;
    private const int DivertAfterBusy = 3;

    /// <param name="taken">Bit i: message i of that frame was taken over.</param>
    private bool EmitBusy(int neighbor, byte taken, uint counter, MeshOutput output)
    {
        byte[] frame = output.Buffer;
        frame[0] = FrameFormat.MakeKind(FrameFormat.TypeBusy, (int)_hop.Epoch);
        frame[FrameFormat.AckOffsetCounter] = (byte)counter;
        frame[FrameFormat.AckOffsetBitmap] = taken;
        int length = (taken == 0 ? FrameFormat.AckShortLength : FrameFormat.AckLongLength) - FrameFormat.TagLength;
        _hop.SignAck(frame, length, Address, _neighbors.Address[neighbor], counter, taken, FrameFormat.TypeBusy);
        output.LinkDestination = _neighbors.Address[neighbor];
        Counters.BusySent++;
        return FinishTransmit(output, length + FrameFormat.TagLength);
    }

    private ParseError ReceiveBusy(byte[] buffer, int tagOffset, byte low, byte taken)
    {
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            uint counter = _queue.FrameCounter[slot];
            int neighbor = _queue.NextHop[slot];
            if (_queue.State[slot] == MessageQueue.StateInFlight && (byte)counter == low && counter != 0
                && _hop.CheckAck(buffer, tagOffset, _neighbors.Address[neighbor], Address, counter, taken, FrameFormat.TypeBusy))
            {
                HandleBusy(neighbor, counter, taken);
                return ParseError.None;
            }
        }

        return ParseError.NotForMe;
    }

    // The frame went through and was answered: as far as the link goes that is a success.
    private void HandleBusy(int neighbor, uint counter, byte taken)
    {
        Counters.BusyReceived++;
        _neighbors.HandleTry(neighbor, true);
        _neighbors.LastHeardMs[neighbor] = _nowMs;
        int pauseMs = 0;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] != MessageQueue.StateInFlight || _queue.NextHop[slot] != neighbor || _queue.FrameCounter[slot] != counter)
            {
                continue;
            }

            if (_queue.IsNamed(slot, taken))
            {
                CompleteHop(slot);
                continue;
            }

            int answers = _queue.CountBusy(slot);
            bool ends = _nowMs >= _queue.GiveUpMs[slot] || (answers == MessageQueue.BusyMax && _queue.Origin[slot] != Address);
            if (ends)
            {
                Counters.DroppedBusy++;
                GiveUp(slot);
                continue;
            }

            // One pause for all of the frame, so that they go together again.
            int shift = answers > BusyShiftMax ? BusyShiftMax : answers;
            pauseMs = pauseMs != 0 ? pauseMs : (BusyPauseMs << shift) + _prng.Next(BusyPauseMs << (shift - 1));
            _queue.State[slot] = MessageQueue.StateReady;
            _queue.SendToken[slot] = 0;
            _queue.DueMs[slot] = _nowMs + pauseMs;
            _queue.Avoid[slot] = answers >= DivertAfterBusy ? neighbor : _queue.Avoid[slot];
        }

        _timers.SetEarlier(Timer.Queue, _nowMs);
    }
}
