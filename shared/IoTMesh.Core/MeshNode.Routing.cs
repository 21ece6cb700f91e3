namespace IoTMesh.Core;

/// <content>Beacons, route announcements and requests for a newer seqno. protocol.md 5.</content>
public sealed partial class MeshNode
{
    private const int AnnounceUrgentMs = 4;
    private const int AnnounceUrgentJitterMs = 20;
    private const int AnnounceLazyMs = 500;
    private const int AnnounceLazyJitterMs = 1_000;
    private const int BeaconRepeats = 3;
    private const byte RequestHopLimit = 64;
    private readonly int[] _sinceRing = new int[BeaconRepeats];
    private byte _beaconNumber;
    private bool _seqNoWanted;
    private bool _dumpWanted;
    private long _lastSeqNoMs;
    private long _lastBeaconMs;
    private long _gatewayLostMs = -1;
    private bool _hadGateway;
    private ushort _lastGateway;

    private void HandleRoutingTimers()
    {
        if (_timers.IsDue(Timer.Announce, _nowMs) && _nowMs < AnnounceFreeMs)
        {
            _timers.Set(Timer.Announce, AnnounceFreeMs);
        }
        else if (_timers.IsDue(Timer.Announce, _nowMs))
        {
            NoteAnnounced();
            _timers.Stop(Timer.Announce);
            RaiseSeqNoIfWanted();
            QueueBeacon(_dumpWanted);
            _dumpWanted = false;
        }

        if (_timers.IsDue(Timer.Beacon, _nowMs))
        {
            bool transmit = _trickle.HandleTimeout(_nowMs, _neighbors.VerifiedCount() == 0);
            if (transmit || _nowMs - _lastBeaconMs > Config.BeaconMaxMs)
            {
                QueueBeacon(false);
            }

            _timers.Set(Timer.Beacon, _trickle.DueMs);
        }

        if (_timers.IsDue(Timer.Request, _nowMs))
        {
            SendRequests();
        }

        if (_timers.IsDue(Timer.Probe, _nowMs))
        {
            SendProbes();
        }
    }

    private void AnnounceSoon(bool urgent)
    {
        if (_leaf != null && !_seqNoWanted)
        {
            return;
        }

        int delayMs = urgent ? AnnounceUrgentMs + _prng.Next(AnnounceUrgentJitterMs) : AnnounceLazyMs + _prng.Next(AnnounceLazyJitterMs);
        _timers.SetEarlier(Timer.Announce, _nowMs + delayMs);
        if (urgent && _leaf == null)
        {
            _trickle.Reset(_nowMs);
            _timers.Set(Timer.Beacon, _trickle.DueMs);
        }
    }

    private int EntriesPerBeacon => (Config.MaxFrameLength - FrameFormat.WideLength - BeaconFormat.FixedLength - TimeFormat.Length
        - FrameFormat.TagLength) / BeaconFormat.EntryLength;

    /// <summary>Queues a beacon with what changed since the third last one, or with the whole table, in as many parts as it takes.</summary>
    private void QueueBeacon(bool full)
    {
        if (_leaf != null)
        {
            PollSoon();
            return;
        }

        _lastBeaconMs = _nowMs;
        _beaconNumber++;
        int since = _sinceRing[0];
        if (full || since == 0 || _routes.Version - since >= BeaconFormat.SinceFull)
        {
            since = -1;
        }

        int parts = BeaconParts(since);
        for (int part = 0; part < parts; part++)
        {
            _effects.PushOnce(Effect.SendBeacon, part, since);
        }

        _sinceRing[0] = _sinceRing[1];
        _sinceRing[1] = _sinceRing[2];
        _sinceRing[2] = _routes.Version;
    }

    private int BeaconParts(int since)
    {
        int entries = 0;
        for (int r = 0; r < _routes.Count; r++)
        {
            if (IsInBeacon(r, since))
            {
                entries++;
            }
        }

        int parts = (entries + EntriesPerBeacon - 1) / EntriesPerBeacon;
        return parts < 1 ? 1 : parts > BeaconFormat.MaxParts ? BeaconFormat.MaxParts : parts;
    }

    private bool IsInBeacon(int route, int since)
    {
        // Routes to gateways go along always: they are few and everything hangs on them.
        return since < 0 || _routes.ChangedAfter(route, since) || (_routes.IsGateway[route] && _routes.Metric[route] < MeshConfig.InfiniteMetric);
    }

