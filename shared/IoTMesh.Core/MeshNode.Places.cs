namespace IoTMesh.Core;

/// <content>Who gets a place in a full neighbor table, who gives it up, and how both learn it. protocol.md 5.3.</content>
public sealed partial class MeshNode
{
    // Value of ProbeTries: that neighbor has refused this node, which asks again when its probe is due.
    private const byte ProbeResting = 0xFF;
    private const int ProbeTriesAsked = 4;
    private const int StrangerMs = 500;
    private const int RefuseUnknownMs = 100;
    private const int WaitForNewcomerSeconds = 1;
    private const int WaitSpareSeconds = 8;
    private const int WaitAfterTurnSeconds = 7;
    private const int TablesSettleMs = 2_000;
    private const int CallForGatewayMs = 8_000;
    private ushort _stranger;
    private byte _strangerClaim;
    private long _strangerDueMs = long.MaxValue;
    private uint _refusedUnknown;

    /// <summary>A data frame from a node not known here (one of us restarted): ask who it is, where there is room; else tell it.</summary>
    private void MeetStranger(ushort source, int neighbor, sbyte rssiDbm)
    {
        if (neighbor == NeighborTable.None)
        {
            neighbor = _neighbors.Find(MeshAddress.None);
            if (neighbor == NeighborTable.None)
            {
                if ((uint)_nowMs - _refusedUnknown >= RefuseUnknownMs)
                {
                    _refusedUnknown = (uint)_nowMs;
                    Refuse(source, WaitForNewcomerSeconds);
                }

                return;
            }

            _neighbors.Occupy(neighbor, source, rssiDbm, _nowMs);
        }

        ScheduleProbe(neighbor, 1 + _prng.Next(10));
    }

    /// <summary>Gives that node a place where there is one, or one that another gives up for it; None where not.</summary>
    private int AddNeighbor(ushort address, sbyte rssiDbm, byte claim)
    {
        int slot = FindPlace(claim);
        if (slot != NeighborTable.None)
        {
            _neighbors.Occupy(slot, address, rssiDbm, _nowMs);
            return slot;
        }

        if (claim == NeighborRank.ClaimAsking || claim == NeighborRank.ClaimSpare)
        {
            Refuse(address, claim == NeighborRank.ClaimSpare ? WaitSpareSeconds : SecondsUntilTurn());
        }

        bool isBetter = _strangerDueMs == long.MaxValue || claim > _strangerClaim;
        if ((claim == NeighborRank.ClaimHeard || claim == NeighborRank.ClaimGateway) && isBetter)
        {
            _stranger = address;
            _strangerClaim = claim;
            _strangerDueMs = _nowMs + StrangerMs + _prng.Next(StrangerMs);
            _timers.SetEarlier(Timer.Probe, _strangerDueMs);
        }

        return NeighborTable.None;
    }

    /// <summary>What a node without a place wants one for, by its frame, whose tag is right but which may be a recording.</summary>
    private byte ClaimOf(ushort source, ushort destination, int type, byte[] buffer, int offset, int count)
    {
        int at = offset + FrameFormat.HeaderLength(type);
        int end = offset + count;
        bool isPlain = (buffer[offset + FrameFormat.OffsetNetwork] & (FrameFormat.FlagExtension | FrameFormat.FlagAck)) == 0;
        bool isReached = _routes.IsReached(source);
        if (type == FrameFormat.TypePoll && destination == Address)
        {
            return NeighborRank.ClaimAsking;
        }

        if (type == FrameFormat.TypeProbe && isPlain)
        {
            int flags = end - at > ProbeFormat.OffsetFlags ? buffer[at + ProbeFormat.OffsetFlags] : 0;
            return (flags & ProbeFormat.FlagRefused) != 0 ? NeighborRank.ClaimNone
                : !isReached || (flags & ProbeFormat.FlagLeaf) != 0 ? NeighborRank.ClaimAsking : NeighborRank.ClaimSpare;
        }

        if (type != FrameFormat.TypeBeacon || !isPlain)
        {
            return destination == Address ? NeighborRank.ClaimSpare : NeighborRank.ClaimHeard;
        }

        // A leaf has no time to wait for others, and nobody relies on it.
        byte heard = _leaf != null ? NeighborRank.ClaimStranger : NeighborRank.ClaimHeard;
        return OffersGateway(buffer, at, end) ? NeighborRank.ClaimGateway : heard;
    }

