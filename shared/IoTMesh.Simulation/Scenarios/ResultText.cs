using System.Globalization;
using System.Text;
using System.Text.Json;

namespace IoTMesh.Simulation;

/// <summary>Writes results as JSON and as text.</summary>
internal static class ResultText
{
    private static readonly JsonWriterOptions _indented = new() { Indented = true, NewLine = "\n" };

    private static readonly (string Name, Func<SimulationResult, double> Value)[] _figures =
    [
        ("deliveryRatio", run => run.DeliveryRatio),
        ("lost", run => run.Lost.Count),
        ("duplicates", run => run.Duplicates),
        ("latencyMsP50", run => run.LatencyMs.P50),
        ("latencyMsP99", run => run.LatencyMs.P99),
        ("joinMsMax", run => run.JoinMs.Max),
        ("healMsMax", run => run.HealMs.Max),
        ("repairMsMax", run => run.RepairMs.Max),
        ("timeErrorMsP99", run => run.TimeErrorMs.P99),
        ("awakePercentMax", run => run.AwakePercent.Values.DefaultIfEmpty().Max()),
        ("bytesPerDeliveredPerHop", run => run.BytesPerDeliveredPerHop),
        ("framesPerHop", run => run.FramesPerHop),
        ("idleBytesPerNodeSecond", run => run.IdleBytesPerNodeSecond),
        ("bytesOnAir", run => run.BytesOnAir),
        ("framesOnAir", run => run.FramesOnAir),
        ("hopsMean", run => run.HopsMean),
        ("loops", run => run.Loops),
    ];

    internal static string ToJson(SimulationResult run) => Write(json =>
    {
        json.WriteStartObject();
        WriteRun(json, run);
        json.WriteEndObject();
    });

