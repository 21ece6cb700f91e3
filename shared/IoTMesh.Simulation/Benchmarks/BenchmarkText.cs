using System.Globalization;
using System.Text;
using System.Text.Json;

namespace IoTMesh.Simulation;

/// <summary>Writes what the <see cref="BenchmarkTable"/>'s rows measured: for people, as JSON, and as a table in Markdown.</summary>
public static class BenchmarkText
{
    /// <summary>One row a line under the topic's heading, and at the end what was missed.</summary>
    public static string ToText(IReadOnlyList<BenchmarkOutcome> outcomes)
    {
        StringBuilder text = new();
        foreach (IGrouping<string, BenchmarkOutcome> topic in outcomes.GroupBy(outcome => outcome.Row.Topic))
        {
            Line(text, $"{topic.Key}");
            Line(text, $"  others: {BenchmarkTable.Others[topic.Key]}");
            foreach (BenchmarkOutcome outcome in topic)
            {
                BenchmarkRow row = outcome.Row;
                string mark = outcome.IsMet ? "met" : "SHORT";
                Line(text, $"  {row.Key,-26}{Measured(outcome),12}  {row.Figure,-34} {Target(row),-10} {outcome.Seeds,4} seeds  {mark}");
                if (outcome.Note.Length > 0)
                {
                    Line(text, $"    {outcome.Note}");
                }
            }
        }

        Line(text, $"{outcomes.Count(outcome => outcome.IsMet)} of {outcomes.Count} targets met");
        return text.ToString();
    }

    /// <summary>
    /// An object with an array <c>rows</c>: topic, scenario, figure, seeds, value (null where it could not run), target, atLeast, met,
    /// others, note.
    /// </summary>
    public static string ToJson(IReadOnlyList<BenchmarkOutcome> outcomes)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteNumber("met", outcomes.Count(outcome => outcome.IsMet));
            json.WriteStartArray("rows");
            foreach (BenchmarkOutcome outcome in outcomes)
            {
                WriteRow(json, outcome);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The table of docs/benchmarks.md.</summary>
    public static string ToMarkdown(IReadOnlyList<BenchmarkOutcome> outcomes)
    {
        StringBuilder text = new();
        foreach (IGrouping<string, BenchmarkOutcome> topic in outcomes.GroupBy(outcome => outcome.Row.Topic))
        {
            Line(text, $"### {topic.Key}");
            Line(text, $"");
            Line(text, $"Others: {BenchmarkTable.Others[topic.Key]}.");
            Line(text, $"");
            Line(text, $"| scenario | figure | IoTMesh | target | seeds | |");
            Line(text, $"|---|---|---|---|---|---|");
            foreach (BenchmarkOutcome outcome in topic)
            {
                BenchmarkRow row = outcome.Row;
                string mark = outcome.IsMet ? "met" : "**short**";
                string note = outcome.Note.Length > 0 ? $" ({outcome.Note})" : string.Empty;
                Line(text, $"| `{row.Key}` | {row.Figure} | {Measured(outcome)} | {Target(row)} | {outcome.Seeds} | {mark}{note} |");
            }

            Line(text, $"");
        }

        return text.ToString();
    }

    private static void WriteRow(Utf8JsonWriter json, BenchmarkOutcome outcome)
    {
        BenchmarkRow row = outcome.Row;
        json.WriteStartObject();
        json.WriteString("topic", row.Topic);
        json.WriteString("scenario", row.Key);
        json.WriteString("figure", row.Figure);
        json.WriteNumber("seeds", outcome.Seeds);
        if (outcome.Measured is { } value)
        {
            json.WriteNumber("value", Math.Round(value, 6));
        }
        else
        {
            json.WriteNull("value");
        }

        json.WriteNumber("target", row.Target);
        json.WriteBoolean("atLeast", row.IsAtLeast);
        json.WriteBoolean("met", outcome.IsMet);
        json.WriteString("others", BenchmarkTable.Others[row.Topic]);
        json.WriteString("note", outcome.Note);
        json.WriteEndObject();
    }

    private static string Measured(BenchmarkOutcome outcome) =>
        outcome.Measured is { } value ? value.ToString("0.###", CultureInfo.InvariantCulture) : "-";

    private static string Target(BenchmarkRow row) =>
        (row.IsAtLeast ? ">= " : "<= ") + row.Target.ToString("0.###", CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
