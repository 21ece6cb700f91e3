namespace IoTMesh.Core;

/// <content>A sleepy leaf: finds a parent, polls it, sleeps. protocol.md 5.9.</content>
public sealed partial class MeshNode
{
    private const int Solicit = -2;
    private const int SearchMs = 250;
    private const int SearchRestMs = 1_000;
    private const int SearchRestShiftMax = 6;
    private const int SearchesAwake = 2;
    private const int SearchPeriodMax = 32;
    private const int PollTimeoutMs = 30;
    private const int PollTriesMax = 5;
    private const int PollsAwakeMax = 16;
    private const int QuickPollMs = 250;
    private const int QuickPollShiftMax = 8;
    private const int WakeSlotMs = 25;
    private readonly SleepyLeaf _leaf;

    /// <summary>
    /// True at a sleepy leaf whose radio, and whose processor where memory is kept, may be off until <see cref="SleepUntilMs"/>
    /// or until the application sends. Frames that come meanwhile are lost.
    /// </summary>
    public bool MaySleep => _leaf != null && _started && _join == null && _leaf.State == LeafState.Asleep && _effects.IsEmpty && !OwesAck()
        && (_queue.Used == 0 || _leaf.Parent == MeshAddress.None);

    /// <summary>When a leaf that sleeps must be called with HandleTimeout, ms.</summary>
    public long SleepUntilMs
    {
        get
        {
            long wakeMs = _leaf == null ? long.MaxValue : _leaf.WakeMs;
            if (_leaf != null && _leaf.Parent != MeshAddress.None)
            {
                wakeMs = _timers[Timer.Pending] < wakeMs ? _timers[Timer.Pending] : wakeMs;
                wakeMs = _timers[Timer.Custody] < wakeMs ? _timers[Timer.Custody] : wakeMs;
            }

            return wakeMs;
        }
    }

    /// <summary>The parent of a sleepy leaf, or None.</summary>
    public ushort Parent => _leaf == null ? MeshAddress.None : _leaf.Parent;

    // A leaf fetches its watermarks by polls.
    private int CustodyRetryMs => _leaf == null ? Config.CustodyRetryMs : Config.CustodyRetryMs + (2 * Config.PollIntervalMs);

    private bool OwesAck()
    {
        for (int n = 0; n < _neighbors.Capacity; n++)
        {
            if (_neighbors.AckOwed[n] && _neighbors.Address[n] != MeshAddress.None)
            {
                return true;
            }
        }

        return false;
    }

    private int ParentSlot()
    {
        return _leaf.Parent == MeshAddress.None ? NeighborTable.None : _neighbors.Find(_leaf.Parent);
    }

    private void EnterLeaf(byte state, long dueMs)
    {
        _leaf.State = state;
        if (state == LeafState.Asleep)
        {
            _leaf.WakeMs = dueMs;
        }

        _timers.Set(Timer.Leaf, dueMs);
    }

    /// <summary>Asks every node in range for a beacon, and whoever sends one for a proof that it is there.</summary>
    private void SearchParent()
    {
        _leaf.Searches++;
        _leaf.PollCounter = 0;
        EnterLeaf(LeafState.Searching, _nowMs + SearchMs);
        _effects.PushOnce(Effect.SendRequest, Solicit, 0);
    }

    private void HandleLeafTimer()
    {
        switch (_leaf.State)
        {
            case LeafState.Asleep:
                _leaf.PollsAwake = 0;
                if (ParentSlot() == NeighborTable.None)
                {
                    SearchParent();
                }
                else
                {
                    BeginPoll();
                }

                break;
            case LeafState.Searching:
                EndSearch();
                break;
            case LeafState.Polling:
                RepeatPoll();
                break;
            default:
                // Quiet for a while: ask whether that was all.
                BeginPoll();
                break;
        }
    }

    private void EndSearch()
    {
        int best = BestParent();
        if (best == NeighborTable.None)
        {
            RestLeaf();
            return;
        }

        if (_neighbors.Address[best] != _leaf.Parent)
        {
            // A newer seqno tells everybody, the old parent included, that the leaf is behind another one now.
            _record.JumpSeqNo(RouteTable.SeqNoJump);
            _leaf.Parent = _neighbors.Address[best];
            Counters.ParentChanges++;
            NoteParent();
        }

        bool known = _routes.NearestGateway() != RouteTable.None;
        _leaf.KnowsGateway = known;
        int period = known ? SearchPeriodMax : _leaf.SearchPeriod * 2;
        _leaf.SearchPeriod = (byte)(period > SearchPeriodMax ? SearchPeriodMax : period);
        _leaf.PollsToSearch = _leaf.SearchPeriod;
        BeginPoll();
    }

