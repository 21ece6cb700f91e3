namespace IoTMesh.Core;

/// <content>Neighbors that may be gone though no data tells: asked whether they are there. protocol.md 5.3.</content>
public sealed partial class MeshNode
{
    // Beacons come at least every 2 Imax, mostly within one: most next hops are heard in time without a question.
    private const int NextHopSilentMs = 60_000;

    // A message went another way after failed tries, so that no data tells any more whether this one is there.
    private const int FailingSilentMs = 2_000;
    private const int FailingFrom = 2;

    // Asked for a newer seqno while the next hop is silent: somebody lost a node, perhaps this one.
    private const int RequestSilentMs = 250;
    private const int QuestionRetryMs = 60;

    /// <summary>Housekeeping: gives up who was silent too long, and asks the next hop to the nearest gateway whether it is there.</summary>
    private void CheckSilentNeighbors()
    {
        for (int n = 0; n < _neighbors.Capacity; n++)
        {
            if (_neighbors.Address[n] != MeshAddress.None && IsSilentTooLong(n))
            {
                LoseNeighbor(n);
            }
        }

        QuestionNextHop();
    }

    private void QuestionNextHop()
    {
        int route = _leaf != null ? RouteTable.None : _routes.NearestGateway();
        int next = route == RouteTable.None ? NeighborTable.None : _routes.NextHop(route);
        if (next != NeighborTable.None)
        {
            Question(next, _neighbors.Failures[next] >= FailingFrom ? FailingSilentMs : NextHopSilentMs);
        }
    }

    /// <summary>
    /// Probes a verified neighbor that was not heard for so long, until it is heard or as many probes as tries are enough to give it up
    /// got no answer.
    /// </summary>
    private void Question(int neighbor, int silentMs)
    {
        bool silent = _nowMs - _neighbors.LastHeardMs[neighbor] > silentMs;
        if (silent && _leaf == null && _neighbors.IsUsable(neighbor) && !_children.IsChild(neighbor))
        {
            ScheduleProbe(neighbor, _prng.Next(20));
        }
    }

    /// <summary>A probe of a verified neighbor is due; one that stayed unanswered counts as a failed try.</summary>
    private void StepQuestion(int neighbor)
    {
        bool asked = _neighbors.ProbeTries[neighbor] != 0;
        _neighbors.ProbeDueMs[neighbor] = long.MaxValue;
        if (_nowMs - _neighbors.LastHeardMs[neighbor] < QuestionRetryMs || _children.IsChild(neighbor))
        {
            return;
        }

        if (asked)
        {
            HandleFailedTry(neighbor, _neighbors.ProbeNonce[neighbor]);
            if (!_neighbors.IsUsable(neighbor))
            {
                // The next best may have died with it.
                QuestionNextHop();
                return;
            }
        }

        _neighbors.ProbeTries[neighbor] = 1;
        _effects.PushOnce(Effect.SendProbe, neighbor, 0);
        _neighbors.ProbeDueMs[neighbor] = _nowMs + QuestionRetryMs + _prng.Next(QuestionRetryMs);
    }
}
