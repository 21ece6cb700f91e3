namespace IoTMesh.Core;

/// <content>Links: who is a neighbor, challenges, when a neighbor is given up. protocol.md 5.3.</content>
public sealed partial class MeshNode
{
    private const int ProbeTriesMax = 6;
    private const int ProbeRetryMs = 120;
    private const int ProbeRestMs = 10_000;
    private const int ProbeWantedRestMs = 4_000;
    private const int ProbeWantedMs = 120_000;

    // ProbeTries of a neighbor that answers nothing: probes of this round in the low bits, 7 in a rest; rests before above them.
    private const int ProbeTriesMask = 7;
    private const int ProbeRestShift = 3;
    private const int ProbeRestsMax = 6;
    private const int ProbeOftenMs = 40_000;
    private const int QuietUntilLostMs = 400;
    private uint _lastFailedFrame;

    // A node needs no more next hops than three quarters of its table; the rest is for those that need this node. Yet one that is reached
    // over nobody needs a proof that it is there, and a node that lacks a route to a gateway needs whoever offers one.
    private void ScheduleProbeIfWanted(int neighbor, int delayMs)
    {
        if (!MayProbe || _neighbors.IsUsable(neighbor))
        {
            return;
        }

        if (_neighbors.VerifiedCount() < _neighbors.Capacity * 3 / 4 || !_routes.IsReached(_neighbors.Address[neighbor])
            || _routes.WantsGatewayOver(neighbor))
        {
            if (RestsInVain(neighbor) && IsAskedOften(neighbor))
            {
                EndRest(neighbor);
            }

            ScheduleProbe(neighbor, delayMs);
        }
    }

    private void ScheduleProbe(int neighbor, int delayMs)
    {
        if (_neighbors.ProbeDueMs[neighbor] == long.MaxValue)
        {
            _neighbors.ProbeDueMs[neighbor] = _nowMs + delayMs;
            _neighbors.ProbeTries[neighbor] = RestsInVain(neighbor) ? _neighbors.ProbeTries[neighbor] : (byte)0;
        }

        _timers.SetEarlier(Timer.Probe, _neighbors.ProbeDueMs[neighbor]);
    }

    /// <summary>
    /// Data of a neighbor that has not answered a challenge in this life: it may hold this node for what it was before a restart, and
    /// its way may lead back here. It is asked whatever the table holds, for it needs this node. protocol.md 5.5.
    /// </summary>
    private void Challenge(int neighbor)
    {
        EndRest(neighbor);
        if (_neighbors.ProbeTries[neighbor] == 0)
        {
            _neighbors.ProbeDueMs[neighbor] = long.MaxValue;
        }

        ScheduleProbe(neighbor, 1 + _prng.Next(10));
    }

    /// <summary>True where data of that neighbor is taken: it has answered a challenge.</summary>
    public bool IsVerified(ushort neighbor)
    {
        int slot = _neighbors.Find(neighbor);
        return slot != NeighborTable.None && _neighbors.IsUsable(slot);
    }

    private void SendProbes()
    {
        _timers.Stop(Timer.Probe);
        StepStranger();
        long next = _strangerDueMs;
        for (int n = 0; n < _neighbors.Capacity; n++)
        {
            if (_neighbors.Address[n] == MeshAddress.None)
            {
                continue;
            }

            if (_neighbors.ProbeDueMs[n] <= _nowMs)
            {
                StepProbe(n);
            }

            if (_neighbors.ProbeDueMs[n] < next)
            {
                next = _neighbors.ProbeDueMs[n];
            }

            if (_neighbors.DumpDueMs[n] <= _nowMs)
            {
                StepDumpRequest(n);
            }

            if (_neighbors.DumpDueMs[n] < next)
            {
                next = _neighbors.DumpDueMs[n];
            }
        }

        _timers.SetEarlier(Timer.Probe, next);
    }

    private void StepProbe(int n)
    {
        if (_neighbors.IsUsable(n))
        {
            StepQuestion(n);
            return;
        }

        if (EndsRest(n))
        {
            return;
        }

        if (RestsInVain(n) && !StartRound(n))
        {
            return;
        }

        int tries = ++_neighbors.ProbeTries[n] & ProbeTriesMask;
        if (tries > ProbeTriesMax)
        {
            StartRest(n);
            return;
        }

        _effects.PushOnce(Effect.SendProbe, n, 0);
        _neighbors.ProbeDueMs[n] = _nowMs + (ProbeRetryMs << (tries - 1)) + _prng.Next(ProbeRetryMs);
    }

    private bool RestsInVain(int n)
    {
        int tries = _neighbors.ProbeTries[n];
        return tries != ProbeResting && (tries & ProbeTriesMask) > ProbeTriesMax && !_neighbors.IsUsable(n);
    }

    // Before it could show what it is, where no verified neighbor leads to it, or where something hangs on it.
    private bool IsAskedOften(int n)
    {
        return (uint)_nowMs - _neighbors.Since[n] < ProbeOftenMs || !_routes.IsReached(_neighbors.Address[n]) || _routes.LacksWayBut(n);
    }

