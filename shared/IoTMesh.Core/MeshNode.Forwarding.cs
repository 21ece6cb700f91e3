namespace IoTMesh.Core;

/// <content>Messages hop by hop: choosing a next hop, retries, giving up. protocol.md 6.</content>
public sealed partial class MeshNode
{
    private const int WaitForRouteMs = 200;
    private const int HoldOwnMs = 15_000;
    private const int HoldForwardedMs = 8_000;
    private const int BackoffMaxShift = 4;
    private const int BackoffMaxMs = 600;
    private const int DivertAfterTries = 2;

    // One retry: what comes later than that is of no use.
    private const int RealTimeTries = 2;
    private const int ClassCount = 4;
    private const int TellUnreachableMs = 400;
    private long _toldUnreachableMs = long.MinValue / 2;

    private int CostByte(ushort destination)
    {
        int route = destination == MeshAddress.AnyGateway ? _routes.NearestGateway() : _routes.Find(destination);
        if (Config.IsGateway && destination == MeshAddress.AnyGateway)
        {
            return 0;
        }

        int cost = route == RouteTable.None ? 255 : _routes.Metric[route] >> FrameFormat.CostShift;
        return cost > 255 ? 255 : cost;
    }

    /// <summary>Moves every queued message that is due, highest class first.</summary>
    private void PumpQueue()
    {
        GatherBulk();
        _queue.Unschedule(_nowMs);
        for (int messageClass = 0; messageClass < ClassCount; messageClass++)
        {
            for (int slot = 0; slot < _queue.Capacity; slot++)
            {
                if (_queue.Class[slot] == messageClass && _queue.State[slot] != MessageQueue.StateFree && _queue.DueMs[slot] <= _nowMs)
                {
                    StepSlot(slot);
                }
            }
        }

        _timers.Set(Timer.Queue, _queue.EarliestDueMs());
    }

    private void StepSlot(int slot)
    {
        if (_queue.State[slot] == MessageQueue.StateInFlight)
        {
            if (WaitsAtLink(slot))
            {
                return;
            }

            HandleAckTimeout(slot);
        }

        if (_queue.State[slot] == MessageQueue.StateReady)
        {
            ScheduleSlot(slot);
        }
        else if (_queue.State[slot] == MessageQueue.StateFlood)
        {
            StepFlood(slot);
        }
        else if (_queue.State[slot] == MessageQueue.StateMailbox)
        {
            Counters.DroppedMailbox++;
            GiveUp(slot);
        }
        else if (_queue.State[slot] == MessageQueue.StateHeld)
        {
            Counters.EndToEndNoKey++;
            _queue.Free(slot);
        }
    }

    private void HandleAckTimeout(int slot)
    {
        int neighbor = _queue.NextHop[slot];
        int tries = ++_queue.Tries[slot];
        int triesHere = ++_queue.TriesHere[slot];
        Counters.Retries++;
        _queue.State[slot] = MessageQueue.StateReady;
        _queue.DueMs[slot] = _nowMs;
        _queue.Avoid[slot] = triesHere >= DivertAfterTries ? neighbor : _queue.Avoid[slot];
        HandleFailedTry(neighbor, _queue.FrameCounter[slot]);
        if (tries >= (_queue.Class[slot] == (byte)MeshClass.RealTime ? RealTimeTries : Config.MaxTries))
        {
            Counters.DroppedTries++;
            GiveUp(slot);
        }
    }

    private void ScheduleSlot(int slot)
    {
        if (IsLate(slot))
        {
            Counters.DroppedLate++;
            GiveUp(slot);
            return;
        }

        int next = ResolveNextHop(slot);
        if (_queue.State[slot] == MessageQueue.StateFree)
        {
            return;
        }

        if (next == NeighborTable.None)
        {
            if (_nowMs >= _queue.GiveUpMs[slot])
            {
                Counters.DroppedNoRoute++;
                GiveUp(slot);
                return;
            }

            _queue.DueMs[slot] = _nowMs + WaitForRouteMs;
            Hold(slot);
            return;
        }

        if (_children.IsAsleep(next, _nowMs))
        {
            HoldMail(slot, next);
            return;
        }

        _queue.HasNoRoute[slot] = false;

        if (next != _queue.NextHop[slot])
        {
            _queue.TriesHere[slot] = 0;
        }

        _queue.NextHop[slot] = next;
        _queue.State[slot] = MessageQueue.StateScheduled;
        _queue.DueMs[slot] = long.MaxValue;
        if (!_effects.PushOnce(Effect.SendData, next, 0))
        {
            _queue.State[slot] = MessageQueue.StateReady;
            _queue.DueMs[slot] = _nowMs + WaitForRouteMs;
        }
    }

