namespace IoTMesh.Core;

/// <content>
/// Ways to nodes that do not fit into the route tables: nodes tell the gateways their parents, a gateway names the way hop by
/// hop, and nodes hand what they have no route for to a gateway. protocol.md 5.7.
/// </content>
public sealed partial class MeshNode
{
    private const int WaypointsMax = 20;
    private const int ParentReportLength = 3;
    private const int ParentReportMs = 600_000;
    private const int ParentChangeMs = 1_500;
    private readonly ushort[] _waypoints = new ushort[WaypointsMax];
    private int _waypointCount = MessageQueue.NoWaypoints;
    private ushort _reportedParent;
    private long _parentReportDueMs = long.MaxValue;

    /// <summary>Reads a frame's extensions; returns where the list ends, beyond <paramref name="end"/> for a malformed one.</summary>
    private int ReadExtensions(byte[] buffer, int at, int end)
    {
        while (at < end && buffer[at] != 0)
        {
            int length = at + 1 < end ? buffer[at + 1] : 0;
            if (buffer[at] == FrameFormat.ExtensionWaypoints && (length & 1) == 0 && length <= 2 * WaypointsMax && at + 2 + length <= end)
            {
                _waypointCount = length / 2;
                for (int i = 0; i < _waypointCount; i++)
                {
                    _waypoints[i] = Bytes.GetU16(buffer, at + 2 + (2 * i));
                }
            }

            at += 2 + length;
        }

        return at + 1;
    }

    /// <summary>The message just taken over keeps the waypoints of its frame, less this node.</summary>
    private void KeepWaypoints(int slot)
    {
        if (Config.IsGateway && _queue.Via[slot] == Address)
        {
            // Handed up for want of a route; from here on it must not come back.
            _queue.Via[slot] = MeshAddress.None;
            _queue.Waypoints[slot] = 0;
            return;
        }

        if (_queue.Via[slot] != MeshAddress.None && MeshAddress.IsUnicast(_queue.Destination[slot]))
        {
            // Its sender had no route: one that leads there is out of date.
            _queue.Avoid[slot] = _sender;
        }

        int skip = _waypointCount > 0 && _waypoints[0] == Address ? 1 : 0;
        if (_waypointCount != MessageQueue.NoWaypoints)
        {
            SetWaypoints(slot, skip, _waypointCount);
        }
    }

    // They lie at the end of the slot's body, where a message that has them leaves room.
    private bool SetWaypoints(int slot, int from, int to)
    {
        int count = to - from;
        bool fits = _queue.BodyLength[slot] + (2 * count) <= _queue.BodyCapacity;
        _queue.Waypoints[slot] = fits ? (byte)count : (byte)0;
        for (int i = 0; fits && i < count; i++)
        {
            Bytes.PutU16(_queue.Body, WaypointOffset(slot, i), _waypoints[from + i]);
        }

        return fits;
    }

    private int WaypointOffset(int slot, int index)
    {
        return _queue.BodyOffset(slot) + _queue.BodyCapacity - (2 * (_queue.Waypoints[slot] - index));
    }

    private bool HasWaypoints(int slot)
    {
        return _queue.Waypoints[slot] != MessageQueue.NoWaypoints;
    }

    /// <summary>
    /// The neighbor towards a message's next waypoint. A waypoint that cannot be reached is passed over where the one behind it
    /// can: the way was true when it was reported.
    /// </summary>
    private int NextHopByWaypoints(int slot)
    {
        int count = _queue.Waypoints[slot];
        for (int i = 0; i <= count; i++)
        {
            ushort target = i == count ? _queue.Destination[slot] : Bytes.GetU16(_queue.Body, WaypointOffset(slot, i));
            int next = NeighborTowards(target, _queue.Avoid[slot]);
            if (next != NeighborTable.None)
            {
                // Those passed over are dropped: the list keeps its end.
                _queue.Waypoints[slot] = (byte)(count - i);
                return next;
            }

            // It may be a child that this node never had a use for and so never asked for proof.
            int neighbor = _neighbors.Find(target);
            if (neighbor != NeighborTable.None && !_neighbors.IsUsable(neighbor))
            {
                ScheduleProbe(neighbor, 1);
            }
        }

        return NeighborTable.None;
    }

    /// <summary>A message on its way up to a gateway turns as soon as a node knows a route: the two ways' common ancestor.</summary>
    private bool TurnsHere(int slot)
    {
        int route = _routes.Find(_queue.Destination[slot]);
        int next = route == RouteTable.None ? NeighborTable.None : _routes.NextHopAvoiding(route, _queue.Avoid[slot]);
        if (next == NeighborTable.None || next == _queue.Avoid[slot])
        {
            return false;
        }

        _queue.Via[slot] = MeshAddress.None;
        _queue.Waypoints[slot] = 0;
        return true;
    }

