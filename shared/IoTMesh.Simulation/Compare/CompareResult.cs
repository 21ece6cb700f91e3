namespace IoTMesh.Simulation;

/// <summary>Messages of a phase.</summary>
public sealed record ComparePhase(string Name, CompareCount ToGateway, CompareCount BetweenNodes);

/// <summary>The mean over all nodes, and the node with most.</summary>
public readonly record struct MeanAndBusiest(double Mean, double Busiest);

/// <summary>What one layout measured over all seeds.</summary>
public sealed record CompareRow
{
    public required string Layout { get; init; }

    public required IReadOnlyList<ComparePhase> Phases { get; init; }

    /// <summary>Of what arrived.</summary>
    public required Spread GatewayLatencyMs { get; init; }

    public required Spread NodeLatencyMs { get; init; }

    /// <summary>Links a delivered message crossed, both ways by the server counted.</summary>
    public required double HopsMean { get; init; }

    /// <summary>All bytes of whole mesh frames, acks and beacons included, over messages delivered.</summary>
    public required double BytesPerMessage { get; init; }

    /// <summary>Energy of all sending of all nodes over messages delivered.</summary>
    public required double SendingMillijoulesPerMessage { get; init; }

    /// <summary>Energy of sending alone.</summary>
    public required MeanAndBusiest SendingJoulesPerNodeHour { get; init; }

    /// <summary>Sending, and listening all the rest of the time.</summary>
    public required MeanAndBusiest JoulesPerNodeHour { get; init; }

    /// <summary>What the checkers found; empty for good runs.</summary>
    public required IReadOnlyList<string> Violations { get; init; }
}

/// <summary>A comparison of layouts.</summary>
public sealed record CompareResult(CompareOptions Options, IReadOnlyList<CompareRow> Rows, double WallSeconds)
{
    public bool IsGood => Rows.All(row => row.Violations.Count == 0);

    /// <summary>A table for people, with a newline at its end.</summary>
    public string ToText() => CompareText.ToText(this);

    /// <summary>
    /// An object with <c>nodes loss seed seeds periodSeconds wallSeconds</c> and an array <c>layouts</c>: <c>layout</c>,
    /// <c>phases[]{phase toGateway betweenNodes}</c> (each <c>sent delivered</c>), <c>latencyMs</c>, <c>hopsMean</c>,
    /// <c>bytesPerMessage</c>, <c>energy</c>, <c>violations[]</c>.
    /// </summary>
    public string ToJson() => CompareText.ToJson(this);

    /// <summary>A picture that needs nothing else, as SVG.</summary>
    public string ToSvg() => CompareChart.Draw(this);
}