    /// <summary>True for the beacon of a gateway, and of a node that has a way to one that no neighbor claims a way to.</summary>
    private bool OffersGateway(byte[] buffer, int at, int end)
    {
        int entry = at + BeaconFormat.LengthBeforeEntries(buffer, at, end);
        if (entry > end)
        {
            return false;
        }

        bool offers = (buffer[at + BeaconFormat.OffsetFlags] & BeaconFormat.FlagGateway) != 0;
        for (; entry <= end - BeaconFormat.EntryLength && !offers; entry += BeaconFormat.EntryLength)
        {
            ushort destination = Bytes.GetU16(buffer, entry);
            ushort metric = Bytes.GetU16(buffer, entry + BeaconFormat.EntryOffsetMetric);
            offers = (metric & BeaconFormat.EntryGatewayBit) != 0 && (metric & 0x7FFF) < MeshConfig.InfiniteMetric
                && destination != Address && !_routes.IsClaimed(destination);
        }

        return offers;
    }

    /// <summary>A free slot, or one that its neighbor gives up for that claim, made free; None where nobody gives way.</summary>
    private int FindPlace(byte claim)
    {
        int slot = _neighbors.Find(MeshAddress.None);
        if (slot != NeighborTable.None)
        {
            return slot;
        }

        bool hasNewcomer = RankNeighbors(claim);
        slot = _neighbors.FindVictim(claim, _nowMs);
        if (slot == NeighborTable.None)
        {
            return slot;
        }

        byte rank = _neighbors.Rank[slot];
        if (rank != NeighborRank.Idle && hasNewcomer && _leaf == null)
        {
            // Recordings of nodes that are not there take one place at most.
            return NeighborTable.None;
        }

        ushort address = _neighbors.Address[slot];
        LoseNeighbor(slot);
        if (rank != NeighborRank.Idle)
        {
            Refuse(address, rank >= NeighborRank.Leaf ? WaitAfterTurnSeconds : WaitSpareSeconds);
        }

        return slot;
    }

    /// <summary>Ranks all neighbors; true where one of them is still to prove that it is there.</summary>
    private bool RankNeighbors(byte claim)
    {
        bool hasNewcomer = false;
        if (claim >= NeighborRank.ClaimStranger)
        {
            _routes.GetNeeds(_neighbors.Rank);
        }
        else
        {
            // It gets no place of a verified neighbor, so what hangs on those does not matter; most frames of strangers are like that.
            System.Array.Clear(_neighbors.Rank, 0, _neighbors.Capacity);
        }

        for (int n = 0; n < _neighbors.Capacity; n++)
        {
            bool isKept = _children.IsChild(n) || (_leaf != null && _neighbors.Address[n] == _leaf.Parent);
            bool isAsked = _neighbors.ProbeDueMs[n] != long.MaxValue && _neighbors.ProbeTries[n] < ProbeTriesAsked;
            byte need = _neighbors.Rank[n];
            need = _leaf != null && need != NeighborRank.NeedGateway ? NeighborRank.NeedNone : need;
            byte rank = NeighborRank.Of(isKept, _neighbors.IsUsable(n), isAsked, _neighbors.ReliesOnUs(n, _nowMs), need);
            _neighbors.Rank[n] = rank;
            hasNewcomer |= rank == NeighborRank.Newcomer;
        }

        return hasNewcomer;
    }

