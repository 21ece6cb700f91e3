namespace IoTMesh.Core;

/// <content>
/// Short headers of datagrams to any gateway: when an origin leaves out what gateways know, and what a gateway does that does not
/// know it. protocol.md 4.3.
/// </content>
public sealed partial class MeshNode
{
    private const int WideDatagramEvery = 64;
    private const int HeldMax = 6;
    private const int HeldMs = 3_000;
    private int _wideDatagramsLeft = WideAfterChange;
    private uint _lastWideDatagram;
    private bool _opensHeld;

    /// <summary>True where the next message, a datagram or batch to that destination, is to carry the whole counter and the boot number.</summary>
    private bool IsNextWide(ushort destination)
    {
        uint next = _record.NextMessage;
        if (destination == MeshAddress.AnyGateway && _wideDatagramsLeft == 0 && next - _lastWideDatagram < WideDatagramEvery)
        {
            return false;
        }

        if (destination == MeshAddress.AnyGateway)
        {
            _lastWideDatagram = next;
            _wideDatagramsLeft -= _wideDatagramsLeft > 0 ? 1 : 0;
        }

        return true;
    }

    /// <summary>
    /// Gateways: the narrow message in _header cannot be opened for want of its origin's boot number or counter. It is kept, and the
    /// origin is asked. False where that is not possible.
    /// </summary>
    private bool HoldUntilKnown(int peer, byte messageClass, byte[] buffer, sbyte rssiDbm)
    {
        if (_header.IsWide || !Config.IsGateway || _opensHeld || !PreparePeer(peer) || !_peers.IsDevice[peer])
        {
            return false;
        }

        int held = 0;
        bool asked = false;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            bool holds = _queue.State[slot] == MessageQueue.StateHeld;
            held += holds ? 1 : 0;
            asked |= holds && _queue.Origin[slot] == _header.Origin;
        }

        int kept = held < HeldMax ? _queue.Take(_header, messageClass, MessageQueue.StateHeld, _nowMs + HeldMs) : MessageQueue.None;
        if (kept == MessageQueue.None)
        {
            return false;
        }

        System.Array.Copy(buffer, _header.BodyOffset, _queue.Body, _queue.BodyOffset(kept), _header.BodyLength);
        _queue.RssiDbm[kept] = rssiDbm;
        _timers.SetEarlier(Timer.Queue, _nowMs + HeldMs);
        if (!asked)
        {
            SendHello(_header.Origin, 1);
        }

        return true;
    }

    /// <summary>A hello of that origin came: what was kept for want of it can be opened.</summary>
    private void OpenHeld(ushort origin)
    {
        _opensHeld = true;
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] == MessageQueue.StateHeld && _queue.Origin[slot] == origin)
            {
                _queue.GetHeader(slot, _header);
                _header.BodyOffset = _queue.BodyOffset(slot);

                // Its bytes are copied before anything else can take the slot.
                _queue.Free(slot);
                ReceiveEndToEnd(_queue.Class[slot], _queue.Body, _queue.RssiDbm[slot]);
            }
        }

        _opensHeld = false;
    }
}