    private int ResolveNextHop(int slot)
    {
        if (_leaf != null)
        {
            return ParentSlot();
        }

        ushort destination = _queue.Destination[slot];
        bool handedUp = destination != MeshAddress.AnyGateway && _queue.Via[slot] != MeshAddress.None;
        if (HasWaypoints(slot) || (handedUp && TurnsHere(slot)))
        {
            int onward = NextHopByWaypoints(slot);
            return onward == NeighborTable.None && Config.IsGateway ? NextHopBeyondTable(slot) : onward;
        }

        int route;
        if (destination == MeshAddress.AnyGateway || handedUp)
        {
            route = _queue.Via[slot] == MeshAddress.None ? RouteTable.None : _routes.Find(_queue.Via[slot]);
            if (route == RouteTable.None || _routes.NextHop(route) == NeighborTable.None)
            {
                TellUnreachable(slot, route);
                route = _routes.NearestGateway();
                SetVia(slot, route, handedUp);
            }
        }
        else
        {
            route = _routes.Find(destination);
        }

        if (route == RouteTable.None)
        {
            return NextHopBeyondTable(slot);
        }

        int next = _routes.NextHopFor(route, _queue.Origin[slot], _queue.Avoid[slot], _queue.From[slot]);
        if (next == NeighborTable.None)
        {
            TellUnreachable(slot, route);
            WantSeqNoForWaiting(route);
            return NextHopBeyondTable(slot);
        }

        KeepFromReturning(slot);
        return _queue.IsCopy(slot) ? HopOfCopy(slot, route) : next;
    }

    // Whoever handed the message over has missed that this node lost the route: it would go on, or get the message back.
    private void TellUnreachable(int slot, int route)
    {
        if (route != RouteTable.None && _queue.Origin[slot] != Address && _nowMs - _toldUnreachableMs >= TellUnreachableMs)
        {
            _toldUnreachableMs = _nowMs;
            _routes.Touch(route);
            AnnounceSoon(true);
        }
    }

    // With several gateways a message keeps to one, or relays of different taste could pass it to and fro. protocol.md 5.6.
    private void SetVia(int slot, int route, bool handedUp)
    {
        if (handedUp)
        {
            // Without a gateway in reach it waits; it must not turn back to the tables.
            _queue.Via[slot] = route == RouteTable.None ? _queue.Via[slot] : _routes.Destination[route];
            return;
        }

        _queue.Via[slot] = _routes.HasSeveralGateways && route != RouteTable.None ? _routes.Destination[route] : MeshAddress.None;
    }

    /// <summary>A route came back: messages that wait for one need not wait for their next look.</summary>
    private void WakeWaiting(ushort destination, bool isGateway)
    {
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] == MessageQueue.StateReady
                && (_queue.Destination[slot] == destination || (isGateway && _queue.Destination[slot] == MeshAddress.AnyGateway)))
            {
                _queue.DueMs[slot] = _nowMs;
            }
        }
    }

    private void RequeueFrom(int neighbor)
    {
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            bool waits = _queue.IsUnderWay(slot) || _queue.State[slot] == MessageQueue.StateMailbox;
            if (waits && _queue.NextHop[slot] == neighbor)
            {
                _queue.State[slot] = MessageQueue.StateReady;
                _queue.NextHop[slot] = NeighborTable.None;
                _queue.TriesHere[slot] = 0;
                _queue.EndBusy(slot);
                _queue.FrameCounter[slot] = 0;
                _queue.FrameCounterBefore[slot] = 0;
                _queue.DueMs[slot] = _nowMs;
                long giveUpMs = _nowMs + HoldForwardedMs;
                _queue.GiveUpMs[slot] = (IsReading(slot) && _queue.GiveUpMs[slot] > giveUpMs) || IsRealTime(slot) ? _queue.GiveUpMs[slot] : giveUpMs;
            }

            if (_queue.Avoid[slot] == neighbor)
            {
                _queue.Avoid[slot] = NeighborTable.None;
            }

            _queue.From[slot] = _queue.From[slot] == neighbor ? MessageQueue.NoNeighbor : _queue.From[slot];
        }

        _timers.SetEarlier(Timer.Queue, _nowMs);
    }

    /// <summary>The next hop has taken the message over.</summary>
    private void CompleteHop(int slot)
    {
        if (_queue.ReadingSeq[slot] != 0)
        {
            SetCarried(slot, Custody.StateSent);
            _timers.SetEarlier(Timer.Custody, _nowMs);
        }

        if (_queue.Token[slot] != 0)
        {
            _effects.Push(Effect.Completed, _queue.Token[slot], 1);
        }

        EndHeldDatagrams(slot, true);

        _queue.Free(slot);
    }

    private void GiveUp(int slot)
    {
        if (_queue.ReadingSeq[slot] != 0)
        {
            SetCarried(slot, Custody.StateUnsent);
            _timers.SetEarlier(Timer.Custody, _nowMs + CustodyPauseMs);
        }

        if (_queue.Token[slot] != 0)
        {
            _effects.Push(Effect.Completed, _queue.Token[slot], 0);
        }

        EndHeldDatagrams(slot, false);

        _queue.Free(slot);
    }

    private long AckDueMs(int slot, int neighbor)
    {
        bool twice = _queue.TriesHere[slot] > 0 || _neighbors.LosesTries(neighbor);
        int least = Config.AckTimeoutMinMs + (twice ? Config.AckRepeatMs : 0);
        int timeout = _neighbors.RetransmitTimeoutMs(neighbor, least) + Config.AckDelayMs;
        int shift = _queue.TriesHere[slot] > BackoffMaxShift ? BackoffMaxShift : _queue.TriesHere[slot];
        timeout <<= shift;
        timeout = timeout > BackoffMaxMs ? BackoffMaxMs : timeout;
        return _nowMs + timeout + _prng.Next((timeout / 4) + 1);
    }
}