    private ParseError ReceiveBeacon(int neighbor, byte[] buffer, int at, int end)
    {
        int fixedLength = BeaconFormat.LengthBeforeEntries(buffer, at, end);
        int entries = (end - at - fixedLength) / BeaconFormat.EntryLength;
        if (end - at < fixedLength || at + fixedLength + (entries * BeaconFormat.EntryLength) != end)
        {
            return ParseError.BadLength;
        }

        NoteBoot(neighbor, Bytes.GetU16(buffer, at + BeaconFormat.OffsetBoot));
        _neighbors.HandleBeaconNumber(neighbor, buffer[at + BeaconFormat.OffsetBeaconNumber]);
        bool isGateway = (buffer[at + BeaconFormat.OffsetFlags] & BeaconFormat.FlagGateway) != 0;
        _routes.IsShort |= (buffer[at + BeaconFormat.OffsetFlags] & BeaconFormat.FlagShortTable) != 0;
        int changes = ApplyEntry(neighbor, _neighbors.Address[neighbor], Bytes.GetU16(buffer, at + BeaconFormat.OffsetSeqNo), 0, isGateway);
        for (int i = 0; i < entries; i++)
        {
            int entry = at + fixedLength + (i * BeaconFormat.EntryLength);
            ushort destination = Bytes.GetU16(buffer, entry);
            ushort metric = Bytes.GetU16(buffer, entry + BeaconFormat.EntryOffsetMetric);
            ushort seqNo = Bytes.GetU16(buffer, entry + BeaconFormat.EntryOffsetSeqNo);
            if (destination == Address)
            {
                HandleOwnRoute(seqNo, metric);
            }
            else if (MeshAddress.IsUnicast(destination) && IsWorthKnowing(destination, metric))
            {
                NoteAdvertised(destination, seqNo, metric & 0x7FFF);
                changes |= ApplyEntry(neighbor, destination, seqNo, (ushort)(metric & 0x7FFF), (metric & BeaconFormat.EntryGatewayBit) != 0);
            }
        }

        TrackVersion(neighbor, buffer, at);
        if (fixedLength != BeaconFormat.FixedLength)
        {
            ReceiveTime(neighbor, buffer, at + BeaconFormat.FixedLength);
        }

        if ((changes & RouteTable.ChangedMetric) == 0 && _neighbors.InSync[neighbor])
        {
            _trickle.HandleConsistent();
        }

        ScheduleProbeIfWanted(neighbor, 2 + _prng.Next(25));
        return ParseError.None;
    }

    // Somebody remembers a newer seqno of ours than we do: our storage was lost. Go above it, or we would never be believed.
    private void HandleOwnRoute(ushort seqNo, ushort metric)
    {
        if ((metric & 0x7FFF) < MeshConfig.InfiniteMetric && SeqNo.IsNewer(seqNo, _record.SeqNo))
        {
            _record.SeqNo = (ushort)(seqNo + 1);
            AnnounceSoon(true);
            RequestStore();
        }
    }

    private int ApplyEntry(int neighbor, ushort destination, ushort seqNo, ushort metric, bool isGateway)
    {
        int changes = _routes.Update(neighbor, destination, seqNo, metric, isGateway);
        if (changes != 0)
        {
            FollowUp(_routes.Find(destination), changes);
        }

        return changes;
    }

    /// <summary>Does what a change of a route demands: tell neighbors, tell the application, ask for a newer seqno, move custody.</summary>
    private void FollowUp(int route, int changes)
    {
        bool isGateway = _routes.IsGateway[route];
        if ((changes & RouteTable.Urgent) != 0)
        {
            AnnounceSoon(true);
        }
        else if ((changes & RouteTable.ChangedMetric) != 0 && isGateway)
        {
            AnnounceSoon(false);
        }

        if ((changes & RouteTable.ChangedNextHop) != 0)
        {
            Counters.ParentChanges += isGateway ? 1 : 0;
            _effects.Push(Effect.RouteChanged, _routes.Destination[route], route);
        }

        // A route that nobody else can use may hang on this node, so it asks for hosts too; together, as many may starve at once.
        bool lost = (changes & RouteTable.ChangedMetric) != 0;
        if ((changes & RouteTable.Starving) != 0 && (lost || _routes.AnyCandidate(route, NeighborTable.None) != NeighborTable.None))
        {
            WantSeqNo(route, lost || isGateway ? RequestFirstMs : HostRequestFirstMs);
        }

        // Also where the destination has just said that it is no gateway any more.
        if (changes != RouteTable.Starving)
        {
            NoteGatewayChange();
        }

        if ((changes & RouteTable.ChangedNextHop) != 0 && _routes.NextHop(route) != NeighborTable.None)
        {
            _timers.SetEarlier(Timer.Queue, _nowMs);
            WakeWaiting(_routes.Destination[route], isGateway);
        }
    }