    internal static string ToJson(SimulationResults results) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("scenario", results.Runs.Count == 0 ? string.Empty : results.Runs[0].Scenario);
        json.WriteNumber("seeds", results.Runs.Count);
        json.WriteNumber("sent", results.Sent);
        json.WriteNumber("delivered", results.Delivered);
        json.WriteNumber("deliveryRatio", Round(results.DeliveryRatio));
        json.WriteNumber("duplicates", results.Runs.Sum(run => run.Duplicates));
        json.WriteNumber("loops", results.Runs.Sum(run => run.Loops));
        WriteSpread(json, "latencyMs", "p50", results.LatencyMs, hasP99: true);
        ClassResult.Write(json, results.Classes);
        WriteSpread(json, "joinMs", "p50", results.JoinMs, hasP99: false);
        WriteSpread(json, "healMs", "median", results.HealMs, hasP99: true);
        WriteSpread(json, "repairMs", "median", results.RepairMs, hasP99: true);
        json.WriteNumber("bytesOnAir", results.Runs.Sum(run => run.BytesOnAir));
        json.WriteNumber("framesOnAir", results.Runs.Sum(run => run.FramesOnAir));
        json.WriteNumber("bytesPerDeliveredPerHop", Round(results.BytesPerDeliveredPerHop));
        json.WriteNumber("framesPerHop", Round(results.FramesPerHop));
        json.WriteNumber("idleBytesPerNodeSecond", Round(results.IdleBytesPerNodeSecond));
        json.WriteNumber("hopsMean", Round(results.HopsMean));
        json.WriteNumber("virtualSeconds", Round(results.Runs.Sum(run => run.VirtualSeconds)));
        WriteSpread(json, "timeErrorMs", "p50", results.TimeErrorMs, hasP99: true);
        json.WriteNumber("wallSeconds", Round(results.WallSeconds));
        json.WriteNumber("failedRuns", results.Runs.Count(run => !run.IsGood));
        json.WriteStartObject("distribution");
        foreach ((string name, Func<SimulationResult, double> value) in _figures)
        {
            double[] sorted = [.. results.Runs.Select(value).Order()];
            Spread spread = Spread.Of(sorted);
            json.WriteStartObject(name);
            json.WriteNumber("min", Round(sorted.Length == 0 ? 0 : sorted[0]));
            json.WriteNumber("p50", Round(spread.P50));
            json.WriteNumber("p99", Round(spread.P99));
            json.WriteNumber("max", Round(spread.Max));
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartArray("runs");
        foreach (SimulationResult run in results.Runs)
        {
            json.WriteStartObject();
            WriteRun(json, run);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    internal static string ToText(SimulationResult run)
    {
        StringBuilder text = new();
        Line(text, $"{run.Scenario}, seed {run.Seed}: {run.Nodes} nodes, {run.VirtualSeconds:0.###} virtual seconds in {run.WallSeconds:0.00} s");
        double ratio = run.DeliveryRatio;
        Line(text, $"delivered     {run.Delivered} of {run.Sent} ({ratio:0.00 %}), {run.Duplicates} duplicates, {run.HopsMean:0.00} hops on average");
        if (run.Unreachable.Count > 0)
        {
            Line(text, $"unreachable   {string.Join(", ", run.Unreachable)}");
        }

        Line(text, $"latency       p50 {run.LatencyMs.P50:0.#} ms, p99 {run.LatencyMs.P99:0.#} ms, max {run.LatencyMs.Max:0.#} ms");
        Line(text, $"join          p50 {run.JoinMs.P50:0} ms, max {run.JoinMs.Max:0} ms");
        Line(text, $"heal          median {run.HealMs.P50:0} ms, p99 {run.HealMs.P99:0} ms, max {run.HealMs.Max:0} ms ({run.HealMs.Count} faults)");
        Spread repair = run.RepairMs;
        Line(text, $"repair        median {repair.P50:0} ms, p99 {repair.P99:0} ms, max {repair.Max:0} ms from a reading that met the hole");
        Line(text, $"mesh time     off by p50 {run.TimeErrorMs.P50:0.#} ms, p99 {run.TimeErrorMs.P99:0.#} ms, max {run.TimeErrorMs.Max:0.#} ms");
        if (run.AwakePercent.Count > 0)
        {
            string shares = string.Join(", ", run.AwakePercent.Select(leaf => Invariant($"{leaf.Key} {leaf.Value:0.00} %")));
            Line(text, $"awake         {shares}");
        }

        Line(text, $"on air        {run.FramesOnAir} frames, {run.BytesOnAir} bytes");
        double share = run.AirtimeSeconds / run.VirtualSeconds;
        Line(text, $"radio         {run.LinkBytesOnAir} bytes with its headers, {run.AirtimeSeconds:0.000} s of airtime ({share:0.0 %} of the run)");
        Line(text, $"spoiled       {run.Collisions} receptions by collisions, {run.Corrupted} handed over with wrong bits");
        Line(text, $"per hop       {run.BytesPerDeliveredPerHop:0.0} bytes and {run.FramesPerHop:0.00} data frames for a delivered reading");
        Line(text, $"last half     {run.IdleBytesPerNodeSecond:0.00} bytes per node and second");
        Line(text, $"loops         {run.Loops} next-hop cycles, {run.Revisits} messages came back to a node they had left");
        Line(text, $"given up      {string.Join(", ", run.Drops.Select(drop => $"{drop.Value} {drop.Key}"))}");
        Line(text, $"events        {run.Events} ({run.Events / Math.Max(1e-9, run.WallSeconds):0} a second)");
        Line(text, $"trace hash    {run.TraceHash}");
        foreach (LostReading lost in run.Lost.Take(10))
        {
            string to = lost.To == 0 ? "any gateway" : lost.To.ToString(CultureInfo.InvariantCulture);
            Line(text, $"lost          {lost.From} to {to}, made at {lost.AtSeconds:0.000} s: {lost.Reason}");
        }

        if (run.Lost.Count > 10)
        {
            Line(text, $"lost          and {run.Lost.Count - 10} more (--json lists all)");
        }

        foreach (string violation in run.Violations)
        {
            Line(text, $"FAILED        {violation}");
        }

        return text.ToString();
    }

    internal static string ToText(SimulationResults results)
    {
        StringBuilder text = new();
        string name = results.Runs.Count == 0 ? string.Empty : results.Runs[0].Scenario;
        double virtualSeconds = results.Runs.Sum(run => run.VirtualSeconds);
        Line(text, $"{name}, {results.Runs.Count} seeds, {virtualSeconds:0.###} virtual seconds in {results.WallSeconds:0.00} s");
        long duplicates = results.Runs.Sum(run => run.Duplicates);
        Line(text, $"delivered     {results.Delivered} of {results.Sent} ({results.DeliveryRatio:0.000 %}), {duplicates} duplicates");
        Line(text, $"latency       p50 {results.LatencyMs.P50:0.#} ms, p99 {results.LatencyMs.P99:0.#} ms, max {results.LatencyMs.Max:0.#} ms");
        foreach (FormattableString line in ClassResult.Lines(results.Classes))
        {
            Line(text, line);
        }

        Line(text, $"join          p50 {results.JoinMs.P50:0} ms, max {results.JoinMs.Max:0} ms");
        Spread heal = results.HealMs;
        Line(text, $"heal          median {heal.P50:0} ms, p99 {heal.P99:0} ms, max {heal.Max:0} ms ({heal.Count} faults)");
        Spread repair = results.RepairMs;
        Line(text, $"repair        median {repair.P50:0} ms, p99 {repair.P99:0} ms, max {repair.Max:0} ms from a reading that met the hole");
        Line(text, $"per hop       {results.BytesPerDeliveredPerHop:0.0} bytes and {results.FramesPerHop:0.00} data frames for a delivered reading");
        Spread time = results.TimeErrorMs;
        Line(text, $"mesh time     off by p50 {time.P50:0.#} ms, p99 {time.P99:0.#} ms, max {time.Max:0.#} ms");
        Line(text, $"{"over the seeds",-26}{"min",12}{"p50",12}{"p99",12}{"max",12}");
        foreach ((string figure, Func<SimulationResult, double> value) in _figures)
        {
            double[] values = [.. results.Runs.Select(value)];
            Spread spread = Spread.Of(values);
            double min = values.Length == 0 ? 0 : values.Min();
            Line(text, $"{figure,-26}{min,12:0.####}{spread.P50,12:0.####}{spread.P99,12:0.####}{spread.Max,12:0.####}");
        }

        foreach (SimulationResult run in results.Runs.Where(run => !run.IsGood).Take(10))
        {
            Line(text, $"FAILED        seed {run.Seed}: {run.Violations[0]}");
        }

        return text.ToString();
    }

    private static void WriteRun(Utf8JsonWriter json, SimulationResult run)
    {
        json.WriteString("scenario", run.Scenario);
        json.WriteNumber("seed", run.Seed);
        json.WriteNumber("nodes", run.Nodes);
        json.WriteNumber("sent", run.Sent);
        json.WriteNumber("delivered", run.Delivered);
        json.WriteNumber("deliveryRatio", Round(run.DeliveryRatio));
        json.WriteNumber("duplicates", run.Duplicates);
        json.WriteStartArray("lost");
        foreach (LostReading lost in run.Lost)
        {
            json.WriteStartObject();
            json.WriteNumber("from", lost.From);
            json.WriteNumber("to", lost.To);
            json.WriteNumber("atSeconds", Round(lost.AtSeconds));
            json.WriteString("reason", lost.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("unreachable");
        foreach (int node in run.Unreachable)
        {
            json.WriteNumberValue(node);
        }

        json.WriteEndArray();
        json.WriteNumber("bytesOnAir", run.BytesOnAir);
        json.WriteNumber("framesOnAir", run.FramesOnAir);
        json.WriteNumber("bytesPerDeliveredPerHop", Round(run.BytesPerDeliveredPerHop));
        json.WriteNumber("framesPerHop", Round(run.FramesPerHop));
        WriteSpread(json, "latencyMs", "p50", run.LatencyMs, hasP99: true);
        ClassResult.Write(json, run.Classes);
        WriteSpread(json, "joinMs", "p50", run.JoinMs, hasP99: false);
        WriteSpread(json, "healMs", "median", run.HealMs, hasP99: true);
        WriteSpread(json, "repairMs", "median", run.RepairMs, hasP99: true);
        WriteSpread(json, "timeErrorMs", "p50", run.TimeErrorMs, hasP99: true);
        WriteAwake(json, run);
        json.WriteNumber("idleBytesPerNodeSecond", Round(run.IdleBytesPerNodeSecond));
        json.WriteNumber("loops", run.Loops);
        json.WriteNumber("revisits", run.Revisits);
        json.WriteNumber("linkBytesOnAir", run.LinkBytesOnAir);
        json.WriteNumber("airtimeSeconds", Round(run.AirtimeSeconds));
        json.WriteNumber("collisions", run.Collisions);
        json.WriteNumber("corrupted", run.Corrupted);
        json.WriteStartObject("drops");
        foreach ((string reason, long count) in run.Drops)
        {
            json.WriteNumber(reason, count);
        }

        json.WriteEndObject();
        json.WriteNumber("hopsMean", Round(run.HopsMean));
        json.WriteNumber("virtualSeconds", Round(run.VirtualSeconds));
        json.WriteNumber("wallSeconds", Round(run.WallSeconds));
        json.WriteNumber("events", run.Events);
        json.WriteString("traceHash", run.TraceHash);
        json.WriteStartArray("violations");
        foreach (string violation in run.Violations)
        {
            json.WriteStringValue(violation);
        }

        json.WriteEndArray();
    }

    private static void WriteAwake(Utf8JsonWriter json, SimulationResult run)
    {
        if (run.AwakePercent.Count > 0)
        {
            json.WriteStartObject("awakePercent");
            foreach ((int node, double percent) in run.AwakePercent)
            {
                json.WriteNumber(node.ToString(CultureInfo.InvariantCulture), Round(percent));
            }

            json.WriteEndObject();
        }
    }

    private static void WriteSpread(Utf8JsonWriter json, string name, string middle, Spread spread, bool hasP99)
    {
        json.WriteStartObject(name);
        json.WriteNumber(middle, Round(spread.P50));
        if (hasP99)
        {
            json.WriteNumber("p99", Round(spread.P99));
        }

        json.WriteNumber("max", Round(spread.Max));
        json.WriteEndObject();
    }

    private static string Write(Action<Utf8JsonWriter> content)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, _indented))
        {
            content(json);
        }

        stream.WriteByte((byte)'\n');
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static double Round(double value) => Math.Round(value, 6);

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
