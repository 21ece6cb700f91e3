using System.Globalization;
using System.Text;
using System.Text.Json;

namespace IoTMesh.Simulation;

/// <summary>What a soak does.</summary>
/// <param name="Nodes">Ids 1 to Nodes; 1 and 2 are gateways.</param>
/// <param name="Hours">Virtual hours. The last quarter of an hour is free of faults, so that what is kept can arrive.</param>
/// <param name="PeriodSeconds">Between two readings of a node.</param>
/// <param name="FaultSeconds">Mean time between two faults.</param>
public sealed record SoakOptions(int Nodes = 50, int Hours = 24, ulong Seed = 1, double Loss = 0.1, int PeriodSeconds = 60, int FaultSeconds = 60);

/// <summary>The state of a soak at the end of a virtual hour. Table use is the largest of all nodes at that moment.</summary>
/// <param name="Waiting">Readings in custody of living nodes that no gateway has committed.</param>
/// <param name="ManagedBytes">The process's managed heap after a full collection: nodes, simulator and what it remembers.</param>
/// <param name="ProcessBytes">Resident memory of the process.</param>
public sealed record SoakHour(
    int Hour,
    long Sent,
    long Committed,
    long Waiting,
    int NeighborsMax,
    int RoutesMax,
    int QueuedMax,
    int CustodyMax,
    long ManagedBytes,
    long ProcessBytes);

/// <summary>How a soak ended.</summary>
public sealed record SoakResult
{
    /// <summary>Growth of the managed heap from the second hour to the last that counts as flat, bytes.</summary>
    public const long GrowthBytesMax = 512 * 1024;

    public required SoakOptions Options { get; init; }

    public required IReadOnlyList<SoakHour> Hours { get; init; }

    /// <summary>Readings that nodes took into custody.</summary>
    public required long Sent { get; init; }

    /// <summary>Readings that a gateway committed.</summary>
    public required long Committed { get; init; }

    /// <summary>Readings that were in a node's memory alone when it was killed: nothing covers those.</summary>
    public required long DiedWithNode { get; init; }

    /// <summary>Readings that a node gave up for want of room.</summary>
    public required long Evicted { get; init; }

    /// <summary>Readings older than the last fault that a node still keeps at the end, or that are nowhere: must be 0.</summary>
    public required long Lost { get; init; }

    /// <summary>Readings that a second gateway committed too, under the same key.</summary>
    public required long Copies { get; init; }

    /// <summary>Faults by kind.</summary>
    public required IReadOnlyDictionary<string, int> Faults { get; init; }

    public required IReadOnlyList<string> Violations { get; init; }

    public required string TraceHash { get; init; }

    public required double WallSeconds { get; init; }

    /// <summary>Growth of the managed heap from the end of the second hour to that of the last, bytes; 0 for a shorter run.</summary>
    public long GrowthBytes => Hours.Count < 3 ? 0 : Hours[^1].ManagedBytes - Hours[1].ManagedBytes;

    public bool IsGood => Lost == 0 && Evicted == 0 && Violations.Count == 0 && GrowthBytes <= GrowthBytesMax;

    /// <summary>The line of an hour, as <see cref="ToText"/> has it.</summary>
    public static string LineOf(SoakHour hour) => string.Create(
        CultureInfo.InvariantCulture,
        $"{hour.Hour,4} {hour.Sent,9} {hour.Committed,9} {hour.Waiting,7} {hour.NeighborsMax,9} {hour.RoutesMax,6} {hour.QueuedMax,6} "
            + $"{hour.CustodyMax,7} {hour.ManagedBytes / 1024,10} {hour.ProcessBytes / 1024,10}");

    /// <summary>The heading of the lines.</summary>
    public const string Heading = "hour      sent committed waiting neighbors routes queued custody managed kB process kB";

    public string ToText()
    {
        StringBuilder text = new();
        foreach (string line in Summary())
        {
            text.AppendLine(line);
        }

        return text.ToString().TrimEnd();
    }

    private IEnumerable<string> Summary()
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        yield return string.Create(invariant, $"{Options.Nodes} nodes, {Options.Hours} virtual hours in {WallSeconds:0.0} s, seed {Options.Seed}");
        yield return $"faults        {string.Join(", ", Faults.Select(fault => $"{fault.Value} {fault.Key}"))}";
        yield return string.Create(
            invariant,
            $"readings      {Sent} taken into custody, {Committed} committed, {Lost} lost, {Evicted} given up, {DiedWithNode} died with their node");
        yield return $"copies        {Copies} committed by both gateways under the same key";
        yield return string.Create(invariant, $"managed heap  {GrowthBytes / 1024.0:+0.0;-0.0;0} kB from hour 2 to hour {Hours.Count}");
        yield return $"trace hash    {TraceHash}";
        foreach (string violation in Violations)
        {
            yield return "violation     " + violation;
        }
    }

    /// <summary>The same figures with these names: hours[], sent, committed, lost, evicted, diedWithNode, copies, faults, growthBytes ...</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            nodes = Options.Nodes,
            seed = Options.Seed,
            virtualHours = Options.Hours,
            sent = Sent,
            committed = Committed,
            lost = Lost,
            evicted = Evicted,
            diedWithNode = DiedWithNode,
            copies = Copies,
            faults = Faults,
            growthBytes = GrowthBytes,
            hours = Hours,
            violations = Violations,
            wallSeconds = Math.Round(WallSeconds, 3),
            traceHash = TraceHash,
        },
        _json);

    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
}
