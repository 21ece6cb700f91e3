using IoTMesh.Core;

namespace IoTMesh.Simulation;

public sealed partial class SimulationRun
{
    internal SimulationResult Measure(double wallSeconds)
    {
        List<double> latenciesMs = [];
        List<LostReading> lost = [];
        long hops = 0;
        long readingHops = 0;
        List<double>?[] byClass = new List<double>?[4];
        HashSet<int> inCustody = [.. _byKey.Values];
        foreach ((int index, Reading reading) in _readings.Index())
        {
            double latencyMs = (reading.DeliveredUs - reading.MadeUs) / 1000.0;
            (byClass[(int)reading.Class] ??= []).Add(reading.DeliveredUs >= 0 ? latencyMs : double.NaN);
            if (reading.DeliveredUs >= 0)
            {
                hops += reading.Hops;

                // A broadcast takes at least one transmission more for each node more, however far off.
                readingHops += reading.BroadcastIndex < 0 ? reading.Hops : 1;
                latenciesMs.Add(latencyMs);
            }
            else
            {
                string lostHow = inCustody.Contains(index) ? LossOf(reading) : "lost";
                string reason = reading.Taken == SendResult.Accepted ? lostHow : reading.Taken.ToString();
                lost.Add(new LostReading(reading.From, reading.To, reading.MadeUs / (double)Second, reason));
            }
        }

        long halfUs = _endUs - (_endUs / 2);
        long dataFrames = _mesh.Total(counters => counters.DataFramesSent) - _dataFramesBeforeTraffic;
        List<Heal> heals = HealTime.Measure(_readings, _faultTimes, _endUs);
        return new SimulationResult
        {
            Scenario = _scenario.Name,
            Seed = _seed,
            Nodes = _mesh.Topology.NodeCount,
            Sent = _readings.Count,
            Delivered = latenciesMs.Count,
            Duplicates = _duplicates,
            Lost = lost,
            Unreachable = _unreachable,
            BytesOnAir = _mesh.BytesOnAir,
            FramesOnAir = _mesh.FramesOnAir,
            TrafficBytes = _mesh.BytesOnAir - _bytesBeforeTraffic,
            DataFrames = dataFrames,
            Hops = hops,
            ReadingHops = readingHops,
            LatenciesMs = latenciesMs,
            Classes = ClassesOf(byClass),
            JoinsMs = JoinsMs(),
            AwakePercent = _scenario.Topology.Sleepy.ToDictionary(node => node, _mesh.AwakePercentOf),
            TimeErrorsMs = _mesh.TimeErrorsMs,
            HealsMs = [.. heals.Select(heal => heal.HealMs)],
            RepairsMs = [.. heals.Select(heal => heal.RepairMs)],
            IdleBytesPerNodeSecond = (_mesh.BytesOnAir - _bytesBeforeHalf) / (halfUs / (double)Second) / _mesh.Topology.NodeCount,
            Loops = _loops,
            Drops = Drops(),
            Revisits = _revisits,
            VirtualSeconds = _endUs / (double)Second,
            WallSeconds = wallSeconds,
            Events = _mesh.EventCount,
            TraceHash = _mesh.TraceHash.ToString("x16", System.Globalization.CultureInfo.InvariantCulture),
            LinkBytesOnAir = _mesh.LinkBytesOnAir,
            AirtimeSeconds = _mesh.AirtimeSeconds,
            Collisions = _mesh.CollisionCount,
            Corrupted = _mesh.CorruptedCount,
            Violations = _violations,
            Attack = _scenario.Attackers.Count == 0 ? null : MeasureAttack(inCustody),
        };
    }

    /// <summary>By class: latency of each message, not a number for one that was lost.</summary>
    private static List<ClassResult> ClassesOf(List<double>?[] byClass) =>
    [
        .. byClass.Index().Where(row => row.Item is not null)
            .Select(row => new ClassResult((MeshClass)row.Index, row.Item!.Count, [.. row.Item.Where(double.IsFinite)])),
    ];

    private Dictionary<string, long> Drops() => new()
    {
        ["noRoute"] = _mesh.Total(counters => counters.DroppedNoRoute),
        ["tries"] = _mesh.Total(counters => counters.DroppedTries),
        ["hopLimit"] = _mesh.Total(counters => counters.DroppedHopLimit),
        ["queueFull"] = _mesh.Total(counters => counters.DroppedQueueFull),
        ["busy"] = _mesh.Total(counters => counters.DroppedBusy),
        ["late"] = _mesh.Total(counters => counters.DroppedLate),
        ["custodyEvicted"] = _mesh.Total(counters => counters.CustodyEvicted),
    };

    private List<double> JoinsMs()
    {
        List<double> joinsMs = [];
        for (int node = 1; node <= _mesh.Topology.NodeCount; node++)
        {
            bool isAlone = _mesh.Topology.NodeCount == 1;
            if (!isAlone && _startedUs[node] >= 0 && !_mesh.Topology.IsGateway(node) && !_unreachable.Contains(node))
            {
                joinsMs.Add((_joinedUs[node] < 0 ? _endUs : _joinedUs[node] - _startedUs[node]) / 1000.0);
            }
        }

        return joinsMs;
    }
}
