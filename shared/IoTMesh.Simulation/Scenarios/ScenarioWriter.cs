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
            WriteNumber(json, "clockDriftPpm", scenario.ClockDriftPpm, 0);
            if (scenario.Join is null)
            {
                json.WriteBoolean("join", true);
            }
            else if (scenario.Join.Count > 0)
            {
                WriteIds(json, "join", scenario.Join);
            }

            if (scenario.RealTimeTwice)
            {
                json.WriteBoolean("realTimeTwice", true);
            }

            if (scenario.Radio != RadioSpec.Simple)
            {
                WriteRadio(json, scenario.Radio);
            }

            WriteRows(json, "traffic", scenario.Traffic, WriteTraffic);
            WriteRows(json, "faults", scenario.Faults, WriteFault);
            if (scenario.Attackers.Count > 0)
            {
                WriteRows(json, "attackers", scenario.Attackers, AttackerEntry.Write);
            }

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

        if (topology.Sleepy.Count > 0)
        {
            WriteIds(json, "sleepy", topology.Sleepy);
            json.WriteNumber("pollIntervalSeconds", topology.PollIntervalSeconds);
        }

        json.WriteEndObject();
    }

    private static void WriteRadio(Utf8JsonWriter json, RadioSpec radio)
    {
        json.WriteStartObject("radio");
        json.WriteString("model", radio.IsPhysical ? "physical" : "simple");
        json.WriteString("phy", radio.Phy.Name);
        WriteNumber(json, "rateMbps", radio.Phy.RateMbps, (radio.Phy.Name == Phy.EspNow.Name ? Phy.EspNow : Phy.Wifi).RateMbps);
        RadioSpec simple = RadioSpec.Simple;
        WriteNumber(json, "duplicate", radio.Duplicate, simple.Duplicate);
        WriteNumber(json, "delayMs", radio.DelayMs, simple.DelayMs);
        WriteNumber(json, "corrupt", radio.Corrupt, simple.Corrupt);
        WriteNumber(json, "replay", radio.Replay, simple.Replay);
        WriteNumber(json, "replaySeconds", radio.ReplaySeconds, simple.ReplaySeconds);
        WriteNumber(json, "unitMeters", radio.UnitMeters, simple.UnitMeters);
        WriteNumber(json, "pathLossExponent", radio.PathLossExponent, simple.PathLossExponent);
        WriteNumber(json, "shadowingDb", radio.ShadowingDb, simple.ShadowingDb);
        WriteNumber(json, "asymmetryDb", radio.AsymmetryDb, simple.AsymmetryDb);
        WriteNumber(json, "txPowerDbm", radio.TxPowerDbm, simple.TxPowerDbm);
        WriteNumber(json, "noiseDbm", radio.NoiseDbm, simple.NoiseDbm);
        WriteNumber(json, "sensitivityDbm", radio.SensitivityDbm, null);
        WriteNumber(json, "captureDb", radio.CaptureDb, simple.CaptureDb);
        WriteNumber(json, "interferenceDb", radio.InterferenceDb, simple.InterferenceDb);
        if (!radio.CarrierSense)
        {
            json.WriteBoolean("carrierSense", false);
        }

        WriteNumber(json, "carrierSenseDbm", radio.CarrierSenseDbm, null);
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string key, double? value, double? otherwise)
    {
        if (value is { } number && value != otherwise)
        {
            json.WriteNumber(key, number);
        }
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

        if (entry.Ask != Question.None)
        {
            json.WriteString("ask", entry.Ask.ToString().ToLowerInvariant());
        }

        if (entry.ViaServer)
        {
            json.WriteBoolean("viaServer", true);
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

    private static void WriteIds(Utf8JsonWriter json, string key, IReadOnlyList<int> ids)
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
