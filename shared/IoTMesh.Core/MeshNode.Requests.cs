namespace IoTMesh.Core;

/// <content>Requests for a whole table or for a newer seqno. protocol.md 5.4.</content>
public sealed partial class MeshNode
{
    private const int RequestFirstMs = 15;
    private const int RequestRetryMs = 250;
    private const int RequestRetryMaxShift = 6;
    private const int HostRequestTries = 2;
    private const int HostRequestFirstMs = 300;

    // A neighbor still claims a route that this node may not use: some seconds of trouble, or a restart here.
    private const int ClaimedRequestTries = 8;
    // After its tries in vain: messages that wait for the route do not ask again before this has passed.
    private const byte RequestResting = 0xFF;
    private const int RequestRestMs = 10_000;
    private const int ForwardRetryMs = 100;
    private const int ForwardTriesMax = 7;
    private const int SeqNoMinIntervalMs = 100;
    private const int DumpRetryMs = 1_500;
    private const int DumpTriesMax = 6;

    private void WantDump(int neighbor, int delayMs)
    {
        bool wanted = _leaf == null && !_children.IsChild(neighbor) && !_neighbors.InSync[neighbor] && _neighbors.IsUsable(neighbor);
        if (!wanted || _neighbors.DumpDueMs[neighbor] != long.MaxValue)
        {
            return;
        }

        _neighbors.DumpDueMs[neighbor] = _nowMs + delayMs;
        _timers.SetEarlier(Timer.Probe, _neighbors.DumpDueMs[neighbor]);
    }

    private void StepDumpRequest(int neighbor)
    {
        int tries = ++_neighbors.DumpTries[neighbor];
        if (_neighbors.InSync[neighbor] || tries > DumpTriesMax)
        {
            _neighbors.DumpDueMs[neighbor] = long.MaxValue;
            _neighbors.DumpTries[neighbor] = 0;
            return;
        }

        _effects.PushOnce(Effect.SendRequest, neighbor, 0);
        _neighbors.DumpDueMs[neighbor] = _nowMs + (DumpRetryMs << (tries - 1)) + _prng.Next(DumpRetryMs);
    }

    private void WantSeqNo(int route, int delayMs)
    {
        if (_leaf != null)
        {
            return;
        }

        bool resting = _routes.RequestTries[route] == RequestResting;
        if (_routes.RequestDue[route] == Stamp.Never || _routes.IsForwarding[route] || resting)
        {
            _routes.IsForwarding[route] = false;
            _routes.RequestDue[route] = Stamp.Of(_nowMs + delayMs + _prng.Next(delayMs));
            _routes.RequestTries[route] = 0;
        }

        _timers.SetEarlier(Timer.Request, Stamp.ToMs(_routes.RequestDue[route], _nowMs));
    }

    /// <summary>A message waits for the route: asks for a newer seqno, unless that was tried in vain just now.</summary>
    private void WantSeqNoForWaiting(int route)
    {
        if (_routes.RequestTries[route] != RequestResting)
        {
            WantSeqNo(route, RequestFirstMs);
        }
    }

    private void SendRequests()
    {
        long next = long.MaxValue;
        bool any = false;
        for (int r = 0; r < _routes.Count; r++)
        {
            bool due = Stamp.IsDue(_routes.RequestDue[r], _nowMs);
            if (due && _routes.IsForwarding[r])
            {
                StepForwarding(r);
            }
            else if (due && _routes.RequestTries[r] == RequestResting)
            {
                _routes.RequestDue[r] = Stamp.Never;
                _routes.RequestTries[r] = 0;
            }
            else if (due)
            {
                int tries = ++_routes.RequestTries[r];
                any = true;
                _routes.RequestNow[r] = true;
                int shift = tries > RequestRetryMaxShift ? RequestRetryMaxShift : tries;
                bool goOn = _routes.IsGateway[r] || tries < HostRequestTries
                    || (tries < ClaimedRequestTries && _routes.AnyCandidate(r, NeighborTable.None) != NeighborTable.None);
                int pauseMs = goOn ? (RequestRetryMs << (shift - 1)) + _prng.Next(RequestRetryMs) : RequestRestMs;
                _routes.RequestDue[r] = Stamp.Of(_nowMs + pauseMs);
                _routes.RequestTries[r] = goOn ? (byte)tries : RequestResting;
            }

            long dueMs = Stamp.ToMs(_routes.RequestDue[r], _nowMs);
            next = dueMs < next ? dueMs : next;
        }

        if (any)
        {
            _effects.PushOnce(Effect.SendRequest, NeighborTable.None, 0);
        }

        _timers.Set(Timer.Request, next);
    }

