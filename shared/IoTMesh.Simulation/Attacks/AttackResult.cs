using System.Globalization;
using System.Text;
using System.Text.Json;

namespace IoTMesh.Simulation;

/// <summary>Messages of one kind: how many were made, and how long those that arrived took, ms.</summary>
public sealed class TrafficTally
{
    private readonly List<double> _latenciesMs = [];

    public long Sent { get; private set; }

    public long Delivered => _latenciesMs.Count;

    public double DeliveryRatio => Sent == 0 ? 1 : (double)Delivered / Sent;

    public Spread LatencyMs => Spread.Of(_latenciesMs);

    /// <param name="latencyMs">Not a number for one that did not arrive.</param>
    internal void Add(double latencyMs)
    {
        Sent++;
        if (double.IsFinite(latencyMs))
        {
            _latenciesMs.Add(latencyMs);
        }
    }

    internal static TrafficTally Sum(IEnumerable<TrafficTally> tallies)
    {
        TrafficTally sum = new();
        foreach (TrafficTally tally in tallies)
        {
            sum.Sent += tally.Sent;
            sum._latenciesMs.AddRange(tally._latenciesMs);
        }

        return sum;
    }

    internal void Write(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteNumber("sent", Sent);
        json.WriteNumber("delivered", Delivered);
        json.WriteNumber("deliveryRatio", Math.Round(DeliveryRatio, 6));
        json.WriteNumber("latencyMsP50", Math.Round(LatencyMs.P50, 1));
        json.WriteNumber("latencyMsP99", Math.Round(LatencyMs.P99, 1));
        json.WriteNumber("latencyMsMax", Math.Round(LatencyMs.Max, 1));
        json.WriteEndObject();
    }
}

/// <summary>
/// The traffic of honest nodes from the moment of the first attack on: attackers' own, and that of nodes without a way that avoids them,
/// is not in it.
/// </summary>
public sealed record AttackResult
{
    /// <summary>Readings in custody.</summary>
    public required TrafficTally Custody { get; init; }

    /// <summary>All other messages.</summary>
    public required TrafficTally Messages { get; init; }

    /// <summary>Frames that attackers made up or repeated.</summary>
    public required long HostileFrames { get; init; }

    /// <summary>Frames of others that attackers took over and dropped.</summary>
    public required long SwallowedFrames { get; init; }

    /// <summary>Next-hop cycles that false announcements closed.</summary>
    public required long Loops { get; init; }

    /// <summary>Mesh time of the nodes against true time.</summary>
    public required Spread TimeErrorMs { get; init; }

    internal static AttackResult Sum(IReadOnlyList<SimulationResult> runs)
    {
        AttackResult[] all = [.. runs.Select(run => run.Attack!)];
        return new AttackResult
        {
            Custody = TrafficTally.Sum(all.Select(one => one.Custody)),
            Messages = TrafficTally.Sum(all.Select(one => one.Messages)),
            HostileFrames = all.Sum(one => one.HostileFrames),
            SwallowedFrames = all.Sum(one => one.SwallowedFrames),
            Loops = all.Sum(one => one.Loops),
            TimeErrorMs = Spread.Of([.. runs.SelectMany(run => run.TimeErrorsMs)]),
        };
    }

    internal void Write(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        Custody.Write(json, "custody");
        Messages.Write(json, "messages");
        json.WriteNumber("hostileFrames", HostileFrames);
        json.WriteNumber("swallowedFrames", SwallowedFrames);
        json.WriteNumber("loops", Loops);
        json.WriteNumber("timeErrorMsP99", Math.Round(TimeErrorMs.P99, 1));
        json.WriteEndObject();
    }
}

/// <summary>The same scenario and seeds with its attackers and without.</summary>
public sealed record AttackComparison(SimulationResults With, SimulationResults Without)
{
    private static readonly JsonWriterOptions _indented = new() { Indented = true, NewLine = "\n" };

    /// <summary>False where a checker failed in any run.</summary>
    public bool IsGood => With.IsGood && Without.IsGood;

    /// <summary>Runs both.</summary>
    /// <exception cref="InputException">The scenario has no attackers.</exception>
    public static AttackComparison Run(Scenario scenario, ulong first, int count)
    {
        if (scenario.Attackers.Count == 0)
        {
            throw new InputException($"{scenario.Name}: no 'attackers' in this scenario; iotmesh sim --list shows the built-in ones, attack-...");
        }

        SimulationResults with = SimulationRun.RunMany(scenario, first, count);
        return new AttackComparison(with, SimulationRun.RunMany(scenario with { IsPeaceful = true }, first, count));
    }

    /// <summary>One JSON object, with a newline at its end.</summary>
    public string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, _indented))
        {
            json.WriteStartObject();
            json.WriteString("scenario", With.Runs[0].Scenario);
            json.WriteNumber("seeds", With.Runs.Count);
            AttackResult.Sum(With.Runs).Write(json, "with");
            AttackResult.Sum(Without.Runs).Write(json, "without");
            json.WriteStartArray("violations");
            foreach (string violation in With.Runs.Concat(Without.Runs).SelectMany(run => run.Violations))
            {
                json.WriteStringValue(violation);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    /// <summary>A table for people, with a newline at its end.</summary>
    public string ToText()
    {
        StringBuilder text = new();
        AttackResult with = AttackResult.Sum(With.Runs);
        AttackResult without = AttackResult.Sum(Without.Runs);
        Row(text, $"{With.Runs[0].Scenario}, {With.Runs.Count} seeds", "with", "without");
        Row(text, "readings in custody delivered", Share(with.Custody), Share(without.Custody));
        Row(text, "  of", Count(with.Custody.Sent), Count(without.Custody.Sent));
        Row(text, "  p50 / p99 / max, s", Delay(with.Custody), Delay(without.Custody));
        Row(text, "other messages delivered", Share(with.Messages), Share(without.Messages));
        Row(text, "  of", Count(with.Messages.Sent), Count(without.Messages.Sent));
        Row(text, "  p50 / p99 / max, s", Delay(with.Messages), Delay(without.Messages));
        Row(text, "hostile frames", Count(with.HostileFrames), Count(without.HostileFrames));
        Row(text, "frames of others swallowed", Count(with.SwallowedFrames), Count(without.SwallowedFrames));
        Row(text, "bytes on air of the others", Count(With.Runs.Sum(run => run.BytesOnAir)), Count(Without.Runs.Sum(run => run.BytesOnAir)));
        Row(text, "next-hop cycles", Count(with.Loops), Count(without.Loops));
        Row(text, "mesh time off, p99, ms", Number(with.TimeErrorMs.P99), Number(without.TimeErrorMs.P99));
        foreach (string violation in With.Runs.Concat(Without.Runs).SelectMany(run => run.Violations).Take(20))
        {
            text.Append("VIOLATION  ").Append(violation).Append('\n');
        }

        return text.ToString();
    }

    private static void Row(StringBuilder text, string name, string with, string without)
    {
        text.Append(CultureInfo.InvariantCulture, $"{name,-34}{with,24}{without,24}").Append('\n');
    }

    private static string Share(TrafficTally tally) => tally.DeliveryRatio.ToString("0.000 %", CultureInfo.InvariantCulture);

    private static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Number(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);

    private static string Delay(TrafficTally tally)
    {
        Spread spread = tally.LatencyMs;
        return string.Create(CultureInfo.InvariantCulture, $"{spread.P50 / 1000:0.00} / {spread.P99 / 1000:0.00} / {spread.Max / 1000:0.0}");
    }
}