    private void NoteParent()
    {
        int route = _routes.NearestGateway();
        if (route != RouteTable.None)
        {
            _effects.Push(Effect.RouteChanged, _routes.Destination[route], route);
        }
    }

    /// <summary>The way to the nearest gateway, else the best link.</summary>
    private int BestParent()
    {
        int route = _routes.NearestGateway();
        int best = route == RouteTable.None ? NeighborTable.None : _routes.NextHop(route);
        for (int n = 0; n < _neighbors.Capacity && route == RouteTable.None; n++)
        {
            bool may = _neighbors.Address[n] != MeshAddress.None && _neighbors.IsUsable(n);
            best = may && (best == NeighborTable.None || _neighbors.LinkCost(n) < _neighbors.LinkCost(best)) ? n : best;
        }

        return best;
    }

    /// <summary>Nobody is there: sleep, longer each time.</summary>
    private void RestLeaf()
    {
        int shift = _leaf.Searches > SearchRestShiftMax ? SearchRestShiftMax : _leaf.Searches;
        long restMs = SearchRestMs << shift;
        restMs = restMs > Config.PollIntervalMs ? Config.PollIntervalMs : restMs;
        _leaf.Searches = (byte)(_leaf.Searches > SearchRestShiftMax ? SearchRestShiftMax : _leaf.Searches);
        EnterLeaf(LeafState.Asleep, _nowMs + restMs + _prng.Next((int)(restMs / 4) + 1));
    }

    private void BeginPoll()
    {
        if (_leaf.PollsAwake >= PollsAwakeMax)
        {
            EnterLeaf(LeafState.Asleep, NextWakeMs());
            return;
        }

        _leaf.PollsAwake++;
        _leaf.PollTries = 0;
        RepeatPoll();
    }

    private void RepeatPoll()
    {
        int parent = ParentSlot();
        if (_leaf.PollTries > 0 && parent != NeighborTable.None)
        {
            _neighbors.HandleTry(parent, false);
        }

        if (parent == NeighborTable.None || _leaf.PollTries >= PollTriesMax)
        {
            LoseParent(parent);
            return;
        }

        _leaf.PollCounter = 0;
        EnterLeaf(LeafState.Polling, _nowMs + (PollTimeoutMs << _leaf.PollTries) + _prng.Next(PollTimeoutMs));
        _leaf.PollTries++;
        _effects.PushOnce(Effect.SendPoll, parent, 0);
    }

    private void LoseParent(int parent)
    {
        if (parent != NeighborTable.None)
        {
            // Ends in HandleNeighborLost.
            LoseNeighbor(parent);
        }
        else
        {
            HandleParentLost();
        }
    }

    /// <summary>Looks for another in the same wake-up, and after two searches in vain rests.</summary>
    private void HandleParentLost()
    {
        _leaf.Parent = MeshAddress.None;
        _leaf.PollCounter = 0;
        if (_leaf.Searches < SearchesAwake)
        {
            SearchParent();
        }
        else
        {
            RestLeaf();
        }
    }

    private bool EmitPoll(int neighbor, MeshOutput output)
    {
        int at = BeginFrame(output, FrameFormat.TypePoll, 0, 0, _neighbors.Address[neighbor]);
        byte[] frame = output.Buffer;
        _leaf.PollCounter = output.Counter;
        Bytes.PutU16(frame, at + PollFormat.OffsetBoot, _record.Boot);
        Bytes.PutU16(frame, at + PollFormat.OffsetSeqNo, _record.SeqNo);
        Bytes.PutU16(frame, at + PollFormat.OffsetInterval, PollFormat.UnitsOf(Config.PollIntervalMs));
        Bytes.PutU16(frame, at + PollFormat.OffsetNext, PollFormat.UnitsOf(NextWakeMs() - _nowMs));
        frame[at + PollFormat.OffsetFlags] = (byte)(Config.ChildTimeoutPolls & PollFormat.PollsMask);
        return FinishFrame(output, at + PollFormat.Length);
    }

    /// <summary>When this leaf polls next: in its slot of mesh time where it knows that well enough, else an interval from now.</summary>
    private long NextWakeMs()
    {
        long periodMs = Config.PollIntervalMs;
        if (_pending.EarliestDueMs() != long.MaxValue)
        {
            // Somebody owes an answer, which the parent holds.
            long quickMs = (long)QuickPollMs << (_leaf.QuickPolls > QuickPollShiftMax ? QuickPollShiftMax : _leaf.QuickPolls);
            return _nowMs + (quickMs < periodMs ? quickMs : periodMs);
        }

        if (!_clock.IsKnown || _clock.ErrorMs(_nowMs) > WakeSlotMs)
        {
            return _nowMs + periodMs;
        }

        long phaseMs = SleepyLeaf.PhaseMs(Address, Config.WakeGroup, periodMs, WakeSlotMs);
        long waitMs = (phaseMs - (_clock.UtcMs(_nowMs) % periodMs)) % periodMs;
        waitMs = waitMs < 0 ? waitMs + periodMs : waitMs;

        // One that polled a little before its slot need not do so again in it.
        return _nowMs + (waitMs < periodMs / 4 ? waitMs + periodMs : waitMs);
    }