    /// <summary>The way over a neighbor fails and may be the only feasible one: ask for a seqno that makes others feasible.</summary>
    private void RequestBackups(int neighbor)
    {
        for (int r = 0; r < _routes.Count; r++)
        {
            if (_routes.IsGateway[r] && _routes.NextHop(r) == neighbor && _routes.FeasibleCount(r) <= 1)
            {
                WantSeqNo(r, 2);
            }
        }
    }

    private ParseError ReceiveRequest(int neighbor, ushort linkDestination, byte[] buffer, int at, int end)
    {
        if (at == end || (end - at) % RequestFormat.EntryLength != 0)
        {
            return ParseError.BadLength;
        }

        for (; at < end; at += RequestFormat.EntryLength)
        {
            ushort destination = Bytes.GetU16(buffer, at);
            ushort seqNo = Bytes.GetU16(buffer, at + RequestFormat.OffsetSeqNo);
            byte hopLimit = buffer[at + RequestFormat.OffsetHopLimit];
            if (destination == MeshAddress.None)
            {
                _dumpWanted |= linkDestination == Address;
                _timers.SetEarlier(Timer.Announce, _nowMs + 5 + _prng.Next(40));
            }
            else if (destination == Address)
            {
                HandleSeqNoRequest(seqNo);
            }
            else
            {
                ForwardRequest(neighbor, destination, seqNo, hopLimit);
            }
        }

        return ParseError.None;
    }

    private void HandleSeqNoRequest(ushort seqNo)
    {
        _seqNoWanted |= SeqNo.IsNewer(seqNo, _record.SeqNo);
        AnnounceSoon(true);
    }

    // RFC 8966 section 3.8.1.2: raised by one only, and not faster than the news of it travels.
    private void RaiseSeqNoIfWanted()
    {
        if (!_seqNoWanted)
        {
            return;
        }

        if (_nowMs - _lastSeqNoMs < SeqNoMinIntervalMs || !_record.CanRaiseSeqNo)
        {
            _timers.SetEarlier(Timer.Announce, _nowMs + SeqNoMinIntervalMs);
            return;
        }

        _seqNoWanted = false;
        _lastSeqNoMs = _nowMs;
        _record.SeqNo++;
        StoreIfNeeded();
    }

    private void ForwardRequest(int neighbor, ushort destination, ushort seqNo, byte hopLimit)
    {
        int route = _routes.Find(destination);
        if (route == RouteTable.None)
        {
            return;
        }

        if (_routes.Metric[route] < MeshConfig.InfiniteMetric && !SeqNo.IsNewer(seqNo, _routes.SeqNoAdvertised[route]))
        {
            _routes.Touch(route);
            AnnounceSoon(true);
            return;
        }

        // Asking or passing on already: this node repeats until the answer comes, however lossy the way is.
        bool underWay = _routes.RequestDue[route] != Stamp.Never
            && (!_routes.IsForwarding[route] || !SeqNo.IsNewer(seqNo, _routes.WantedSeqNo[route]));
        int next = NextForRequest(route, neighbor);
        if (underWay || hopLimit <= 1 || next == NeighborTable.None)
        {
            return;
        }

        _routes.IsForwarding[route] = true;
        _routes.WantedSeqNo[route] = seqNo;
        _routes.WantedHopLimit[route] = (byte)(hopLimit - 1);
        _routes.RequestTries[route] = 0;
        StepForwarding(route);
        _timers.SetEarlier(Timer.Request, Stamp.ToMs(_routes.RequestDue[route], _nowMs));
    }

    private int NextForRequest(int route, int except)
    {
        int next = _routes.NextHop(route);
        return next == NeighborTable.None || next == except ? _routes.AnyCandidate(route, except) : next;
    }

    private void StepForwarding(int route)
    {
        int next = NextForRequest(route, NeighborTable.None);
        if (next != NeighborTable.None && _children.IsAsleep(next, _nowMs))
        {
            _routes.RequestDue[route] = Stamp.Of(_nowMs + ChildRequestMs);
            return;
        }

        int tries = ++_routes.RequestTries[route];
        if (next == NeighborTable.None || tries > ForwardTriesMax)
        {
            _routes.EndRequest(route);
            return;
        }

        // The next hop may be the very node that died, unknown here yet: every second repetition takes another way, unless it is heard. On
        // a line the only other way is back.
        bool isHeard = _nowMs - _neighbors.LastHeardMs[next] <= RequestSilentMs;
        int other = (tries & 1) == 0 && !isHeard ? _routes.AnyCandidate(route, next) : NeighborTable.None;
        next = other == NeighborTable.None ? next : other;
        Question(next, RequestSilentMs);
        int packed = (_routes.Destination[route] << 16) | _routes.WantedSeqNo[route];
        _effects.PushOnce(Effect.ForwardRequest, next | (_routes.WantedHopLimit[route] << 8), packed);
        _routes.RequestDue[route] = Stamp.Of(_nowMs + (ForwardRetryMs << (tries - 1)) + _prng.Next(ForwardRetryMs));
    }
}
