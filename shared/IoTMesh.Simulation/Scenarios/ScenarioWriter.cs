using System.Text;
using System.Text.Json;
using IoTMesh.Core;

namespace IoTMesh.Simulation;

/// <summary>Writes scenarios as the files that <see cref="ScenarioReader"/> reads: what is read back runs the same.</summary>
internal static class ScenarioWriter
{
    private static readonly JsonWriterOptions _indented = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>One JSON object with a newline at its end.</summary>
    internal static string Write(Scenario scenario)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, _indented))
        {
            json.WriteStartObject();
            json.WriteString("name", scenario.Name);
            json.WriteNumber("seed", scenario.Seed);
            json.WriteNumber("durationSeconds", scenario.DurationSeconds);
            WriteTopology(json, scenario.Topology);
            WriteRows(json, "traffic", scenario.Traffic, WriteTraffic);
            WriteRows(json, "faults", scenario.Faults, WriteFault);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void WriteTopology(Utf8JsonWriter json, TopologySpec topology)
    {
        json.WriteStartObject("topology");
        json.WriteString("kind", Topology.WordOf(topology.Kind));
        json.WriteNumber("nodes", topology.Nodes);
        if (topology.Columns != 0)
        {
            json.WriteNumber("columns", topology.Columns);
        }

        if (topology.Loss != 0)
        {
            json.WriteNumber("loss", topology.Loss);
        }

        if (topology.File is not null)
        {
            json.WriteString("file", Path.GetFullPath(topology.File));
        }

        if (topology.Gateways is not null)
        {
            WriteIds(json, "gateways", topology.Gateways);
        }

        json.WriteEndObject();
    }

    private static void WriteTraffic(Utf8JsonWriter json, TrafficEntry entry)
    {
        if (entry.From is null)
        {
            json.WriteString("from", "all");
        }
        else
        {
            WriteIds(json, "from", entry.From);
        }

        if (entry.Target == TrafficTarget.Nodes)
        {
            WriteIds(json, "to", entry.To);
        }
        else
        {
            json.WriteString("to", entry.Target.ToString().ToLowerInvariant());
        }

        json.WriteNumber("periodSeconds", entry.PeriodSeconds);
        json.WriteNumber("payloadBytes", entry.PayloadBytes);
        json.WriteNumber("startSeconds", entry.StartSeconds);
        if (entry.Confirmed)
        {
            json.WriteBoolean("confirmed", true);
        }

        if (entry.Custody)
        {
            json.WriteBoolean("custody", true);
        }

        if (entry.Class != MeshClass.Normal)
        {
            json.WriteString("class", entry.Class.ToString().ToLowerInvariant());
        }
    }

    private static void WriteFault(Utf8JsonWriter json, FaultEntry fault)
    {
        json.WriteNumber("atSeconds", fault.AtSeconds);
        string key = char.ToLowerInvariant(fault.Kind.ToString()[0]) + fault.Kind.ToString()[1..];
        switch (fault.Kind)
        {
            case FaultKind.Cut or FaultKind.Restore:
                WriteIds(json, key, [fault.A, fault.B]);
                break;
            case FaultKind.Partition:
                WriteGroups(json, key, fault.Groups);
                break;
            case FaultKind.Merge:
                json.WriteBoolean(key, true);
                break;
            case FaultKind.Move:
                json.WriteStartArray(key);
                json.WriteNumberValue(fault.A);
                json.WriteNumberValue(fault.Position.X);
                json.WriteNumberValue(fault.Position.Y);
                json.WriteEndArray();
                break;
            default:
                json.WriteNumber(key, fault.A);
                break;
        }
    }

    private static void WriteGroups(Utf8JsonWriter json, string key, IReadOnlyList<IReadOnlyList<int>> groups)
    {
        json.WriteStartArray(key);
        foreach (IReadOnlyList<int> group in groups)
        {
            json.WriteStartArray();
            foreach (int id in group)
            {
                json.WriteNumberValue(id);
            }

            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    private static void WriteIds(Utf8JsonWriter json, string key, IReadOnlyList<int> ids) => json.WriteRawArray(key, ids);

    private static void WriteRawArray(this Utf8JsonWriter json, string key, IReadOnlyList<int> ids)
    {
        json.WritePropertyName(key);
        json.WriteRawValue($"[{string.Join(", ", ids)}]");
    }

    /// <summary>A list with one object a line, as a person would write it.</summary>
    private static void WriteRows<T>(Utf8JsonWriter json, string key, IReadOnlyList<T> items, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray(key);
        foreach (T item in items)
        {
            using MemoryStream row = new();
            using (Utf8JsonWriter inner = new(row))
            {
                inner.WriteStartObject();
                write(inner, item);
                inner.WriteEndObject();
            }

            json.WriteRawValue(row.ToArray());
        }

        json.WriteEndArray();
    }
}
