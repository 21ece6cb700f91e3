namespace IoTMesh.Simulation;

/// <summary>One figure that the mesh is measured by: a scenario, what is read off its runs, and what it has to reach.</summary>
/// <param name="Topic">Rows of one topic stand together and share what others reach.</param>
/// <param name="Scenario">A built-in scenario, or a trace file's name where <paramref name="TraceRoot"/> is given.</param>
/// <param name="Figure">What is measured, with its unit, as printed.</param>
/// <param name="Value">Reads the figure off all runs.</param>
/// <param name="IsAtLeast">True where more is better.</param>
/// <param name="Target">What the figure has to reach.</param>
/// <param name="SeedsMax">Long scenarios run with fewer seeds than asked for.</param>
/// <param name="TraceRoot">Which node of a trace is the gateway: the file's key; null for built-in scenarios.</param>
public sealed record BenchmarkRow(
    string Topic,
    string Scenario,
    string Figure,
    Func<SimulationResults, double> Value,
    bool IsAtLeast,
    double Target,
    int SeedsMax,
    string? TraceRoot)
{
    /// <summary>Scenario, and root where it runs on a trace: what runs once for all rows that share it.</summary>
    public string Key => TraceRoot == null ? Scenario : $"{Scenario}-{TraceRoot}";
}

/// <summary>A row with what was measured.</summary>
/// <param name="Measured">Null where the row could not run; then <paramref name="Note"/> says why.</param>
public sealed record BenchmarkOutcome(BenchmarkRow Row, int Seeds, double? Measured, string Note)
{
    /// <summary>True where the figure reached the target and no checker failed.</summary>
    public bool IsMet => Measured is { } value && Note.Length == 0 && (Row.IsAtLeast ? value >= Row.Target : value <= Row.Target);
}