    private void TrackVersion(int neighbor, byte[] buffer, int at)
    {
        ushort version = Bytes.GetU16(buffer, at + BeaconFormat.OffsetVersion);
        int sinceDelta = buffer[at + BeaconFormat.OffsetSince];
        int part = buffer[at + BeaconFormat.OffsetPart] >> 4;
        int parts = buffer[at + BeaconFormat.OffsetPart] & 0x0F;
        bool covers = sinceDelta == BeaconFormat.SinceFull
            || (_neighbors.InSync[neighbor] && (ushort)(version - _neighbors.SyncVersion[neighbor]) <= sinceDelta);
        if (_neighbors.InSync[neighbor] && version == _neighbors.SyncVersion[neighbor])
        {
            return;
        }

        ushort shape = (ushort)((sinceDelta << 8) | parts);
        if (_neighbors.PartsVersion[neighbor] != version || _neighbors.PartsShape[neighbor] != shape)
        {
            _neighbors.PartsVersion[neighbor] = version;
            _neighbors.PartsShape[neighbor] = shape;
            _neighbors.PartsSeen[neighbor] = 0;
        }

        _neighbors.PartsSeen[neighbor] |= (ushort)(1 << part);
        bool complete = _neighbors.PartsSeen[neighbor] == (1 << parts) - 1;
        if (covers && complete)
        {
            _neighbors.InSync[neighbor] = true;
            _neighbors.SyncVersion[neighbor] = version;
            _neighbors.DumpDueMs[neighbor] = long.MaxValue;
            _neighbors.DumpTries[neighbor] = 0;
        }
        else if (!covers || part == parts - 1)
        {
            _neighbors.InSync[neighbor] = false;
            WantDump(neighbor, 50 + _prng.Next(300));
        }
    }

    private void ReselectGatewaysVia(int neighbor)
    {
        for (int r = 0; r < _routes.Count; r++)
        {
            if (_routes.NextHop(r) == neighbor && _routes.IsGateway[r])
            {
                ReselectRoute(r);
            }
        }
    }

    /// <summary>Chooses again where the cost of a link changed.</summary>
    private void ReselectChanged()
    {
        for (int r = 0; r < _routes.Count; r++)
        {
            if (_routes.IsCostChanged(r))
            {
                ReselectRoute(r);
            }
        }

        System.Array.Clear(_neighbors.CostChanged, 0, _neighbors.Capacity);
    }

    private void ReselectAll()
    {
        for (int r = 0; r < _routes.Count; r++)
        {
            ReselectRoute(r);
        }
    }

    private void ReselectRoute(int route)
    {
        int changes = _routes.Reselect(route);
        if (changes != 0)
        {
            FollowUp(route, changes);
        }
    }

    private void ForgetRoutesOf(int neighbor)
    {
        for (int r = 0; r < _routes.Count; r++)
        {
            if (_routes.RemoveCandidate(r, neighbor))
            {
                ReselectRoute(r);
            }
        }
    }

    private void LoseNeighbor(int neighbor)
    {
        LoseOrDoubt(neighbor, true);
    }

    /// <summary>
    /// Takes all routes and messages from a neighbor. One that is still heard but acknowledges nothing (it may have no room for
    /// us) is only doubted: it must answer a challenge before it is used again.
    /// </summary>
    private void LoseOrDoubt(int neighbor, bool lose)
    {
        bool wasUsable = _neighbors.IsUsable(neighbor);
        ushort address = _neighbors.Address[neighbor];
        _neighbors.State[neighbor] = NeighborTable.StateHeard;
        _neighbors.InSync[neighbor] = false;
        _children.Remove(neighbor);
        ForgetRoutesOf(neighbor);
        RequeueFrom(neighbor);
        if (lose)
        {
            _neighbors.Free(neighbor);
        }
        else
        {
            ScheduleProbe(neighbor, ProbeRetryMs);
        }

        if (wasUsable)
        {
            Counters.NeighborsLost++;
            _effects.Push(Effect.NeighborChanged, address, 0);
        }

        if (_leaf != null && address == _leaf.Parent)
        {
            HandleParentLost();
        }
    }

    private void NoteGatewayChange()
    {
        ushort gateway = NearestGateway;
        if (gateway == MeshAddress.None)
        {
            if (_hadGateway)
            {
                _gatewayLostMs = _nowMs;
            }
        }
        else if (!_hadGateway || gateway != _lastGateway)
        {
            GatewayReached(gateway != _lastGateway || _nowMs - _gatewayLostMs > GatewayAwayMs);
            _lastGateway = gateway;
        }

        _hadGateway = gateway != MeshAddress.None;
    }
}
