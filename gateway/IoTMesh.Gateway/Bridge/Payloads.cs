using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using IoTMesh.Core;
using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Storage;

namespace IoTMesh.Gateway.Bridge;

/// <summary>JSON of the topics.</summary>
public static class Payloads
{
    // Units (°C, µg/m³) stay readable; topics are never put into HTML.
    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one JSON object.</summary>
    public static byte[] Object(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, _options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A node's state: when it was measured, its duplicate key, its way, the values and their units.</summary>
    public static byte[] State(StoredReading reading, string via, bool isHistorical)
    {
        IReadOnlyList<NamedValue> values = Decoded.Values(reading.Payload);
        return Object(json =>
        {
            json.WriteNumber("ts", reading.TimeMs);
            json.WriteString("time", DateTimeOffset.FromUnixTimeMilliseconds(reading.TimeMs).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ"));
            json.WriteNumber("seq", reading.Seq);
            json.WriteNumber("boot", reading.Boot);
            json.WriteString("via", via);
            json.WriteNumber("hops", reading.Hops);
            if (reading.RssiDbm != 0)
            {
                json.WriteNumber("rssi", reading.RssiDbm);
            }

            json.WriteBoolean("historical", isHistorical);
            WriteValues(json, values);
            WriteUnits(json, values);
        });
    }

    /// <summary>The values under their names.</summary>
    public static void WriteValues(Utf8JsonWriter json, IReadOnlyList<NamedValue> values)
    {
        foreach (NamedValue value in values)
        {
            if (value.Text is not null)
            {
                json.WriteString(value.Name, value.Text);
            }
            else if (value.Kind.Form == ReadingForm.Binary)
            {
                json.WriteBoolean(value.Name, value.Value != 0);
            }
            else
            {
                json.WriteNumber(value.Name, value.Value);
            }
        }
    }

    /// <summary>The unit of each value that has one.</summary>
    public static void WriteUnits(Utf8JsonWriter json, IReadOnlyList<NamedValue> values)
    {
        json.WriteStartObject("units");
        foreach (NamedValue value in values.Where(v => v.Kind.Unit.Length > 0))
        {
            json.WriteString(value.Name, value.Kind.Unit);
        }

        json.WriteEndObject();
    }

    /// <summary>A node's links as it reports them.</summary>
    public static byte[] Links(MeshView view, NodeView node)
    {
        var ids = view.Nodes.ToDictionary(n => n.Address, n => n.Id);
        return Object(json =>
        {
            json.WriteString("parent", ids.GetValueOrDefault(node.Parent));
            json.WriteStartArray("links");
            foreach (LinkView link in view.Links.Where(l => l.From == node.Address))
            {
                WriteLink(json, link, ids, withFrom: false);
            }

            json.WriteEndArray();
        });
    }

    /// <summary>Nodes and links of the whole mesh.</summary>
    public static byte[] Topology(MeshView view)
    {
        return Object(json => WriteTopology(json, view));
    }

    public static void WriteTopology(Utf8JsonWriter json, MeshView view)
    {
        var ids = view.Nodes.ToDictionary(n => n.Address, n => n.Id);
        json.WriteStartArray("nodes");
        foreach (NodeView node in view.Nodes)
        {
            json.WriteStartObject();
            json.WriteString("id", node.Id);
            json.WriteNumber("address", node.Address);
            json.WriteBoolean("gateway", node.IsGateway);
            json.WriteBoolean("online", node.Online);
            json.WriteString("parent", ids.GetValueOrDefault(node.Parent));
            WriteNumberOrNull(json, "hops", node.Hops);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("links");
        foreach (LinkView link in view.Links)
        {
            WriteLink(json, link, ids, withFrom: true);
        }

        json.WriteEndArray();
    }

    /// <summary>The registry.</summary>
    public static byte[] Devices(IReadOnlyList<Device> devices)
    {
        return Object(json =>
        {
            json.WriteStartArray("devices");
            foreach (Device device in devices)
            {
                json.WriteStartObject();
                json.WriteString("id", device.Id);
                json.WriteString("device_id", device.DeviceId);
                json.WriteNumber("address", device.Address);
                json.WriteString("name", device.Name);
                json.WriteString("model", device.Model);
                json.WriteString("version", device.Version);
                WriteKeys(json, device.Keys);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    public static void WriteKeys(Utf8JsonWriter json, IReadOnlyList<DeviceKey> keys)
    {
        json.WriteStartArray("keys");
        foreach (DeviceKey key in keys)
        {
            json.WriteStartObject();
            json.WriteString("key", key.Key);
            json.WriteString("type", key.Type);
            json.WriteBoolean("writable", key.Writable);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public static byte[] Event(EventView entry)
    {
        return Object(json =>
        {
            json.WriteString("type", "log");
            json.WriteNumber("ts", entry.At.ToUnixTimeMilliseconds());
            json.WriteString("level", entry.Level);
            json.WriteString("source", entry.Source);
            json.WriteString("text", entry.Text);
        });
    }

    public static void WriteNumberOrNull(Utf8JsonWriter json, string name, double? value)
    {
        if (value is null)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteNumber(name, value.Value);
        }
    }

    private static void WriteLink(Utf8JsonWriter json, LinkView link, Dictionary<ushort, string> ids, bool withFrom)
    {
        json.WriteStartObject();
        if (withFrom)
        {
            json.WriteString("from", ids.GetValueOrDefault(link.From));
        }

        json.WriteString("to", ids.GetValueOrDefault(link.To));
        json.WriteNumber("etx", Math.Round(link.Etx, 2));
        WriteNumberOrNull(json, "rssi", link.RssiDbm);
        json.WriteBoolean("route", link.IsRoute);
        json.WriteEndObject();
    }
}