    // While tables are still coming in, all look as if nobody else led to them.
    private int SecondsUntilTurn()
    {
        uint eldestMs = 0;
        for (int n = 0; n < _neighbors.Capacity; n++)
        {
            uint tenureMs = (uint)_nowMs - _neighbors.Since[n];
            eldestMs = _neighbors.Rank[n] == NeighborRank.Leaf && tenureMs > eldestMs ? tenureMs : eldestMs;
        }

        bool isSoon = eldestMs < TablesSettleMs || eldestMs >= NeighborRank.TurnMs;
        return isSoon ? WaitForNewcomerSeconds : ((int)(NeighborRank.TurnMs - eldestMs) / 1_000) + 1;
    }

    private void Refuse(ushort address, int waitSeconds)
    {
        if (_leaf == null)
        {
            _effects.PushOnce(Effect.SendRefusal, address | (waitSeconds << 16), 0);
        }
    }

    private bool EmitRefusal(ushort address, int waitSeconds, MeshOutput output)
    {
        int at = BeginFrame(output, FrameFormat.TypeProbe, 0, 0, address);
        Bytes.PutU16(output.Buffer, at, _record.Boot);
        output.Buffer[at + ProbeFormat.OffsetFlags] = ProbeFormat.FlagRefused;
        output.Buffer[at + ProbeFormat.OffsetWaitSeconds] = (byte)waitSeconds;
        return FinishFrame(output, at + ProbeFormat.RefusalLength);
    }

    /// <summary>That neighbor has no place for this node: it is no next hop, and is asked again when its word is over.</summary>
    private void HandleRefusal(int neighbor, int waitSeconds)
    {
        if (_neighbors.IsUsable(neighbor))
        {
            LoseOrDoubt(neighbor, false);
        }
        else if (_neighbors.ProbeTries[neighbor] == ProbeResting)
        {
            return;
        }

        int waitMs = waitSeconds * 1_000;
        _neighbors.ProbeTries[neighbor] = ProbeResting;
        _neighbors.ProbeDueMs[neighbor] = _nowMs + waitMs + _prng.Next((waitMs / 4) + 1);
        _timers.SetEarlier(Timer.Probe, _neighbors.ProbeDueMs[neighbor]);
    }

    /// <summary>It asks for this node now.</summary>
    private void EndRest(int neighbor)
    {
        if (_neighbors.ProbeTries[neighbor] == ProbeResting || RestsInVain(neighbor))
        {
            _neighbors.ProbeTries[neighbor] = 0;
            _neighbors.ProbeDueMs[neighbor] = long.MaxValue;
        }
    }

    /// <summary>The rest after a refusal is over: true where the neighbor is not needed, so that it is not asked again before it is heard.</summary>
    private bool EndsRest(int neighbor)
    {
        if (_neighbors.ProbeTries[neighbor] != ProbeResting)
        {
            return false;
        }

        EndRest(neighbor);
        return _routes.IsReached(_neighbors.Address[neighbor]) && !_routes.WantsGatewayOver(neighbor);
    }

    /// <summary>A node heard a while ago that found no place: if still nobody leads to it, it gets one that can be
    /// spared, or learns whom to ask for its turn.</summary>
    private void StepStranger()
    {
        if (_strangerDueMs > _nowMs)
        {
            return;
        }

        _strangerDueMs = long.MaxValue;
        bool isGateway = _strangerClaim == NeighborRank.ClaimGateway;
        if (_neighbors.Find(_stranger) != NeighborTable.None || (_routes.IsReached(_stranger) && !isGateway))
        {
            return;
        }

        int slot = FindPlace(isGateway ? NeighborRank.ClaimGateway : NeighborRank.ClaimStranger);
        if (slot != NeighborTable.None)
        {
            _neighbors.Occupy(slot, _stranger, 0, _nowMs);
            ScheduleProbe(slot, 0);
        }
        else if (!isGateway)
        {
            // It may never have heard this node, and so does not know whom to ask.
            Refuse(_stranger, SecondsUntilTurn());
        }
    }

    /// <summary>A node without a way to a gateway keeps its neighborhood from falling silent: a link to one that has a way may have come.</summary>
    private void CallForGateway()
    {
        if (_leaf == null && !Config.IsGateway && !_hadGateway && _nowMs - _lastBeaconMs > CallForGatewayMs)
        {
            AnnounceSoon(false);
        }
    }
}