    /// <summary>Challenges only while it looks for a parent: a wake-up must stay short.</summary>
    private bool MayProbe => _leaf == null || _leaf.State == LeafState.Searching;

    /// <summary>A leaf relays nothing, so gateways are all the destinations it needs to know.</summary>
    private bool IsWorthKnowing(ushort destination, ushort metric)
    {
        return _leaf == null || (metric & BeaconFormat.EntryGatewayBit) != 0 || _routes.Find(destination) != RouteTable.None;
    }

    /// <summary>What another node tells in a beacon, a leaf tells its parent in a poll.</summary>
    private void PollSoon()
    {
        if (_leaf.Parent != MeshAddress.None && (_leaf.State == LeafState.Asleep || _leaf.State == LeafState.Listening))
        {
            BeginPoll();
        }
    }

    private bool IsPollAck(byte[] buffer, int tagOffset, byte low, byte bitmap, bool hasMail)
    {
        return _leaf != null && _leaf.PollCounter != 0 && (byte)_leaf.PollCounter == low
            && _hop.CheckAck(
                buffer, tagOffset, _leaf.Parent, Address, _leaf.PollCounter, bitmap, hasMail ? FrameFormat.TypeAckMail : FrameFormat.TypeAck);
    }

    /// <summary>An ack came from a neighbor: it may answer the poll, and may say that something waits.</summary>
    private void HandleLeafAck(int neighbor, uint counter, byte bitmap, bool anyData)
    {
        if (_neighbors.Address[neighbor] != _leaf.Parent)
        {
            return;
        }

        bool isPoll = _leaf.PollCounter != 0 && IsAcked(_leaf.PollCounter, counter, bitmap);
        if (isPoll)
        {
            _leaf.PollCounter = 0;
            _leaf.Searches = 0;
            _neighbors.HandleTry(neighbor, true);
            _neighbors.LastHeardMs[neighbor] = _nowMs;
            NoteLinkUp();
        }

        if (_leaf.IsMailPending && (isPoll || anyData) && (isPoll || _leaf.State == LeafState.Asleep))
        {
            EnterLeaf(LeafState.Listening, _nowMs + PollFormat.ListenMs);
        }
        else if (isPoll)
        {
            EndWake();
        }
    }

    // The route may have gone with a parent that restarted: what was queued is looked at again.
    private void NoteLinkUp()
    {
        for (int slot = 0; slot < _queue.Capacity; slot++)
        {
            if (_queue.State[slot] == MessageQueue.StateReady)
            {
                _queue.DueMs[slot] = _nowMs;
                _timers.SetEarlier(Timer.Queue, _nowMs);
            }
        }
    }

    private void EndWake()
    {
        bool waits = _pending.EarliestDueMs() != long.MaxValue;
        long wakeMs = NextWakeMs();
        _leaf.QuickPolls = waits ? (byte)(_leaf.QuickPolls < QuickPollShiftMax ? _leaf.QuickPolls + 1 : QuickPollShiftMax) : (byte)0;
        if (_leaf.KnowsGateway && _routes.NearestGateway() == RouteTable.None)
        {
            // The parent has restarted and what it advertised is void.
            _leaf.KnowsGateway = false;
            _leaf.SearchPeriod = 1;
            _leaf.PollsToSearch = 1;
        }

        if (--_leaf.PollsToSearch == 0)
        {
            SearchParent();
            return;
        }

        EnterLeaf(LeafState.Asleep, wakeMs);
    }

    /// <summary>Data came from the parent: there may be more.</summary>
    private void NoteMail()
    {
        if (_leaf.State == LeafState.Listening || _leaf.State == LeafState.Asleep)
        {
            EnterLeaf(LeafState.Listening, _nowMs + (PollFormat.ListenMs / 2));
        }
    }

    /// <summary>The application or a retry has something to send: an answer is likely, so polls come early.</summary>
    private void NotePending()
    {
        if (_leaf != null && _leaf.State == LeafState.Asleep && _leaf.Parent != MeshAddress.None)
        {
            _leaf.QuickPolls = 0;
            long wakeMs = _nowMs + QuickPollMs;
            EnterLeaf(LeafState.Asleep, wakeMs < _leaf.WakeMs ? wakeMs : _leaf.WakeMs);
        }
    }
}
