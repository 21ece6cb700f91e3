namespace IoTMesh.Core;

/// <content>A parent's side of sleepy leaves: polls, mailboxes. protocol.md 5.9.</content>
public sealed partial class MeshNode
{
    private const int ChildRequestMs = 1_000;
    private readonly ChildTable _children;
    private ushort _mailNumber;

    /// <summary>Sleepy leaves that this node is the parent of.</summary>
    public int ChildCount => _children.Count;

    /// <summary>When this node gives that child up unless it polls, ms; long.MaxValue where it is none of this node's.</summary>
    public long ChildGiveUpMs(long nowMs, ushort address)
    {
        int neighbor = _neighbors.Find(address);
        return neighbor == NeighborTable.None || !_children.IsChild(neighbor) ? long.MaxValue : _children.GiveUpMs(neighbor, nowMs);
    }

    private ParseError ReceivePoll(int neighbor, uint counter, ushort linkDestination, byte[] buffer, int at, int end)
    {
        if (end - at < PollFormat.Length)
        {
            return ParseError.BadLength;
        }

        if (linkDestination != Address || _leaf != null)
        {
            return ParseError.NotForMe;
        }

        NoteBoot(neighbor, Bytes.GetU16(buffer, at + PollFormat.OffsetBoot));
        if (!_children.Poll(neighbor, buffer, at, _nowMs))
        {
            return ParseError.TableFull;
        }

        _children.Heard(neighbor, _nowMs);
        _neighbors.OweAck(neighbor, counter, false, false);
        if (_neighbors.IsUsable(neighbor))
        {
            AdmitChild(neighbor);
        }
        else
        {
            // It may be a recording: the ack and the route wait for the answer to a challenge.
            ScheduleProbe(neighbor, 0);
        }

        return ParseError.None;
    }

    /// <summary>A verified child has polled: its route is advertised, what waits for it goes out, and the ack with it or alone.</summary>
    private void AdmitChild(int neighbor)
    {
        ushort address = _neighbors.Address[neighbor];
        ApplyEntry(neighbor, address, _children.SeqNo(neighbor), 0, false);
        bool hasMail = HasMail(neighbor);
        _timers.SetEarlier(Timer.Ack, hasMail ? _nowMs + Config.AckDelayMs : _nowMs);
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] == MessageQueue.StateMailbox && _queue.NextHop[slot] == neighbor)
            {
                _queue.State[slot] = MessageQueue.StateReady;
                _queue.DueMs[slot] = _nowMs;
                _timers.SetEarlier(Timer.Queue, _nowMs);
            }
        }

        int route = _routes.Find(address);
        if (route != RouteTable.None && _routes.IsForwarding[route])
        {
            StepForwarding(route);
        }
    }

    private bool IsSilentTooLong(int neighbor)
    {
        if (_children.IsChild(neighbor))
        {
            return _children.IsGone(neighbor, _nowMs);
        }

        // A leaf hears its parent at polls only, and finds out there.
        bool isParent = _leaf != null && _neighbors.Address[neighbor] == _leaf.Parent;
        return !isParent && _nowMs - _neighbors.LastHeardMs[neighbor] > Config.NeighborTimeoutMs;
    }

    /// <summary>True where messages or a request wait for that child.</summary>
    private bool HasMail(int neighbor)
    {
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            byte state = _queue.State[slot];
            bool waits = state != MessageQueue.StateFree && state != MessageQueue.StateDeliver && state != MessageQueue.StateFlood;
            if (waits && (_queue.NextHop[slot] == neighbor || _queue.Destination[slot] == _neighbors.Address[neighbor]))
            {
                return true;
            }
        }

        int route = _routes.Find(_neighbors.Address[neighbor]);
        return route != RouteTable.None && _routes.IsForwarding[route];
    }

    /// <summary>Puts a message into the mailbox of a child that sleeps. Full: the one that has waited longest in it gives way.</summary>
    private void HoldMail(int slot, int neighbor)
    {
        int ofChild = 0;
        int ofAll = 0;
        int oldestOfChild = MessageQueue.None;
        int oldest = MessageQueue.None;
        for (int i = 0; i < _queue.Capacity; i++)
        {
            if (_queue.State[i] == MessageQueue.StateMailbox)
            {
                ofAll++;
                oldest = oldest == MessageQueue.None || SeqNo.IsNewer(_queue.SentMs[oldest], _queue.SentMs[i]) ? i : oldest;
                if (_queue.NextHop[i] == neighbor)
                {
                    ofChild++;
                    bool isOlder = oldestOfChild == MessageQueue.None || SeqNo.IsNewer(_queue.SentMs[oldestOfChild], _queue.SentMs[i]);
                    oldestOfChild = isOlder ? i : oldestOfChild;
                }
            }
        }

        int victim = ofChild >= Config.MaxMailbox ? oldestOfChild : ofAll >= _queue.Capacity / 2 ? oldest : MessageQueue.None;
        if (victim != MessageQueue.None)
        {
            Counters.DroppedMailbox++;
            GiveUp(victim);
        }

        _queue.State[slot] = MessageQueue.StateMailbox;
        _queue.NextHop[slot] = neighbor;
        _queue.HasNoRoute[slot] = false;
        _queue.Tries[slot] = 0;
        _queue.TriesHere[slot] = 0;
        _queue.Avoid[slot] = NeighborTable.None;
        // Not on air, so the time it was sent is free to tell the order in which messages came to be held.
        _queue.SentMs[slot] = _mailNumber++;
        _queue.DueMs[slot] = _children.GiveUpMs(neighbor, _nowMs);
    }

    /// <summary>Another node advertises this child at a newer seqno than it polled here with: it has moved there.</summary>
    private void NoteAdvertised(ushort destination, ushort seqNo, int metric)
    {
        int neighbor = _children.Count == 0 || metric >= MeshConfig.InfiniteMetric ? NeighborTable.None : _neighbors.Find(destination);
        if (neighbor != NeighborTable.None && _children.IsChild(neighbor) && SeqNo.IsNewer(seqNo, _children.SeqNo(neighbor)))
        {
            LoseNeighbor(neighbor);
        }
    }
}