    private int NeighborTowards(ushort target, int avoid)
    {
        int neighbor = _neighbors.Find(target);
        if (neighbor != NeighborTable.None && neighbor != avoid && _neighbors.IsUsable(neighbor))
        {
            return neighbor;
        }

        int route = _routes.Find(target);
        return route == RouteTable.None ? NeighborTable.None : _routes.NextHopAvoiding(route, avoid);
    }

    /// <summary>
    /// No route leads to the message's destination. Where tables are full that means little: a gateway goes by what nodes
    /// reported, others hand the message to a gateway. None where neither is possible.
    /// </summary>
    private int NextHopBeyondTable(int slot)
    {
        if (!_routes.IsShort || !MeshAddress.IsUnicast(_queue.Destination[slot]) || _queue.Via[slot] != MeshAddress.None)
        {
            return NeighborTable.None;
        }

        if (Config.IsGateway)
        {
            return FindWaypoints(slot) ? NextHopByWaypoints(slot) : NeighborTable.None;
        }

        int route = _routes.NearestGateway();
        if (route == RouteTable.None || HasWaypoints(slot))
        {
            return NeighborTable.None;
        }

        _queue.Via[slot] = _routes.Destination[route];
        return _routes.NextHopAvoiding(route, _queue.Avoid[slot]);
    }

    // Of a gateway with full tables: a node on the way that lacks the route must not hand the message back up.
    private void KeepFromReturning(int slot)
    {
        if (Config.IsGateway && _routes.IsShort && MeshAddress.IsUnicast(_queue.Destination[slot]))
        {
            _queue.Waypoints[slot] = 0;
        }
    }

    /// <summary>Gateways: climbs from the destination, parent by parent, to a node that a route or this node leads to.</summary>
    private bool FindWaypoints(int slot)
    {
        int first = WaypointsMax;
        ushort node = _queue.Destination[slot];
        while (true)
        {
            int peer = _peers.Find(node);
            ushort parent = peer == PeerTable.None ? MeshAddress.None : _peers.Parent[peer];
            if (parent == Address || (node != _queue.Destination[slot] && NeighborTowards(node, _queue.Avoid[slot]) != NeighborTable.None))
            {
                break;
            }

            if (parent == MeshAddress.None || first == 0)
            {
                return false;
            }

            first--;
            _waypoints[first] = parent;
            node = parent;
        }

        return SetWaypoints(slot, first, WaypointsMax);
    }

    /// <summary>Bytes of the extension that the slot's message needs in a frame to that neighbor; 0 for none.</summary>
    private int WaypointsLength(int slot)
    {
        return HasWaypoints(slot) ? 3 + (2 * _queue.Waypoints[slot]) : 0;
    }

    private int EmitWaypoints(int slot, byte[] frame, int at, ushort linkDestination)
    {
        int count = _queue.Waypoints[slot];

        // The receiver knows that it is the first.
        int skip = count > 0 && Bytes.GetU16(_queue.Body, WaypointOffset(slot, 0)) == linkDestination ? 1 : 0;
        frame[at] = FrameFormat.ExtensionWaypoints;
        frame[at + 1] = (byte)(2 * (count - skip));
        if (count > skip)
        {
            System.Array.Copy(_queue.Body, WaypointOffset(slot, skip), frame, at + 2, 2 * (count - skip));
        }

        at += 2 + (2 * (count - skip));
        frame[at] = 0;
        return at + 1;
    }

    /// <summary>The way to the gateways changed: where tables are full they have to know the new parent soon.</summary>
    private void ReportParentSoon(int delayMs)
    {
        if (!Config.IsGateway && _routes.IsShort && _nowMs + delayMs < _parentReportDueMs)
        {
            _parentReportDueMs = _nowMs + delayMs + _prng.Next(delayMs);
            _timers.SetEarlier(Timer.Housekeeping, _parentReportDueMs);
        }
    }

    private void ReportParentIfDue()
    {
        ushort parent = GetNextHop(MeshAddress.AnyGateway);
        if (parent != _reportedParent)
        {
            ReportParentSoon(ParentChangeMs);
        }

        if (_nowMs < _parentReportDueMs)
        {
            return;
        }

        _parentReportDueMs = long.MaxValue;
        ReportParentSoon(ParentReportMs);
        for (int r = 0; r < _routes.Count && parent != MeshAddress.None; r++)
        {
            if (!_routes.IsGateway[r] || _routes.NextHop(r) == NeighborTable.None)
            {
                continue;
            }

            _plain[0] = ServiceKind.ParentReport;
            Bytes.PutU16(_plain, 1, parent);
            int slot = Compose(MessageKind.Service, MeshAddress.AnyGateway, (byte)MeshClass.Bulk, true, ParentReportLength);
            if (slot == MessageQueue.None)
            {
                _parentReportDueMs = _nowMs + ParentChangeMs;
                return;
            }

            SetVia(slot, r, false);
            _reportedParent = parent;
        }
    }

    private void ReceiveParentReport(int peer, int count)
    {
        if (Config.IsGateway && count == ParentReportLength)
        {
            _peers.Parent[peer] = Bytes.GetU16(_plain, 1);
        }
    }
}