    /// <summary>Beacons of a one-way neighbor keep coming: it is asked again only after a rest, a short one where a gateway hangs on it.</summary>
    private void StartRest(int n)
    {
        if (IsAskedOften(n))
        {
            bool isWanted = _routes.WantsGatewayOver(n);
            bool goOn = _nowMs - _neighbors.LastHeardMs[n] < (isWanted ? ProbeWantedMs : ProbeRestMs);
            _neighbors.ProbeTries[n] = 0;
            _neighbors.ProbeDueMs[n] = goOn ? _nowMs + (isWanted ? ProbeWantedRestMs : ProbeRestMs) : long.MaxValue;
            return;
        }

        int restMs = ProbeRestMs << (_neighbors.ProbeTries[n] >> ProbeRestShift);
        _neighbors.ProbeDueMs[n] = _nowMs + restMs + _prng.Next(restMs / 4);
    }

    /// <summary>A rest is over: false where the neighbor was not heard in it, so that its next beacon starts the round.</summary>
    private bool StartRound(int n)
    {
        int rests = _neighbors.ProbeTries[n] >> ProbeRestShift;
        if (_nowMs - _neighbors.LastHeardMs[n] > ProbeRestMs << rests)
        {
            _neighbors.ProbeDueMs[n] = long.MaxValue;
            return false;
        }

        rests += rests < ProbeRestsMax ? 1 : 0;
        _neighbors.ProbeTries[n] = (byte)(rests << ProbeRestShift);
        return true;
    }

    private ParseError ReceiveProbe(int neighbor, uint counter, byte[] buffer, int at, int end)
    {
        if (end - at < ProbeFormat.Length)
        {
            return ParseError.BadLength;
        }

        if (end - at >= ProbeFormat.RefusalLength && (buffer[at + ProbeFormat.OffsetFlags] & ProbeFormat.FlagRefused) != 0)
        {
            HandleRefusal(neighbor, buffer[at + ProbeFormat.OffsetWaitSeconds]);
            return ParseError.None;
        }

        NoteBoot(neighbor, Bytes.GetU16(buffer, at));
        EndRest(neighbor);
        _neighbors.ReplyNonce[neighbor] = counter;
        _effects.PushOnce(Effect.SendProbeReply, neighbor, 0);
        if (end - at <= ProbeFormat.OffsetFlags || (buffer[at + ProbeFormat.OffsetFlags] & ProbeFormat.FlagLeaf) == 0)
        {
            ScheduleProbeIfWanted(neighbor, 2 + _prng.Next(20));
        }

        return ParseError.None;
    }

    private ParseError ReceiveProbeReply(int neighbor, byte[] buffer, int at, int end)
    {
        if (end - at < ProbeFormat.ReplyLength)
        {
            return ParseError.BadLength;
        }

        uint challenge = Bytes.GetU32(buffer, at + ProbeFormat.ReplyOffsetChallenge);
        if (challenge == 0 || challenge != _neighbors.ProbeNonce[neighbor])
        {
            return ParseError.Replayed;
        }

        NoteBoot(neighbor, Bytes.GetU16(buffer, at + ProbeFormat.ReplyOffsetBoot));
        if (_neighbors.IsUsable(neighbor) && _neighbors.ProbeDueMs[neighbor] != long.MaxValue)
        {
            _neighbors.HandleTry(neighbor, true);
        }

        _neighbors.ProbeDueMs[neighbor] = long.MaxValue;
        _neighbors.ProbeTries[neighbor] = 0;
        if (!_neighbors.IsUsable(neighbor))
        {
            _neighbors.State[neighbor] = NeighborTable.StateVerified;
            _neighbors.Failures[neighbor] = 0;
            _effects.Push(Effect.NeighborChanged, _neighbors.Address[neighbor], 1);
            WantDump(neighbor, 20 + _prng.Next(80));
            ReselectAll();
        }

        if (_children.IsChild(neighbor))
        {
            AdmitChild(neighbor);
        }

        return ParseError.None;
    }

    /// <summary>A neighbor with a new boot number lost its routes and its feasibility distances.</summary>
    private void NoteBoot(int neighbor, ushort boot)
    {
        ushort before = _neighbors.Boot[neighbor];
        _neighbors.Boot[neighbor] = boot;
        if (before != 0 && before != boot)
        {
            ForgetRoutesOf(neighbor);
            _neighbors.InSync[neighbor] = false;
        }
    }

    private void HandleFailedTry(int neighbor, uint frameCounter)
    {
        // A frame that carried several messages failed once, not once for each.
        if (frameCounter == _lastFailedFrame)
        {
            return;
        }

        _lastFailedFrame = frameCounter;
        _neighbors.HandleTry(neighbor, false);
        if (_children.IsChild(neighbor))
        {
            // It sleeps, and is given up for missing polls only.
            return;
        }

        int failures = _neighbors.Failures[neighbor];
        int limit = _neighbors.FailuresUntilLost(neighbor);
        if (failures >= limit)
        {
            bool quiet = _nowMs - _neighbors.LastHeardMs[neighbor] > QuietUntilLostMs;
            LoseOrDoubt(neighbor, quiet);
            return;
        }

        if (failures > limit / 2)
        {
            RequestBackups(neighbor);
            Question(neighbor, RequestSilentMs);
        }

        ReselectGatewaysVia(neighbor);
    }
}
