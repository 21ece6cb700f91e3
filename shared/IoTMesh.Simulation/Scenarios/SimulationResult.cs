namespace IoTMesh.Simulation;

/// <summary>Median, 99th percentile and largest of some samples; all 0 without samples.</summary>
public readonly record struct Spread(double P50, double P99, double Max, int Count)
{
    /// <summary>By nearest rank.</summary>
    public static Spread Of(IReadOnlyList<double> samples)
    {
        if (samples.Count == 0)
        {
            return default;
        }

        double[] sorted = [.. samples.Order()];
        return new Spread(Rank(sorted, 0.5), Rank(sorted, 0.99), sorted[^1], sorted.Length);
    }

    private static double Rank(double[] sorted, double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
}

/// <summary>A reading that did not arrive.</summary>
/// <param name="To">0 for any gateway.</param>
/// <param name="Reason">Why its own node did not take it, or <c>lost</c> after it did.</param>
public sealed record LostReading(int From, int To, double AtSeconds, string Reason);

/// <summary>What one run measured. Lengths of time are virtual unless said otherwise.</summary>
public sealed record SimulationResult
{
    public required string Scenario { get; init; }

    public required ulong Seed { get; init; }

    public required int Nodes { get; init; }

    /// <summary>Readings made.</summary>
    public required long Sent { get; init; }

    /// <summary>Readings that reached the destination's application.</summary>
    public required long Delivered { get; init; }

    /// <summary>Copies that reached an application beside the first.</summary>
    public required long Duplicates { get; init; }

    /// <summary>All readings that did not arrive.</summary>
    public required IReadOnlyList<LostReading> Lost { get; init; }

    /// <summary>Nodes that <c>all</c> left out: no path to a gateway.</summary>
    public required IReadOnlyList<int> Unreachable { get; init; }

    /// <summary>Bytes of whole mesh frames of all nodes over the whole run.</summary>
    public required long BytesOnAir { get; init; }

    public required long FramesOnAir { get; init; }

    /// <summary>Mesh-frame bytes after traffic starts, acks and beacons included, over the hops of delivered readings.</summary>
    public double BytesPerDeliveredPerHop => Ratio(TrafficBytes, ReadingHops);

    /// <summary>
    /// Data frames sent, retries included, acks and beacons not, over the hops of delivered readings. A broadcast counts as one hop
    /// for each node that it reached.
    /// </summary>
    public double FramesPerHop => Ratio(DataFrames, ReadingHops);

    /// <summary>Mesh-frame bytes sent after traffic starts.</summary>
    public required long TrafficBytes { get; init; }

    /// <summary>Data frames sent after traffic starts.</summary>
    public required long DataFrames { get; init; }

    /// <summary>Links that delivered readings crossed.</summary>
    public required long Hops { get; init; }

    /// <summary>What the two figures per hop divide by: as <see cref="Hops"/>, but 1 for each receiver of a broadcast.</summary>
    public required long ReadingHops { get; init; }

    /// <summary>From the making of a reading until the application has it, ms.</summary>
    public required IReadOnlyList<double> LatenciesMs { get; init; }

    /// <summary>The same by forwarding class, of each class that occurs.</summary>
    public IReadOnlyList<ClassResult> Classes { get; init; } = [];

    /// <summary>From each node's first start to its first route to a gateway, ms; the run's length where it found none.</summary>
    /// <remarks>By rising id of the nodes.</remarks>
    public required IReadOnlyList<double> JoinsMs { get; init; }

    /// <summary>Share of its running time that the radio of each sleepy leaf was on, percent, by node id.</summary>
    public IReadOnlyDictionary<int, double> AwakePercent { get; init; } = new Dictionary<int, double>();

    /// <summary>Mesh time against true time, every 10 s at every node that is no gateway and knows it, ms.</summary>
    public IReadOnlyList<double> TimeErrorsMs { get; init; } = [];

    /// <summary>Per fault that cut somebody off: until every such source gets its readings through within a second again, ms.</summary>
    public required IReadOnlyList<double> HealsMs { get; init; }

    /// <summary>
    /// Of the same faults: the longest that a reading which met the hole was under way; where one was lost, until its source was healed, ms.
    /// </summary>
    public required IReadOnlyList<double> RepairsMs { get; init; }

    /// <summary>All mesh-frame bytes of the last half of the run, per node and second.</summary>
    public required double IdleBytesPerNodeSecond { get; init; }

    /// <summary>Next-hop cycles seen among living nodes.</summary>
    public required long Loops { get; init; }

    /// <summary>Messages that came back to a node that they had left, as accepted frames show it; legal only after a real reroute.</summary>
    public required long Revisits { get; init; }

    /// <summary>Messages that cores gave up, by reason: noRoute, tries, hopLimit, queueFull, busy, late, custodyEvicted.</summary>
    public required IReadOnlyDictionary<string, long> Drops { get; init; }

    public double HopsMean => Ratio(Hops, Delivered);

    public required double VirtualSeconds { get; init; }

    /// <summary>Real time the run took.</summary>
    public required double WallSeconds { get; init; }

    public required long Events { get; init; }

    /// <summary>Hash over all outputs of all nodes, 16 hex digits.</summary>
    public required string TraceHash { get; init; }

    /// <summary>As <see cref="BytesOnAir"/>, with what the radio adds to each frame: its headers, acknowledgements and retries.</summary>
    public required long LinkBytesOnAir { get; init; }

    /// <summary>How long all transmissions of all nodes took together.</summary>
    public required double AirtimeSeconds { get; init; }

    /// <summary>Receptions, at nodes that a frame was meant for, that other signals or the receiver's own spoiled.</summary>
    public required long Collisions { get; init; }

    /// <summary>Receptions with wrong bits.</summary>
    public required long Corrupted { get; init; }

    /// <summary>What the checkers found, the first 20; empty for a good run.</summary>
    public required IReadOnlyList<string> Violations { get; init; }

    /// <summary>What attackers did to the traffic of the others; null where the scenario has none.</summary>
    public AttackResult? Attack { get; init; }

    public double DeliveryRatio => Sent == 0 ? 0 : (double)Delivered / Sent;

    public Spread LatencyMs => Spread.Of(LatenciesMs);

    public Spread JoinMs => Spread.Of(JoinsMs);

    public Spread HealMs => Spread.Of(HealsMs);

    public Spread RepairMs => Spread.Of(RepairsMs);

    public Spread TimeErrorMs => Spread.Of(TimeErrorsMs);

    /// <summary>False where a checker failed.</summary>
    public bool IsGood => Violations.Count == 0;

    /// <summary>One JSON object, indented, with a newline at its end.</summary>
    public string ToJson() => ResultText.ToJson(this);

    /// <summary>For people, with a newline at its end.</summary>
    public string ToText() => ResultText.ToText(this);

    internal static double Ratio(long amount, long of) => of == 0 ? 0 : (double)amount / of;
}

/// <summary>The results of one scenario over many seeds.</summary>
public sealed record SimulationResults(IReadOnlyList<SimulationResult> Runs, double WallSeconds)
{
    /// <summary>All runs' readings.</summary>
    public long Sent => Runs.Sum(run => run.Sent);

    public long Delivered => Runs.Sum(run => run.Delivered);

    public double DeliveryRatio => Sent == 0 ? 0 : (double)Delivered / Sent;

    /// <summary>All runs' bytes over all runs' hops.</summary>
    public double BytesPerDeliveredPerHop => SimulationResult.Ratio(Runs.Sum(run => run.TrafficBytes), Runs.Sum(run => run.ReadingHops));

    /// <summary>All runs' frames over all runs' hops.</summary>
    public double FramesPerHop => SimulationResult.Ratio(Runs.Sum(run => run.DataFrames), Runs.Sum(run => run.ReadingHops));

    public double HopsMean => SimulationResult.Ratio(Runs.Sum(run => run.Hops), Delivered);

    /// <summary>The mean of the runs.</summary>
    public double IdleBytesPerNodeSecond => Runs.Count == 0 ? 0 : Runs.Average(run => run.IdleBytesPerNodeSecond);

    /// <summary>Over all faults of all runs.</summary>
    public Spread HealMs => Spread.Of([.. Runs.SelectMany(run => run.HealsMs)]);

    public Spread RepairMs => Spread.Of([.. Runs.SelectMany(run => run.RepairsMs)]);

    public Spread TimeErrorMs => Spread.Of([.. Runs.SelectMany(run => run.TimeErrorsMs)]);

    public Spread JoinMs => Spread.Of([.. Runs.SelectMany(run => run.JoinsMs)]);

    public Spread LatencyMs => Spread.Of([.. Runs.SelectMany(run => run.LatenciesMs)]);

    public IReadOnlyList<ClassResult> Classes => ClassResult.Of(Runs.SelectMany(run => run.Classes));

    public bool IsGood => Runs.All(run => run.IsGood);

    /// <summary>One JSON object with the totals, the spread of each figure over the runs, and a row per seed.</summary>
    public string ToJson() => ResultText.ToJson(this);

    public string ToText() => ResultText.ToText(this);
}
