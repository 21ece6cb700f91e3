using System.Globalization;
using System.Text;
using System.Text.Json;

namespace IoTMesh.Simulation;

/// <summary>Writes a <see cref="CompareResult"/> side by side, and as JSON.</summary>
internal static class CompareText
{
    private const int NameWidth = 40;
    private const int Width = 14;

    internal static string ToText(CompareResult result)
    {
        StringBuilder text = new();
        CompareOptions options = result.Options;
        Line(text, $"{options.Nodes} nodes, {options.Loss:0.#%} loss, seeds {options.Seed} to {options.Seed + (ulong)options.Seeds - 1};");
        Line(text, $"every {options.PeriodSeconds} s a 20-byte message from each node to the gateway, and one to a random node");
        Row(text, result, string.Empty, row => row.Layout);
        Heading(text, "delivered to the gateway, %");
        Phases(text, result, phase => phase.ToGateway);
        Heading(text, "delivered from node to node, %");
        Phases(text, result, phase => phase.BetweenNodes);
        Heading(text, "latency of what arrived, ms");
        Row(text, result, "  to the gateway, median", row => Number(row.GatewayLatencyMs.P50, 1));
        Row(text, result, "  to the gateway, 99th percentile", row => Number(row.GatewayLatencyMs.P99, 0));
        Row(text, result, "  node to node, median", row => Number(row.NodeLatencyMs.P50, 1));
        Row(text, result, "  node to node, 99th percentile", row => Number(row.NodeLatencyMs.P99, 0));
        Heading(text, "cost");
        Row(text, result, "  links a message crosses", row => Number(row.HopsMean, 2));
        Row(text, result, "  bytes on air a message delivered", row => Number(row.BytesPerMessage, 0));
        Row(text, result, "  mJ of sending a message delivered", row => Number(row.SendingMillijoulesPerMessage, 2));
        Row(text, result, "  J of sending a node and hour, mean", row => Number(row.SendingJoulesPerNodeHour.Mean, 1));
        Row(text, result, "  J of sending an hour, busiest node", row => Number(row.SendingJoulesPerNodeHour.Busiest, 1));
        Row(text, result, "  J in all a node and hour, mean", row => Number(row.JoulesPerNodeHour.Mean, 0));
        Row(text, result, "  J in all an hour, busiest node", row => Number(row.JoulesPerNodeHour.Busiest, 0));
        foreach (CompareRow row in result.Rows)
        {
            foreach (string violation in row.Violations)
            {
                Line(text, $"violation, {row.Layout}, {violation}");
            }
        }

        Line(text, $"{result.Rows.Count * options.Seeds} runs in {result.WallSeconds:0.0} s");
        return text.ToString();
    }

    internal static string ToJson(CompareResult result)
    {
        CompareOptions options = result.Options;
        return JsonSerializer.Serialize(
            new
            {
                nodes = options.Nodes,
                loss = options.Loss,
                seed = options.Seed,
                seeds = options.Seeds,
                periodSeconds = options.PeriodSeconds,
                wallSeconds = Math.Round(result.WallSeconds, 3),
                layouts = result.Rows.Select(row => new
                {
                    layout = row.Layout,
                    phases = row.Phases.Select(phase => new
                    {
                        phase = phase.Name,
                        toGateway = Json(phase.ToGateway),
                        betweenNodes = Json(phase.BetweenNodes),
                    }),
                    latencyMs = new { toGateway = Json(row.GatewayLatencyMs), betweenNodes = Json(row.NodeLatencyMs) },
                    hopsMean = Math.Round(row.HopsMean, 3),
                    bytesPerMessage = Math.Round(row.BytesPerMessage, 3),
                    energy = new
                    {
                        sendingMillijoulesPerMessage = Math.Round(row.SendingMillijoulesPerMessage, 4),
                        sendingJoulesPerNodeHour = Json(row.SendingJoulesPerNodeHour),
                        joulesPerNodeHour = Json(row.JoulesPerNodeHour),
                    },
                    violations = row.Violations,
                }),
            },
            _json);
    }

    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true };

    private static object Json(CompareCount count) => new { sent = count.Sent, delivered = count.Delivered };

    private static object Json(Spread spread) =>
        new { p50 = Math.Round(spread.P50, 3), p99 = Math.Round(spread.P99, 3), max = Math.Round(spread.Max, 3) };

    private static object Json(MeanAndBusiest amount) => new { mean = Math.Round(amount.Mean, 3), busiest = Math.Round(amount.Busiest, 3) };

    private static void Phases(StringBuilder text, CompareResult result, Func<ComparePhase, CompareCount> kind)
    {
        for (int i = 0; i < result.Rows[0].Phases.Count; i++)
        {
            int phase = i;
            Row(text, result, "  " + result.Rows[0].Phases[i].Name, row => Number(kind(row.Phases[phase]).Percent, 2));
        }
    }

    private static string Number(double value, int decimals) => value.ToString("F" + decimals, CultureInfo.InvariantCulture);

    private static void Heading(StringBuilder text, string heading) => text.Append(heading).Append('\n');

    private static void Row(StringBuilder text, CompareResult result, string name, Func<CompareRow, string> cell)
    {
        string cells = string.Concat(result.Rows.Select(row => cell(row).PadLeft(Width)));
        text.Append(name.PadRight(NameWidth)).Append(cells).Append('\n');
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
